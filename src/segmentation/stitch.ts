import type { LabelImage } from './components';
import type { Tile, TilePlan } from './coordinates';
import type { Outline, Point, Rectangle } from './geometry';
import { mapOutline, outlineArea, outlineCentroid, outlineContains, rectanglesOverlap } from './geometry';
import { DEFAULT_INSTANCE_OPTIONS, segmentInstances, type InstanceOptions } from './instances';
import { MapCanvas, type TileMaps } from './mapCanvas';
import { largestPart } from './ownership';
import { labelBounds, traceLabel } from './outlines';

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
}

interface Block {
  readonly area: Rectangle;
  /** The block with its margin, inside the image. */
  readonly window: Rectangle;
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
  private readonly blocks: Block[] = [];
  private readonly waiting: Map<string, Tile>;
  private readonly instances: InstanceOptions;

  constructor(private readonly options: StitchOptions) {
    const { plan, blockSize = 192, margin = 48 } = options;
    this.instances = options.instances ?? DEFAULT_INSTANCE_OPTIONS;
    this.waiting = new Map(plan.tiles.map((tile) => [tile.key, tile]));
    this.canvas = new MapCanvas(plan, options.intents, blockSize);
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
        const waitsFor = plan.tiles.filter((tile) => rectanglesOverlap(tile, window)).length;
        if (waitsFor > 0) this.blocks.push({ area, window, waitsFor });
      }
    for (const { window } of this.blocks) this.canvas.reserve(window);
  }

  /** Tiles still to come. */
  get pending(): readonly Tile[] {
    return [...this.waiting.values()];
  }

  /** Bytes of maps held now; 0 when all is done. */
  get bytesHeld(): number {
    return this.canvas.bytes;
  }

  /** Takes the maps of a tile; returns the objects that have become final. @throws RangeError for a tile that is not awaited */
  add(tile: Tile, maps: TileMaps): FoundObject[] {
    this.expect(tile);
    this.canvas.add(tile, maps);
    return this.settle(tile);
  }

  /** Gives up a tile (its inference failed): objects that reach into what only it covered are left out, never cut. */
  skip(tile: Tile): FoundObject[] {
    this.expect(tile);
    return this.settle(tile);
  }

  private expect(tile: Tile): void {
    if (!this.waiting.delete(tile.key)) throw new RangeError(`tile ${tile.key} is not awaited`);
  }

  private settle(tile: Tile): FoundObject[] {
    const found: FoundObject[] = [];
    for (const block of this.blocks) {
      if (block.waitsFor === 0 || !rectanglesOverlap(tile, block.window)) continue;
      if (--block.waitsFor > 0) continue;
      found.push(...this.segment(block));
      this.canvas.release(block.window);
    }
    return found;
  }

  private segment({ area, window }: Block): FoundObject[] {
    const maps = this.canvas.read(window);
    const { width, height } = window;
    const image = segmentInstances(maps.nucleusLogits, maps.distanceMap, width, height, this.instances);
    const tops = highestPixels(image, maps.distanceMap);
    const boxes = labelBounds(image);
    const found: FoundObject[] = [];
    for (let label = 1; label <= image.count; label++) {
      const top = tops[label]!;
      const anchor = { x: window.x + (top % width) + 0.5, y: window.y + Math.floor(top / width) + 0.5 };
      if (!contains(area, anchor) || !this.wanted(anchor)) continue;
      const box = boxes[label]!;
      if (touchesUncovered(image, label, box, maps.covered)) continue;
      // Two windows may disagree about a border pixel far from both blocks; the first to come keeps it.
      const claimed = this.canvas.claim(window, image.labels, label, box);
      if (claimed > 0 && largestPart(image, label, box) < this.instances.minAreaPixels) continue;
      found.push(describe(image, label, box, window, anchor, maps));
    }
    return found;
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

/** Index of the highest pixel of each label, the first of equals: the same one in every window that holds the object. */
function highestPixels({ labels, count }: LabelImage, heights: Float32Array): Int32Array {
  const tops = new Int32Array(count + 1).fill(-1);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label > 0 && (tops[label]! < 0 || heights[i]! > heights[tops[label]!]!)) tops[label] = i;
  }
  return tops;
}

/** Whether an object borders on pixels of the image that no tile has covered: it may go on there. */
function touchesUncovered(image: LabelImage, label: number, box: Rectangle, covered: Uint8Array): boolean {
  const { width, height, labels } = image;
  for (let y = box.y; y < box.y + box.height; y++)
    for (let x = box.x; x < box.x + box.width; x++) {
      const i = y * width + x;
      if (labels[i] !== label) continue;
      if (x > 0 && covered[i - 1] === 0) return true;
      if (x < width - 1 && covered[i + 1] === 0) return true;
      if (y > 0 && covered[i - width] === 0) return true;
      if (y < height - 1 && covered[i + width] === 0) return true;
    }
  return false;
}

function describe(
  image: LabelImage,
  label: number,
  box: Rectangle,
  window: Rectangle,
  anchor: Point,
  maps: TileMaps,
): FoundObject {
  const outline = mapOutline(traceLabel(image, label, box), 1, window.x, window.y);
  const sums = new Float64Array(maps.intents.length);
  let nucleus = 0;
  let pixels = 0;
  for (let y = box.y; y < box.y + box.height; y++)
    for (let x = box.x; x < box.x + box.width; x++) {
      const i = y * image.width + x;
      if (image.labels[i] !== label) continue;
      pixels++;
      nucleus += 1 / (1 + Math.exp(-maps.nucleusLogits[i]!));
      for (let k = 0; k < sums.length; k++) sums[k]! += maps.intents[k]![i]!;
    }
  return {
    outline,
    area: outlineArea(outline),
    centroid: outlineCentroid(outline),
    anchor,
    scores: Array.from(sums, (sum) => sum / pixels),
    nucleusScore: nucleus / pixels,
  };
}
