import {
  cutNucleus,
  findBlockNuclei,
  type BlockMemo,
  type BlockNuclei,
  type BlockNucleus,
} from './blockNuclei';
import type { Tile, TilePlan } from './coordinates';
import type { Outline, Point, Rectangle } from './geometry';
import { outlineContains, rectanglesOverlap } from './geometry';
import { DEFAULT_INSTANCE_OPTIONS, type InstanceOptions } from './instances';
import { MapCanvas, type TileMaps, type WindowMaps } from './mapCanvas';
import { PixelClaims } from './pixelClaims';

/** An object of the stitched result, in model space of the whole image, px. */
export interface FoundObject {
  /** Exact outline along pixel edges. */
  readonly outline: Outline;
  /** px². */
  readonly area: number;
  readonly centroid: Point;
  /** Its highest pixel's centre: names the object and says in which extent it lies. */
  readonly anchor: Point;
  /** Mean probability inside, one per intent, 0..1. */
  readonly scores: readonly number[];
  /** Mean nucleus probability inside, 0..1. */
  readonly nucleusScore: number;
}

/** How to stitch; lengths in model px. */
export interface StitchOptions {
  readonly plan: TilePlan;
  readonly intents: number;
  readonly instances?: InstanceOptions;
  /** Objects anchored outside are left to others; the plan's extent is always in force. */
  readonly within?: Outline;
  /** Side of the squares that are segmented at a time. */
  readonly blockSize?: number;
  /** What is seen around a block. An object that reaches farther from its block would be cut there: wider than any nucleus. */
  readonly margin?: number;
  /** Keeps the nuclei of blocks whose maps have an id. */
  readonly memo?: BlockMemo;
}

interface Block {
  readonly area: Rectangle;
  /** The block with its margin, inside the image. */
  readonly window: Rectangle;
  /** Tiles that overlap the window, in the order of the plan. */
  readonly tiles: readonly Tile[];
  waitsFor: number;
}

/**
 * Merges tiles into objects as they arrive, in any order. The *maps* are stitched, not the objects: where tiles overlap their
 * maps are averaged with weights that fall toward the tile's edge. Once all tiles around a block are there, the block and its
 * margin are segmented, and the objects whose highest pixel lies in the block are final: each object has one highest pixel, so
 * none is cut or doubled at a seam, and the order of tiles does not matter. State ends with the last tile.
 */
export class Stitcher {
  private readonly canvas: MapCanvas;
  private readonly claims: PixelClaims;
  /** The blocks that wait for a tile. */
  private readonly blocks = new Map<string, Block[]>();
  private readonly waiting: Map<string, Tile>;
  private readonly instances: InstanceOptions;

  constructor(private readonly options: StitchOptions) {
    const { plan, blockSize = 192, margin = 48 } = options;
    this.instances = options.instances ?? DEFAULT_INSTANCE_OPTIONS;
    this.waiting = new Map(plan.tiles.map((tile) => [tile.key, tile]));
    this.canvas = new MapCanvas(plan, options.intents);
    this.claims = new PixelClaims(plan.modelSize.width, blockSize);
    const { extent, modelSize } = plan;
    const firstX = Math.floor(Math.max(0, extent.x) / blockSize) * blockSize;
    const firstY = Math.floor(Math.max(0, extent.y) / blockSize) * blockSize;
    for (let y = firstY; y < Math.min(modelSize.height, extent.y + extent.height); y += blockSize)
      for (let x = firstX; x < Math.min(modelSize.width, extent.x + extent.width); x += blockSize) {
        const area = { x, y, width: blockSize, height: blockSize };
        const left = Math.max(0, x - margin);
        const top = Math.max(0, y - margin);
        const window = {
          x: left,
          y: top,
          width: Math.min(modelSize.width, x + blockSize + margin) - left,
          height: Math.min(modelSize.height, y + blockSize + margin) - top,
        };
        const tiles = plan.tiles.filter((tile) => rectanglesOverlap(tile, window));
        if (tiles.length === 0) continue;
        const block = { area, window, tiles, waitsFor: tiles.length };
        for (const { key } of tiles) this.blocksOf(key).push(block);
        this.claims.reserve(window);
      }
  }

  /** Tiles still to come. */
  get pending(): readonly Tile[] {
    return [...this.waiting.values()];
  }

  /** Bytes of maps held now; 0 when all is done. */
  get bytesHeld(): number {
    return this.canvas.bytes;
  }

  /** Whether objects may still come that this tile shows. */
  holds(tile: Tile): boolean {
    return this.waiting.has(tile.key) || this.canvas.has(tile);
  }

  /** Takes the maps of a tile; returns the objects that have become final. @throws RangeError for a tile that is not awaited */
  add(tile: Tile, maps: TileMaps): FoundObject[] {
    return [...this.addInSteps(tile, maps)].flat();
  }

  /** As `add`, block by block: the caller may let other work in between, but gives no other tile before the end. */
  *addInSteps(tile: Tile, maps: TileMaps): Generator<FoundObject[], void> {
    this.expect(tile);
    this.canvas.add(tile, maps, this.blocksOf(tile.key).length);
    yield* this.settle(tile);
  }

  /** Gives up a tile (its inference failed): objects that reach into what only it covered are left out, never cut. */
  skip(tile: Tile): FoundObject[] {
    this.expect(tile);
    return [...this.settle(tile)].flat();
  }

  private expect(tile: Tile): void {
    if (!this.waiting.delete(tile.key)) throw new RangeError(`tile ${tile.key} is not awaited`);
  }

  private blocksOf(key: string): Block[] {
    let blocks = this.blocks.get(key);
    if (blocks === undefined) this.blocks.set(key, (blocks = []));
    return blocks;
  }

  private *settle({ key }: Tile): Generator<FoundObject[], void> {
    for (const block of this.blocksOf(key)) {
      if (--block.waitsFor > 0) continue;
      const found = this.finish(block);
      this.canvas.release(block.tiles);
      this.claims.release(block.window);
      yield found;
    }
    this.blocks.delete(key);
  }

  private finish(block: Block): FoundObject[] {
    let read: WindowMaps | undefined;
    const maps = (): WindowMaps => (read ??= this.canvas.read(block.window, block.tiles));
    const nuclei = this.nucleiOf(block, maps).flatMap((nucleus) => {
      if (!this.wanted(nucleus.anchor)) return [];
      return this.claim(nucleus, block, maps) ?? [];
    });
    return this.score(nuclei, block);
  }

  private nucleiOf({ area, window, tiles }: Block, maps: () => WindowMaps): BlockNuclei {
    const find = (): BlockNuclei => findBlockNuclei(area, window, maps(), this.instances);
    const { memo, plan } = this.options;
    const id = memo && this.canvas.idOf(tiles);
    if (memo === undefined || id === undefined) return find();
    const key = JSON.stringify([area, window, plan.tileSize, plan.overlap, this.instances, id]);
    const known = memo.get(key);
    if (known !== undefined) return known;
    const nuclei = find();
    memo.set(key, nuclei);
    return nuclei;
  }

  /** Two windows may disagree about a border pixel far from both blocks; the first to come keeps it. */
  private claim(nucleus: BlockNucleus, { window }: Block, maps: () => WindowMaps): BlockNucleus | undefined {
    const kept = this.claims.take(window, nucleus.pixels);
    if (kept.length === nucleus.pixels.length) return nucleus;
    return cutNucleus(nucleus, kept, window, maps(), this.instances.minAreaPixels);
  }

  private score(nuclei: readonly BlockNucleus[], { window, tiles }: Block): FoundObject[] {
    const all = new Int32Array(nuclei.reduce((sum, { pixels }) => sum + pixels.length, 0));
    let end = 0;
    for (const { pixels } of nuclei) {
      all.set(pixels, end);
      end += pixels.length;
    }
    const means = this.canvas.intentsAt(window, tiles, all);
    let from = 0;
    return nuclei.map(({ outline, area, centroid, anchor, nucleusScore, pixels }) => {
      const to = from + pixels.length;
      const scores = means.map((mean) => {
        let sum = 0;
        for (let i = from; i < to; i++) sum += mean[i]!;
        return sum / pixels.length;
      });
      from = to;
      return { outline, area, centroid, anchor, scores, nucleusScore };
    });
  }

  private wanted(anchor: Point): boolean {
    const { within } = this.options;
    return (
      contains(this.options.plan.extent, anchor) &&
      (within === undefined || outlineContains(within, anchor.x, anchor.y))
    );
  }
}

function contains(r: Rectangle, { x, y }: Point): boolean {
  return x >= r.x && y >= r.y && x < r.x + r.width && y < r.y + r.height;
}
