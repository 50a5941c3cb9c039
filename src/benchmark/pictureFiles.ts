import sharp from 'sharp';
import type { RgbImage } from '../segmentation/preprocess';

/** Writes an RGB picture as PNG. */
export async function writePng(path: string, { width, height, data }: RgbImage): Promise<void> {
  await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
}

/** The image after JPEG compression of the given quality, 1..100. */
export async function throughJpeg({ width, height, data }: RgbImage, quality: number): Promise<RgbImage> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  const back = await sharp(jpeg).raw().toBuffer();
  return { width, height, data: new Uint8Array(back) };
}
