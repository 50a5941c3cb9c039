import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { crop, type RgbPixels } from '../src/services/images/pixels';

const TILES = join(__dirname, '../test/fixtures/images');
/** Side of the square taken from each tile, px. */
const CELL = 456;
/** Resolution of the file, px per mm: 0.5 µm per px. */
const PIXELS_PER_MILLIMETRE = 2000;

/**
 * Writes a TIFF of `side` x `side` px at 0.5 µm per px, laid out of the two bundled tiles of real tissue, each time turned another
 * way; the first one lies at the origin as it is. Returns the authors' positions of its lymphocytes, px.
 */
export async function writeMosaic(path: string, side: number): Promise<{ x: number; y: number }[]> {
  const sources = await Promise.all(['brca-val', 'brca-train'].map(readSquare));
  const out = new Uint8Array(side * side * 3);
  const across = Math.ceil(side / CELL);
  for (let cell = 0; cell < across * across; cell++) {
    const [left, top] = [(cell % across) * CELL, Math.floor(cell / across) * CELL];
    const { data } = sources[cell % 2]!;
    const turn = Math.floor(cell / 2) % 8;
    for (let y = 0; y < Math.min(CELL, side - top); y++)
      for (let x = 0; x < Math.min(CELL, side - left); x++) {
        const sx = (turn & 1) === 0 ? x : CELL - 1 - x;
        const sy = (turn & 2) === 0 ? y : CELL - 1 - y;
        const from = 3 * ((turn & 4) === 0 ? sy * CELL + sx : sx * CELL + sy);
        const to = 3 * ((top + y) * side + left + x);
        out[to] = data[from]!;
        out[to + 1] = data[from + 1]!;
        out[to + 2] = data[from + 2]!;
      }
  }
  await sharp(out, { raw: { width: side, height: side, channels: 3 } })
    .tiff({
      tile: true,
      tileWidth: 256,
      tileHeight: 256,
      compression: 'lzw',
      xres: PIXELS_PER_MILLIMETRE,
      yres: PIXELS_PER_MILLIMETRE,
    })
    .toFile(path);
  const { points } = JSON.parse(readFileSync(join(TILES, 'brca-val.points.json'), 'utf8')) as {
    points: { x: number; y: number; class: string }[];
  };
  return points.filter((point) => point.class === 'lymphocyte' && point.x < CELL && point.y < CELL);
}

async function readSquare(name: string): Promise<RgbPixels> {
  const { data, info } = await sharp(join(TILES, `${name}.png`))
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = { width: info.width, height: info.height, channels: 3 as const, data };
  return crop(pixels, { x: 0, y: 0, width: CELL, height: CELL });
}
