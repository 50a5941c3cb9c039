import type { ImageLevel, PixelRectangle } from './imageSource';

/** Most pixels that are looked at to learn how bright a picture is. */
const MOST_PIXELS = 4_000_000;
/** A level smaller than this is too coarse: nuclei have melted into their surroundings. */
const LEAST_PIXELS = 512 * 512;
/** Windows a side, where even the coarsest level is too large to be read whole. */
const GRID = 5;

/**
 * Where to look at a picture to learn about all of it: a small level as a whole, else a grid of windows. Pure.
 * @param tiled false: rows have to be decoded from the top, so a band across the middle is taken instead of the grid
 */
export function sampleWindows(
  levels: readonly ImageLevel[],
  tiled: boolean,
): {
  readonly level: number;
  readonly rectangles: readonly PixelRectangle[];
} {
  const level = Math.max(
    0,
    levels.findLastIndex(({ width, height }) => width * height >= LEAST_PIXELS),
  );
  const { width, height } = levels[level]!;
  if (width * height <= MOST_PIXELS) return { level, rectangles: [{ x: 0, y: 0, width, height }] };
  if (!tiled) {
    const rows = Math.max(1, Math.min(height, Math.floor(MOST_PIXELS / width)));
    return { level, rectangles: [{ x: 0, y: Math.floor((height - rows) / 2), width, height: rows }] };
  }
  const side = Math.floor(Math.sqrt(MOST_PIXELS) / GRID);
  const rectangles: PixelRectangle[] = [];
  for (let row = 0; row < GRID; row += 1) {
    for (let column = 0; column < GRID; column += 1) {
      const size = { width: Math.min(side, width), height: Math.min(side, height) };
      rectangles.push({
        x: Math.round(((width - size.width) * (column + 0.5)) / GRID),
        y: Math.round(((height - size.height) * (row + 0.5)) / GRID),
        ...size,
      });
    }
  }
  return { level, rectangles };
}
