import type { Tile, TilePlan } from './coordinates';
import type { Rectangle } from './geometry';

/** The maps of a tile or a window, row by row: nucleus logits, distance 0..1, and one probability map per intent. */
export interface TileMaps {
  readonly nucleusLogits: Float32Array;
  readonly distanceMap: Float32Array;
  /** Probabilities; a tile's may be coarser than the tile ([128, 128] for 256 px), each cell then covers a square. */
  readonly intents: readonly Float32Array[];
}

/** The averaged maps of a window; `covered` is 0 where no tile has been, there the logit says background. */
export interface WindowMaps extends TileMaps {
  readonly covered: Uint8Array;
}

interface Chunk {
  /** Weighted sums: weight, nucleus logit, distance, intents..., each [size * size]. */
  sums: Float32Array | undefined;
  claimed: Uint8Array | undefined;
  /** Windows that still will read it. */
  readers: number;
}

const UNCOVERED_LOGIT = -20;

/** A sparse image of weighted averages, kept in square chunks that live from the first tile to the last reader. */
export class MapCanvas {
  private readonly chunks = new Map<number, Chunk>();
  private readonly columns: number;
  private readonly weights: Float32Array;

  constructor(
    private readonly plan: TilePlan,
    private readonly intents: number,
    private readonly size: number,
  ) {
    this.columns = Math.ceil(plan.modelSize.width / size);
    // Rises linearly from the edge to the depth of the overlap: two tiles' weights add up to 1 across a regular overlap.
    this.weights = Float32Array.from({ length: plan.tileSize }, (_, i) =>
      Math.min(1, (Math.min(i, plan.tileSize - 1 - i) + 0.5) / Math.max(1, plan.overlap)),
    );
  }

  /** Bytes held now. */
  get bytes(): number {
    let bytes = 0;
    for (const { sums, claimed } of this.chunks.values())
      bytes += (sums?.byteLength ?? 0) + (claimed?.byteLength ?? 0);
    return bytes;
  }

  /** Announces that `window` will be read once. */
  reserve(window: Rectangle): void {
    this.eachChunk(window, (index) => {
      const chunk = this.chunks.get(index);
      if (chunk === undefined) this.chunks.set(index, { sums: undefined, claimed: undefined, readers: 1 });
      else chunk.readers++;
    });
  }

  /** Says that a reserved window has been read. */
  release(window: Rectangle): void {
    this.eachChunk(window, (index) => {
      const chunk = this.chunks.get(index);
      if (chunk !== undefined && --chunk.readers === 0) this.chunks.delete(index);
    });
  }

  /** Adds a tile's maps with its weights. @throws RangeError when a map does not fit the tile */
  add(tile: Tile, maps: TileMaps): void {
    const { tileSize } = this.plan;
    const n = tileSize * tileSize;
    if (
      maps.nucleusLogits.length !== n ||
      maps.distanceMap.length !== n ||
      maps.intents.length !== this.intents
    )
      throw new RangeError(`a tile's maps have ${tileSize} x ${tileSize} values and one map per intent`);
    const cells = maps.intents.map((map) => cellsAlong(tileSize, Math.sqrt(map.length)));
    const plane = this.size * this.size;
    this.eachChunk(tile, (index, part) => {
      const chunk = this.chunks.get(index);
      if (chunk === undefined) return; // nobody reads there
      const sums = (chunk.sums ??= new Float32Array((3 + this.intents) * plane));
      const left = part.x - tile.x;
      for (let ty = part.y - tile.y; ty < part.y - tile.y + part.height; ty++) {
        const rowWeight = this.weights[ty]!;
        const shift = ((ty + tile.y) % this.size) * this.size + (part.x % this.size) - left;
        for (let tx = left; tx < left + part.width; tx++) {
          const weight = rowWeight * this.weights[tx]!;
          const from = ty * tileSize + tx;
          const to = shift + tx;
          sums[to]! += weight;
          sums[plane + to]! += weight * maps.nucleusLogits[from]!;
          sums[2 * plane + to]! += weight * maps.distanceMap[from]!;
          for (let k = 0; k < this.intents; k++) {
            const cell = cells[k]!;
            sums[(3 + k) * plane + to]! += weight * maps.intents[k]![cell.rows[ty]! + cell.columns[tx]!]!;
          }
        }
      }
    });
  }

  /** The averaged maps of a window, px of the image. */
  read(window: Rectangle): WindowMaps {
    const n = window.width * window.height;
    const plane = this.size * this.size;
    const nucleusLogits = new Float32Array(n).fill(UNCOVERED_LOGIT);
    const distanceMap = new Float32Array(n);
    const intents = Array.from({ length: this.intents }, () => new Float32Array(n));
    const covered = new Uint8Array(n);
    this.eachChunk(window, (index, part) => {
      const sums = this.chunks.get(index)?.sums;
      if (sums === undefined) return;
      for (let y = part.y; y < part.y + part.height; y++) {
        let from = (y % this.size) * this.size + (part.x % this.size);
        let to = (y - window.y) * window.width + part.x - window.x;
        for (let i = 0; i < part.width; i++, from++, to++) {
          const weight = sums[from]!;
          if (weight === 0) continue;
          covered[to] = 1;
          nucleusLogits[to] = sums[plane + from]! / weight;
          distanceMap[to] = sums[2 * plane + from]! / weight;
          for (let k = 0; k < this.intents; k++) intents[k]![to] = sums[(3 + k) * plane + from]! / weight;
        }
      }
    });
    return { nucleusLogits, distanceMap, intents, covered };
  }

  /**
   * Gives the pixels of a label to its object; those already given away are removed from `labels` [window] instead.
   * @param box bounds of the label within the window @returns how many were removed
   */
  claim(window: Rectangle, labels: Int32Array, label: number, box: Rectangle): number {
    let removed = 0;
    const plane = this.size * this.size;
    for (let y = box.y; y < box.y + box.height; y++)
      for (let x = box.x; x < box.x + box.width; x++) {
        const i = y * window.width + x;
        if (labels[i] !== label) continue;
        const [px, py] = [x + window.x, y + window.y];
        const chunk = this.chunks.get(Math.floor(py / this.size) * this.columns + Math.floor(px / this.size));
        if (chunk === undefined) continue;
        const claimed = (chunk.claimed ??= new Uint8Array(plane));
        const at = (py % this.size) * this.size + (px % this.size);
        if (claimed[at] === 0) claimed[at] = 1;
        else {
          labels[i] = 0;
          removed++;
        }
      }
    return removed;
  }

  /** Calls back for every chunk that shares pixels with `area`, with the shared part. */
  private eachChunk(area: Rectangle, visit: (index: number, part: Rectangle) => void): void {
    const right = area.x + area.width;
    const bottom = area.y + area.height;
    for (let y = area.y; y < bottom;) {
      const nextY = Math.min(bottom, (Math.floor(y / this.size) + 1) * this.size);
      for (let x = area.x; x < right;) {
        const nextX = Math.min(right, (Math.floor(x / this.size) + 1) * this.size);
        const index = Math.floor(y / this.size) * this.columns + Math.floor(x / this.size);
        visit(index, { x, y, width: nextX - x, height: nextY - y });
        x = nextX;
      }
      y = nextY;
    }
  }
}

/** Which cell of a coarser map of `side` x `side` each pixel lies in: its column, and its row as an offset. */
function cellsAlong(tileSize: number, side: number): { columns: Int32Array; rows: Int32Array } {
  const columns = Int32Array.from({ length: tileSize }, (_, i) => Math.floor((i * side) / tileSize));
  return { columns, rows: columns.map((cell) => cell * side) };
}
