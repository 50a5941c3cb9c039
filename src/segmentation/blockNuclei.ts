import type { LabelImage } from './components';
import type { Outline, Point, Rectangle } from './geometry';
import { mapOutline, outlineArea, outlineCentroid } from './geometry';
import { segmentInstances, type InstanceOptions } from './instances';
import type { WindowMaps } from './mapCanvas';
import { labelBounds, traceLabel } from './outlines';
import { largestPart } from './ownership';
import { scratch } from './scratch';

/** A nucleus of a block, whatever its type; model space of the whole image, px. */
export interface BlockNucleus {
  readonly outline: Outline;
  /** px². */
  readonly area: number;
  readonly centroid: Point;
  /** Its highest pixel's centre. */
  readonly anchor: Point;
  /** Mean nucleus probability inside, 0..1. */
  readonly nucleusScore: number;
  /** Indices within the block's window, in raster order. */
  readonly pixels: Int32Array;
}

/** The nuclei that a block's own pixels are the summit of, in raster order of their first pixel. */
export type BlockNuclei = readonly BlockNucleus[];

/** Keeps what was found in a block: the next search over the same maps looks for no nuclei again. */
export interface BlockMemo {
  get(key: string): BlockNuclei | undefined;
  set(key: string, nuclei: BlockNuclei): void;
}

/**
 * Splits the maps of a window into nuclei; those whose highest pixel lies in the block are its own. One that borders on pixels no
 * tile has covered is left out: it may go on there.
 */
export function findBlockNuclei(
  area: Rectangle,
  window: Rectangle,
  maps: WindowMaps,
  options: InstanceOptions,
): BlockNuclei {
  const { width, height } = window;
  const image = segmentInstances(maps.nucleusLogits, maps.distanceMap, width, height, options);
  const complete = !maps.covered.includes(0);
  const tops = highestPixels(image, maps.distanceMap);
  const boxes = labelBounds(image);
  const found: BlockNucleus[] = [];
  for (let label = 1; label <= image.count; label++) {
    const top = tops[label]!;
    const anchor = { x: window.x + (top % width) + 0.5, y: window.y + Math.floor(top / width) + 0.5 };
    const { x, y } = anchor;
    if (x < area.x || y < area.y || x >= area.x + area.width || y >= area.y + area.height) continue;
    const box = boxes[label]!;
    if (!complete && touchesUncovered(image, label, box, maps.covered)) continue;
    const outline = mapOutline(traceLabel(image, label, box), 1, window.x, window.y);
    found.push(describe(outline, anchor, pixelsOf(image, label, box), maps));
  }
  return found;
}

/**
 * The largest part of what is left of a nucleus. @param kept its remaining pixels, indices within the window
 * @returns undefined when that is smaller than `minArea`, px²
 */
export function cutNucleus(
  { anchor }: BlockNucleus,
  kept: Int32Array,
  window: Rectangle,
  maps: WindowMaps,
  minArea: number,
): BlockNucleus | undefined {
  const { width, height } = window;
  const labels = new Int32Array(width * height);
  for (const at of kept) labels[at] = 1;
  const image = { width, height, labels, count: 1 };
  const box = labelBounds(image)[1];
  if (box === undefined || largestPart(image, 1, box) < minArea) return undefined;
  const outline = mapOutline(traceLabel(image, 1, box), 1, window.x, window.y);
  return describe(outline, anchor, pixelsOf(image, 1, box), maps);
}

function describe(outline: Outline, anchor: Point, pixels: Int32Array, maps: WindowMaps): BlockNucleus {
  let sum = 0;
  for (const at of pixels) sum += 1 / (1 + Math.exp(-maps.nucleusLogits[at]!));
  return {
    outline,
    area: outlineArea(outline),
    centroid: outlineCentroid(outline),
    anchor,
    nucleusScore: sum / pixels.length,
    pixels,
  };
}

const pixelScratch = scratch(Int32Array);

function pixelsOf({ width, labels }: LabelImage, label: number, box: Rectangle): Int32Array {
  const pixels = pixelScratch(box.width * box.height);
  let count = 0;
  for (let y = box.y; y < box.y + box.height; y++)
    for (let at = y * width + box.x; at < y * width + box.x + box.width; at++)
      if (labels[at] === label) pixels[count++] = at;
  return pixels.slice(0, count);
}

/** Index of the highest pixel of each label, the first of equals: the same one in every window that holds the object. */
function highestPixels({ labels, count }: LabelImage, heights: Float32Array): Int32Array {
  const tops = new Int32Array(count + 1).fill(-1);
  const summits = new Float32Array(count + 1);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0 || (tops[label]! >= 0 && !(heights[i]! > summits[label]!))) continue;
    tops[label] = i;
    summits[label] = heights[i]!;
  }
  return tops;
}

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
