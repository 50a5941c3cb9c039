import { join } from 'node:path';
import sharp from 'sharp';
import type { RgbPixels } from '../../src/services/images/pixels';

/** A rectangle of `test/fixtures/images/brca-train.png`, from which the fixtures of other formats are made. */
export async function fixturePicture(width: number, height: number): Promise<RgbPixels> {
  const data = await sharp(join(__dirname, '../fixtures/images/brca-train.png'))
    .extract({ left: 0, top: 0, width, height })
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, channels: 3, data: new Uint8Array(data) };
}

/** A copy of `pixels`, enlarged by white to the right and below, in which a rectangle is white. */
export function withWhite(
  pixels: RgbPixels,
  size: { readonly width: number; readonly height: number },
  hole: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): RgbPixels {
  const data = new Uint8Array(3 * size.width * size.height).fill(255);
  for (let y = 0; y < pixels.height; y += 1) {
    const row = pixels.data.subarray(3 * y * pixels.width, 3 * (y + 1) * pixels.width);
    data.set(row, 3 * y * size.width);
    if (y < hole.y || y >= hole.y + hole.height) continue;
    data.fill(255, 3 * (y * size.width + hole.x), 3 * (y * size.width + hole.x + hole.width));
  }
  return { ...size, channels: 3, data };
}
