import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { IMAGE_FORMATS } from '../../../src/services/images/imageFormats';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { jpegFormat, pngFormat } from '../../../src/services/images/plainFormat';
import { tiffFormat } from '../../../src/services/images/tiffFormat';
import { formatSuite, type FormatFile } from './formatSuite';

const WIDTH = 300;
const HEIGHT = 200;
/** Smooth enough for JPEG, different in every channel and corner. */
const TRUTH: RgbPixels = {
  width: WIDTH,
  height: HEIGHT,
  channels: 3,
  data: Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % WIDTH, Math.floor(at / 3 / WIDTH)];
    return Math.round([(255 * x) / WIDTH, (255 * y) / HEIGHT, 128 + 60 * Math.sin(x / 40)][at % 3]!);
  }),
};
const raw = (): sharp.Sharp => sharp(TRUTH.data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

const file = (
  name: string,
  bytes: () => Promise<Uint8Array>,
  { tolerance = 0, levels = [1], pixelSizeMicrons = null }: Partial<FormatFile> = {},
): FormatFile => ({
  truth: TRUTH,
  tolerance,
  levels,
  pixelSizeMicrons,
  write: async (folder) => {
    const path = join(folder, name);
    writeFileSync(path, await bytes());
    return path;
  },
});
const dense = (): sharp.Sharp => raw().withMetadata({ density: 50_800 });

formatSuite(pngFormat, {
  plain: file('plain.png', () => raw().png().toBuffer()),
  'interlaced, with its density': file('x.png', () => dense().png({ progressive: true }).toBuffer(), {
    pixelSizeMicrons: 0.5,
  }),
});
formatSuite(jpegFormat, {
  plain: file('plain.jpg', () => raw().jpeg({ quality: 95 }).toBuffer(), { tolerance: 6 }),
  progressive: file('x.jpg', () => dense().jpeg({ quality: 95, progressive: true }).toBuffer(), {
    tolerance: 6,
    pixelSizeMicrons: 0.5,
  }),
});
formatSuite(tiffFormat, {
  'LZW in strips': file('lzw.tif', () => dense().tiff({ compression: 'lzw' }).toBuffer(), {
    pixelSizeMicrons: 0.5,
  }),
  'pyramid of JPEG tiles': file(
    'pyramid.tif',
    () =>
      dense()
        .tiff({ tile: true, tileWidth: 64, tileHeight: 64, pyramid: true, compression: 'jpeg', quality: 95 })
        .toBuffer(),
    { tolerance: 6, levels: [1, 2, 4, 8], pixelSizeMicrons: 0.5 },
  ),
});

test('every format has its place in the table, and none stands there twice', () => {
  const names = IMAGE_FORMATS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(IMAGE_FORMATS).toEqual(expect.arrayContaining([pngFormat, jpegFormat, tiffFormat]));
});
