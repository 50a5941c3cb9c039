import type { Outline, Rectangle, Ring, Size } from './geometry';

/** Lines on which an outline's extent in a rectangle is measured. */
const LINES = 1024;

/**
 * The area of an outline inside a rectangle, px²: parts that overlap count once. Measured on 1024 lines, exact along each.
 */
export function coveredArea(outline: Outline, { x, y, width, height }: Rectangle): number {
  const step = height / LINES;
  let area = 0;
  for (let line = 0; line < LINES; line++) {
    const spans = outline.flatMap((part) => spansOf(part, y + (line + 0.5) * step));
    spans.sort(([a], [b]) => a - b);
    let reached = x;
    for (const [from, to] of spans) {
      const left = Math.max(reached, from);
      const right = Math.min(x + width, to);
      if (right <= left) continue;
      area += (right - left) * step;
      reached = right;
    }
  }
  return area;
}

/**
 * Where an outline lies in a small picture of an image: 1 where a cell's middle is inside or an edge passes, [height * width].
 * @param size of the picture @param image whose px the outline is in
 */
export function coverageMask(
  outline: Outline,
  { width, height }: Size,
  image: Size,
): Size & { readonly data: Uint8Array } {
  const [stepX, stepY] = [image.width / width, image.height / height];
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++)
    for (const part of outline)
      for (const [from, to] of spansOf(part, (row + 0.5) * stepY)) {
        // Columns whose middle lies in [from, to).
        const first = Math.max(0, Math.ceil(from / stepX - 0.5));
        const end = Math.min(width, Math.ceil(to / stepX - 0.5));
        if (first < end) data.fill(1, row * width + first, row * width + end);
      }
  for (const ring of outline.flat())
    eachPointAlong(ring, Math.min(stepX, stepY) / 2, (px, py) => {
      const [column, row] = [Math.floor(px / stepX), Math.floor(py / stepY)];
      if (column >= 0 && row >= 0 && column < width && row < height) data[row * width + column] = 1;
    });
  return { width, height, data };
}

/** The stretches of a horizontal line inside a part, [from, to] each. */
function spansOf(part: readonly Ring[], y: number): [number, number][] {
  const crossings: number[] = [];
  for (const ring of part)
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ay, by] = [ring[j + 1]!, ring[i + 1]!];
      if (ay > y === by > y) continue;
      crossings.push(ring[j]! + ((y - ay) / (by - ay)) * (ring[i]! - ring[j]!));
    }
  crossings.sort((a, b) => a - b);
  return Array.from({ length: crossings.length / 2 }, (_, i) => [crossings[2 * i]!, crossings[2 * i + 1]!]);
}

function eachPointAlong(ring: Ring, step: number, visit: (x: number, y: number) => void): void {
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!];
    const count = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / step));
    for (let k = 0; k < count; k++) visit(ax + ((bx - ax) * k) / count, ay + ((by - ay) * k) / count);
  }
}
