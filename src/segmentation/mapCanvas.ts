import type { Tile, TilePlan } from './coordinates';
import type { Rectangle } from './geometry';
import { scratch } from './scratch';

/** The maps of a tile, row by row: nucleus logits, distance 0..1, and one probability map per intent. */
export interface TileMaps {
  readonly nucleusLogits: Float32Array;
  readonly distanceMap: Float32Array;
  /** Probabilities; may be coarser than the tile ([128, 128] for 256 px), each cell then covers a square. */
  readonly intents: readonly Float32Array[];
  /** Names nucleus logits and distance map: equal ids, equal maps. What was found in them can then be kept. */
  readonly id?: string;
}

/** The averaged maps of a window, valid until the next one is read; `covered` is 0 where no tile has been, there the logit says background. */
export interface WindowMaps {
  readonly nucleusLogits: Float32Array;
  readonly distanceMap: Float32Array;
  readonly covered: Uint8Array;
}

interface Held {
  readonly maps: TileMaps;
  /** Windows that still will read it. */
  readers: number;
}

/** Which cell of a coarser map each pixel of a tile lies in: its column, and its row as an offset. */
interface Cells {
  readonly columns: Int32Array;
  readonly rows: Int32Array;
}

const UNCOVERED_LOGIT = -20;

/**
 * Tiles as one image: where they overlap, their maps are averaged with weights that fall toward a tile's edge, always in the
 * order in which the reader names them. A tile is held from its coming to its last reader.
 */
export class MapCanvas {
  private readonly held = new Map<string, Held>();
  /** Rises linearly from the edge to the depth of the overlap: two tiles' weights add up to 1 across a regular overlap. */
  private readonly weights: Float32Array;
  private readonly cells = new Map<number, Cells>();
  private readonly scratch = {
    sums: scratch(Float32Array),
    nucleusLogits: scratch(Float32Array),
    distanceMap: scratch(Float32Array),
    covered: scratch(Uint8Array),
  };

  constructor(
    private readonly plan: TilePlan,
    private readonly intents: number,
  ) {
    this.weights = Float32Array.from({ length: plan.tileSize }, (_, i) =>
      Math.min(1, (Math.min(i, plan.tileSize - 1 - i) + 0.5) / Math.max(1, plan.overlap)),
    );
  }

  /** Bytes held now. */
  get bytes(): number {
    let bytes = 0;
    for (const { maps } of this.held.values())
      for (const map of [maps.nucleusLogits, maps.distanceMap, ...maps.intents]) bytes += map.byteLength;
    return bytes;
  }

  /** Takes a tile's maps for `readers` windows. @throws RangeError when a map does not fit the tile */
  add(tile: Tile, maps: TileMaps, readers: number): void {
    const { tileSize } = this.plan;
    const n = tileSize * tileSize;
    if (
      maps.nucleusLogits.length !== n ||
      maps.distanceMap.length !== n ||
      maps.intents.length !== this.intents
    )
      throw new RangeError(`a tile's maps have ${tileSize} x ${tileSize} values and one map per intent`);
    if (readers > 0) this.held.set(tile.key, { maps, readers });
  }

  /** Whether a window still will read the tile. */
  has({ key }: Tile): boolean {
    return this.held.has(key);
  }

  /** Says that one window over these tiles has been read. */
  release(tiles: readonly Tile[]): void {
    for (const { key } of tiles) {
      const held = this.held.get(key);
      if (held !== undefined && --held.readers === 0) this.held.delete(key);
    }
  }

  /** Names the nucleus and distance maps over these tiles, missing ones included; `undefined` when one has no id. */
  idOf(tiles: readonly Tile[]): string | undefined {
    const ids: string[] = [];
    for (const { key } of tiles) {
      const held = this.held.get(key);
      if (held !== undefined && held.maps.id === undefined) return undefined;
      ids.push(`${key}=${held?.maps.id ?? ''}`);
    }
    return ids.join(' ');
  }

  /** The averaged maps of a window, px of the image. @param tiles that overlap it */
  read(window: Rectangle, tiles: readonly Tile[]): WindowMaps {
    const n = window.width * window.height;
    const { tileSize } = this.plan;
    const { weights } = this;
    const sums = this.scratch.sums(n).fill(0);
    const nucleusLogits = this.scratch.nucleusLogits(n).fill(0);
    const distanceMap = this.scratch.distanceMap(n).fill(0);
    for (const tile of tiles) {
      const maps = this.held.get(tile.key)?.maps;
      if (maps === undefined) continue;
      const { left, top, right, bottom } = shared(tile, window);
      const { nucleusLogits: logits, distanceMap: distances } = maps;
      for (let y = top; y < bottom; y++) {
        const rowWeight = weights[y - tile.y]!;
        let from = (y - tile.y) * tileSize + left - tile.x;
        let to = (y - window.y) * window.width + left - window.x;
        for (let tx = left - tile.x; tx < right - tile.x; tx++, from++, to++) {
          const weight = rowWeight * weights[tx]!;
          sums[to]! += weight;
          nucleusLogits[to]! += weight * logits[from]!;
          distanceMap[to]! += weight * distances[from]!;
        }
      }
    }
    const covered = this.scratch.covered(n).fill(0);
    for (let i = 0; i < n; i++) {
      const weight = sums[i]!;
      if (weight === 0) nucleusLogits[i] = UNCOVERED_LOGIT;
      else {
        covered[i] = 1;
        nucleusLogits[i]! /= weight;
        distanceMap[i]! /= weight;
      }
    }
    return { nucleusLogits, distanceMap, covered };
  }

  /** The averaged probabilities of each intent at some pixels of a window. @param pixels indices within the window */
  intentsAt(window: Rectangle, tiles: readonly Tile[], pixels: Int32Array): Float32Array[] {
    const sums = new Float32Array(pixels.length);
    const means = Array.from({ length: this.intents }, () => new Float32Array(pixels.length));
    if (this.intents === 0) return means;
    const { weights } = this;
    for (const tile of tiles) {
      const maps = this.held.get(tile.key)?.maps;
      if (maps === undefined) continue;
      const { left, top, right, bottom } = shared(tile, window);
      const cells = maps.intents.map((map) => this.cellsOf(Math.sqrt(map.length)));
      let row = 0;
      for (let i = 0; i < pixels.length; i++) {
        const at = pixels[i]!;
        if (at < row * window.width || at >= (row + 1) * window.width) row = Math.floor(at / window.width);
        const x = window.x + at - row * window.width;
        const y = window.y + row;
        if (x < left || x >= right || y < top || y >= bottom) continue;
        const weight = weights[y - tile.y]! * weights[x - tile.x]!;
        sums[i]! += weight;
        for (let k = 0; k < means.length; k++) {
          const { rows, columns } = cells[k]!;
          means[k]![i]! += weight * maps.intents[k]![rows[y - tile.y]! + columns[x - tile.x]!]!;
        }
      }
    }
    for (const mean of means) for (let i = 0; i < mean.length; i++) mean[i]! /= sums[i]!;
    return means;
  }

  private cellsOf(side: number): Cells {
    let cells = this.cells.get(side);
    if (cells === undefined) {
      const { tileSize } = this.plan;
      const columns = Int32Array.from({ length: tileSize }, (_, i) => Math.floor((i * side) / tileSize));
      cells = { columns, rows: columns.map((cell) => cell * side) };
      this.cells.set(side, cells);
    }
    return cells;
  }
}

function shared(
  a: Rectangle,
  b: Rectangle,
): { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number } {
  return {
    left: Math.max(a.x, b.x),
    top: Math.max(a.y, b.y),
    right: Math.min(a.x + a.width, b.x + b.width),
    bottom: Math.min(a.y + a.height, b.y + b.height),
  };
}
