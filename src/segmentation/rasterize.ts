import type { Outline, Rectangle } from './geometry';

/**
 * Calls `span(y, from, to)` for each run of pixels [from, to) in row y whose centres lie inside the outline (even-odd rule over
 * all rings), clipped to `frame`: integers, px. The exact inverse of `traceLabel`.
 */
export function eachSpan(
  outline: Outline,
  frame: Rectangle,
  span: (y: number, from: number, to: number) => void,
): void {
  let top = Infinity;
  let bottom = -Infinity;
  for (const part of outline)
    for (const ring of part)
      for (let i = 1; i < ring.length; i += 2) {
        if (ring[i]! < top) top = ring[i]!;
        if (ring[i]! > bottom) bottom = ring[i]!;
      }
  const first = Math.max(frame.y, Math.ceil(top - 0.5));
  const last = Math.min(frame.y + frame.height, Math.ceil(bottom - 0.5));
  if (!(first < last)) return;
  const crossings: number[][] = Array.from({ length: last - first }, () => []);
  for (const part of outline)
    for (const ring of part)
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
        const up = ring[i + 1]! < ring[j + 1]!;
        const ax = up ? ring[i]! : ring[j]!;
        const ay = up ? ring[i + 1]! : ring[j + 1]!;
        const bx = up ? ring[j]! : ring[i]!;
        const by = up ? ring[j + 1]! : ring[i + 1]!;
        // Rows whose centre y + 0.5 lies in [ay, by).
        const from = Math.max(first, Math.ceil(ay - 0.5));
        const to = Math.min(last, Math.ceil(by - 0.5));
        for (let y = from; y < to; y++)
          crossings[y - first]!.push(ax === bx ? ax : ax + ((y + 0.5 - ay) / (by - ay)) * (bx - ax));
      }
  const right = frame.x + frame.width;
  crossings.forEach((xs, row) => {
    xs.sort((a, b) => a - b);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const from = Math.max(frame.x, Math.ceil(xs[i]! - 0.5));
      const to = Math.min(right, Math.ceil(xs[i + 1]! - 0.5));
      if (from < to) span(first + row, from, to);
    }
  });
}

/** Writes `value` into `target` [frame.height * frame.width] wherever a pixel's centre is inside the outline; `frame` is integers, px. */
export function fillOutline(
  outline: Outline,
  frame: Rectangle,
  target: Int32Array | Uint8Array | Float32Array,
  value: number,
): void {
  eachSpan(outline, frame, (y, from, to) => {
    const row = (y - frame.y) * frame.width - frame.x;
    target.fill(value, row + from, row + to);
  });
}

/** The pixels of an outline within `frame` (integers, px): mask [frame.height * frame.width] of 0 and 1. */
export function rasterizeOutline(outline: Outline, frame: Rectangle): Uint8Array {
  const mask = new Uint8Array(frame.width * frame.height);
  fillOutline(outline, frame, mask, 1);
  return mask;
}
