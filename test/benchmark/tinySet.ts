import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** A square nucleus of a synthetic image: 10 px wide, dark ("dark") or pale ("pale"), on a pink ground. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly class: 'dark' | 'pale';
}

export const SIDE = 10;
export const SIZE = 160;
const COLOURS = { dark: [60, 40, 110], pale: [150, 110, 180] } as const;

/** Seven dark and six pale squares on a grid. */
export const SQUARES: readonly Square[] = Array.from({ length: 13 }, (_, i) => ({
  x: 12 + (i % 4) * 36,
  y: 12 + Math.floor(i / 4) * 36,
  class: i % 2 === 0 ? 'dark' : 'pale',
}));

/** Writes a data set of one image in either layout. */
export async function writeTinySet(
  folder: string,
  layout: 'points' | 'labels',
  name = 'one',
  split = 'val',
): Promise<void> {
  mkdirSync(join(folder, 'images'), { recursive: true });
  mkdirSync(join(folder, layout), { recursive: true });
  const rgb = new Uint8Array(SIZE * SIZE * 3);
  for (let i = 0; i < rgb.length; i += 3) rgb.set([235, 200, 220], i);
  const labels = new Uint16Array(SIZE * SIZE);
  SQUARES.forEach((square, n) => {
    for (let y = square.y; y < square.y + SIDE; y++)
      for (let x = square.x; x < square.x + SIDE; x++) {
        rgb.set(COLOURS[square.class], (y * SIZE + x) * 3);
        labels[y * SIZE + x] = 300 + 2 * n; // more than 8 bit, with gaps
      }
  });
  const size = { width: SIZE, height: SIZE };
  await sharp(rgb, { raw: { ...size, channels: 3 } })
    .png()
    .toFile(join(folder, 'images', `${name}.png`));
  if (layout === 'points') {
    const points = SQUARES.map(({ x, y, class: kind }) => ({ x: x + 5, y: y + 5, class: kind }));
    writeFileSync(join(folder, 'points', `${name}.json`), JSON.stringify({ mpp: 0.5, split, points }));
    return;
  }
  await sharp(labels, { raw: { ...size, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toFile(join(folder, 'labels', `${name}.png`));
  const instances = Object.fromEntries(SQUARES.map(({ class: kind }, n) => [String(300 + 2 * n), kind]));
  writeFileSync(join(folder, 'labels', `${name}.json`), JSON.stringify({ mpp: 0.5, split, instances }));
}
