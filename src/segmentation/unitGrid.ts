import type { Rectangle, Size } from './geometry';
import type { TissueMask } from './tissue';

/** A part of an image that is searched at a time, image px: units of a grid neither overlap nor leave anything out. */
export interface Unit extends Rectangle {
  /** Position in the order of the grid, from 0, rows first. */
  readonly index: number;
}

/** Pixels of a mask around tissue that are looked at too, so that a nucleus at its edge is found whole. */
const RIM = 2;

/**
 * Cuts an extent into squares, and leaves out those without tissue; a square that holds some is trimmed to it.
 * @param side of a square, image px
 * @param tissue of the whole image; everything is tissue when absent
 */
export function unitGrid(image: Size, extent: Rectangle, side: number, tissue?: TissueMask): Unit[] {
  const units: Unit[] = [];
  const right = extent.x + extent.width;
  const bottom = extent.y + extent.height;
  for (let y = extent.y; y < bottom; y += side)
    for (let x = extent.x; x < right; x += side) {
      const square = { x, y, width: Math.min(side, right - x), height: Math.min(side, bottom - y) };
      const part = tissue === undefined ? square : trimmed(square, image, tissue);
      if (part !== undefined) units.push({ ...part, index: units.length });
    }
  return units;
}

/** The least rectangle inside a square that holds its tissue; undefined when there is none. */
function trimmed(square: Rectangle, image: Size, { width, height, data }: TissueMask): Rectangle | undefined {
  const stepX = image.width / width;
  const stepY = image.height / height;
  const first = (at: number, step: number): number => Math.max(0, Math.floor(at / step) - RIM);
  const last = (at: number, step: number, count: number): number =>
    Math.min(count, Math.ceil(at / step) + RIM);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const [x0, x1] = [first(square.x, stepX), last(square.x + square.width, stepX, width)];
  const [y0, y1] = [first(square.y, stepY), last(square.y + square.height, stepY, height)];
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++) {
      if (data[y * width + x] === 0) continue;
      left = Math.min(left, x - RIM);
      right = Math.max(right, x + 1 + RIM);
      top = Math.min(top, y - RIM);
      bottom = Math.max(bottom, y + 1 + RIM);
    }
  if (right < left) return undefined;
  const x = Math.max(square.x, Math.floor(left * stepX));
  const y = Math.max(square.y, Math.floor(top * stepY));
  return {
    x,
    y,
    width: Math.min(square.x + square.width, Math.ceil(right * stepX)) - x,
    height: Math.min(square.y + square.height, Math.ceil(bottom * stepY)) - y,
  };
}
