import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { ImageRegistry, type OpenImage } from '../../../src/services/images/images';
import type { EncodedPixels } from '../../../src/services/images/viewerImage';
import { tiffBytes, type TiffPage } from '../../support/tiffWriter';

const WIDTH = 300;
const HEIGHT = 200;
/** Smooth enough that JPEG and averages stay close, different in every channel and corner. */
const value = (x: number, y: number, channel: number) =>
  Math.round(
    channel === 0 ? (255 * x) / WIDTH : channel === 1 ? (255 * y) / HEIGHT : 128 + 60 * Math.sin(x / 40),
  );
const SAMPLES = Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) =>
  value(Math.floor(at / 3) % WIDTH, Math.floor(at / 3 / WIDTH), at % 3),
);
const raw = () => sharp(Uint8Array.from(SAMPLES), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

let folder: string;
let images: ImageRegistry;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo images-'));
  images = new ImageRegistry({ roots: [folder] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
const open = (uri: string): Promise<OpenImage> => images.open('session', { uri, source: 'file' });

/** Half the size by 2 × 2 means. */
function halved(page: TiffPage): TiffPage {
  const { width, height, samples, data = [] } = page;
  const small = { width: Math.floor(width / 2), height: Math.floor(height / 2) };
  const mean = Array.from({ length: small.width * small.height * samples }, (_, at) => {
    const channel = at % samples;
    const x = 2 * (Math.floor(at / samples) % small.width);
    const y = 2 * Math.floor(at / samples / small.width);
    const from = (dx: number, dy: number) => data[((y + dy) * width + x + dx) * samples + channel] ?? 0;
    return Math.round((from(0, 0) + from(1, 0) + from(0, 1) + from(1, 1)) / 4);
  });
  return { ...page, ...small, data: mean };
}
const FULL: TiffPage = { width: WIDTH, height: HEIGHT, samples: 3, bits: 8, data: SAMPLES, tileSize: 64 };
const HALF = halved(FULL);
const QUARTER = halved(HALF);
const ome = (attributes: string) =>
  `<?xml version="1.0"?><OME><Image><Pixels ID="p" SizeC="3" SizeZ="1" SizeT="1" ${attributes}/></Image></OME>`;

/** Largest difference to the analytic image over a region read at `downsample`. */
async function worst(
  imageId: string,
  x: number,
  y: number,
  size: number,
  downsample: number,
): Promise<number> {
  const region = await images.readRegion(imageId, { x, y, width: size, height: size, downsample });
  let difference = 0;
  for (let row = 0; row < region.height; row += 1) {
    for (let column = 0; column < region.width; column += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        const expected = value(
          x + (column + 0.5) * downsample - 0.5,
          y + (row + 0.5) * downsample - 0.5,
          channel,
        );
        const actual = region.data[(row * region.width + column) * 3 + channel] ?? NaN;
        difference = Math.max(difference, Math.abs(actual - expected));
      }
    }
  }
  return difference;
}

interface Format {
  readonly bytes: () => Promise<Uint8Array> | Uint8Array;
  readonly levels: readonly number[];
  readonly tolerance: number;
}
const FORMATS: Record<string, Format> = {
  'plain.png': { bytes: () => raw().png().toBuffer(), levels: [1], tolerance: 1 },
  'plain.jpg': { bytes: () => raw().jpeg({ quality: 95 }).toBuffer(), levels: [1], tolerance: 6 },
  'strips.tif': { bytes: () => raw().tiff({ compression: 'lzw' }).toBuffer(), levels: [1], tolerance: 1 },
  'deflate.tif': {
    bytes: () => raw().tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer(),
    levels: [1],
    tolerance: 1,
  },
  'pyramid.tif': {
    bytes: () =>
      raw()
        .tiff({ tile: true, tileWidth: 64, tileHeight: 64, pyramid: true, compression: 'jpeg', quality: 95 })
        .toBuffer(),
    levels: [1, 2, 4, 8],
    tolerance: 6,
  },
  'subifds.ome.tif': {
    bytes: () => tiffBytes([{ ...FULL, description: ome(''), reduced: [HALF, QUARTER] }]),
    levels: [1, 2, 4],
    tolerance: 2,
  },
  'big-endian.tif': {
    bytes: () => tiffBytes([FULL, HALF], { bigEndian: true }),
    levels: [1, 2],
    tolerance: 2,
  },
  'bigtiff.tif': { bytes: () => tiffBytes([FULL, HALF], { big: true }), levels: [1, 2], tolerance: 2 },
};

describe.each(Object.entries(FORMATS))('%s', (name, { bytes, levels, tolerance }) => {
  let image: OpenImage;
  beforeAll(async () => {
    image = await open(put(name, await bytes()));
  });

  test('says its size and levels', () => {
    expect(image).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3, bitsPerSample: 8 });
    expect(image.levels.map(({ downsample }) => Math.round(downsample))).toEqual(levels);
  });

  test.each([
    ['at full resolution', 37, 51, 90, 1],
    ['in the last corner', 210, 110, 90, 1],
    ['at a level', 32, 64, 128, 2],
    ['at a level, off its grid', 33, 61, 130, 2],
    ['between levels', 30, 30, 120, 3],
    ['finer than stored', 40, 40, 60, 0.5],
  ] as const)('reads a region %s', async (_, x, y, size, downsample) => {
    const region = await images.readRegion(image.imageId, { x, y, width: size, height: size, downsample });
    expect(region).toMatchObject({
      width: Math.round(size / downsample),
      height: Math.round(size / downsample),
    });
    expect(region.data).toHaveLength(region.width * region.height * 3);
    expect(await worst(image.imageId, x, y, size, downsample)).toBeLessThanOrEqual(tolerance);
  });

  test('lossless or not, the whole is what its parts are', async () => {
    const all = await images.readRegion(image.imageId, {
      x: 0,
      y: 0,
      width: WIDTH,
      height: HEIGHT,
      downsample: 1,
    });
    const part = await images.readRegion(image.imageId, { x: 65, y: 70, width: 4, height: 1, downsample: 1 });
    const at = (70 * WIDTH + 65) * 3;
    expect(part.data).toEqual(all.data.slice(at, at + 12));
  });
});

test('an SVS-like file: JPEG tiles, the thumbnail, label and macro left out, MPP from the description', async () => {
  const jpegTiles = async (page: TiffPage): Promise<TiffPage> => {
    const { width, height, data = [] } = page;
    const blocks: Uint8Array[] = [];
    const padded = sharp(Uint8Array.from(data), { raw: { width, height, channels: 3 } }).extend({
      right: (64 - (width % 64)) % 64,
      bottom: (64 - (height % 64)) % 64,
      extendWith: 'copy',
    });
    const { data: full, info } = await padded.raw().toBuffer({ resolveWithObject: true });
    for (let top = 0; top < info.height; top += 64) {
      for (let left = 0; left < info.width; left += 64) {
        blocks.push(
          await sharp(full, { raw: { width: info.width, height: info.height, channels: 3 } })
            .extract({ left, top, width: 64, height: 64 })
            .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
            .toBuffer(),
        );
      }
    }
    return { ...page, blocks, compression: 7 };
  };
  const strip = (width: number, height: number, description: string): TiffPage => ({
    width,
    height,
    samples: 3,
    bits: 8,
    data: Array<number>(width * height * 3).fill(9),
    description,
  });
  const description =
    'Aperio Image Library v11.0.37\r\n300x200 (64x64) JPEG/RGB Q=70|AppMag = 20|MPP = 0.4952|Left = 25.6';
  const pages = [
    { ...(await jpegTiles(FULL)), description },
    strip(75, 50, 'Aperio Image Library\r\n300x200 -> 75x50'),
    await jpegTiles(QUARTER),
    strip(60, 40, 'Aperio Image Library\r\nlabel 60x40'),
    strip(90, 30, 'Aperio Image Library\r\nmacro 90x30'),
  ];
  const image = await open(put('slide.svs', tiffBytes(pages)));
  expect(image).toMatchObject({ pixelSizeMicrons: 0.4952, pixelSizeSource: 'file', warnings: [] });
  expect(image.levels).toEqual([
    { width: 300, height: 200, downsample: 1 },
    { width: 75, height: 50, downsample: 4 },
  ]);
  expect(await worst(image.imageId, 64, 32, 128, 1)).toBeLessThanOrEqual(6);
  expect(await worst(image.imageId, 64, 32, 128, 4)).toBeLessThanOrEqual(8);
});

describe('16 bit, grey and alpha', () => {
  const small = (samples: 1 | 2 | 3 | 4, bits: 8 | 16, data: number[], description?: string): TiffPage => ({
    width: 2,
    height: 1,
    samples,
    bits,
    data,
    ...(description === undefined ? {} : { description }),
  });
  test.each<[string, TiffPage, number[]]>([
    ['grey 8', small(1, 8, [7, 250]), [7, 7, 7, 250, 250, 250]],
    ['grey 16', small(1, 16, [257 * 7, 65535]), [7, 7, 7, 255, 255, 255]],
    ['RGB 16', small(3, 16, [0, 257, 514, 65535, 2570, 2571]), [0, 1, 2, 255, 10, 10]],
    [
      'RGB 16 of 12 significant bits',
      small(3, 16, [0, 4095, 2048, 819, 0, 0], ome('SignificantBits="12"')),
      [0, 255, 128, 51, 0, 0],
    ],
    ['RGBA 8 over white', small(4, 8, [10, 20, 30, 255, 10, 20, 30, 0]), [10, 20, 30, 255, 255, 255]],
    ['RGBA 16 over white', small(4, 16, [0, 0, 0, 65535, 0, 0, 0, 0]), [0, 0, 0, 255, 255, 255]],
    ['grey and alpha 8 over white', small(2, 8, [100, 255, 100, 0]), [100, 100, 100, 255, 255, 255]],
  ])('%s', async (name, page, expected) => {
    const image = await open(put(`${name}.tif`, tiffBytes([page])));
    expect(image).toMatchObject({ channels: page.samples, bitsPerSample: page.bits });
    const { data } = await images.readRegion(image.imageId, {
      x: 0,
      y: 0,
      width: 2,
      height: 1,
      downsample: 1,
    });
    expect([...data]).toEqual(expected);
  });

  test('16-bit PNG', async () => {
    const bytes = await sharp(Uint16Array.of(0, 257 * 3, 65535), {
      raw: { width: 1, height: 1, channels: 3 },
    })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const image = await open(put('deep.png', bytes));
    expect(image.bitsPerSample).toBe(16);
    const { data } = await images.readRegion(image.imageId, {
      x: 0,
      y: 0,
      width: 1,
      height: 1,
      downsample: 1,
    });
    expect([...data]).toEqual([0, 3, 255]);
  });
});

describe('pixel size', () => {
  const dot = (page: Partial<TiffPage>): Buffer =>
    tiffBytes([{ width: 1, height: 1, samples: 3, bits: 8, data: [1, 2, 3], ...page }]);
  const micronsOf = async (bytes: Uint8Array) => {
    const { pixelSizeMicrons, warnings } = await open(put('size.bin', bytes));
    return { microns: pixelSizeMicrons, warnings: warnings.map(({ name }) => name) };
  };
  test.each<[string, Partial<TiffPage>, number | null]>([
    ['per cm', { resolution: { x: 20_000, y: 20_000, unit: 3 } }, 0.5],
    ['per inch', { resolution: { x: 50_800, y: 50_800, unit: 2 } }, 0.5],
    ['72 dpi is a screen', { resolution: { x: 72, y: 72, unit: 2 } }, null],
    ['no unit', { resolution: { x: 4, y: 4, unit: 1 } }, null],
    ['nothing', {}, null],
    ['ImageJ', { description: 'ImageJ=1.53t\nunit=micron\n', resolution: { x: 4, y: 4, unit: 1 } }, 0.25],
    [
      'ImageJ, escaped unit',
      { description: 'ImageJ=1.53t\nunit=\\u00B5m\n', resolution: { x: 4, y: 4, unit: 1 } },
      0.25,
    ],
    ['OME', { description: ome('PhysicalSizeX="0.25" PhysicalSizeY="0.25"') }, 0.25],
    ['OME in nm', { description: ome('PhysicalSizeX="250" PhysicalSizeXUnit="nm"') }, 0.25],
    ['OME in µm', { description: ome('PhysicalSizeX="0.3" PhysicalSizeXUnit="µm"') }, 0.3],
    [
      'OME before resolution',
      { description: ome('PhysicalSizeX="0.25"'), resolution: { x: 20_000, y: 20_000, unit: 3 } },
      0.25,
    ],
    ['Aperio', { description: 'Aperio Leica Biosystems GT450\r\n1x1|AppMag = 40|MPP = 0.263592' }, 0.263592],
    ['an absurd OME size', { description: ome('PhysicalSizeX="1000"') }, null],
  ])('TIFF, %s', async (_, page, microns) => {
    expect(await micronsOf(dot(page))).toEqual({
      microns,
      warnings: microns === null ? ['PixelSizeUnknown'] : [],
    });
  });

  test('pixels that are not square are told', async () => {
    const page = { resolution: { x: 20_000, y: 10_000, unit: 3 } } as const;
    expect(await micronsOf(dot(page))).toEqual({ microns: 0.5, warnings: ['PixelSizeUncertain'] });
  });

  test("PNG and JPEG by their density, when it is a microscope's", async () => {
    expect(await micronsOf(await raw().withMetadata({ density: 50_800 }).png().toBuffer())).toEqual({
      microns: 0.5,
      warnings: [],
    });
    expect(await micronsOf(await raw().withMetadata({ density: 50_800 }).jpeg().toBuffer())).toEqual({
      microns: 0.5,
      warnings: [],
    });
    expect((await micronsOf(await raw().withMetadata({ density: 300 }).png().toBuffer())).microns).toBeNull();
  });

  test('what the client says goes before what the file says, without a warning', async () => {
    const path = put('size.bin', dot({}));
    const image = await images.open('session', { uri: path, source: 'file', pixelSizeMicrons: 0.4 });
    expect(image).toMatchObject({ pixelSizeMicrons: 0.4, pixelSizeSource: 'client', warnings: [] });
  });
});

test('pages that are no pyramid and planes are told', async () => {
  const page: TiffPage = { width: 4, height: 4, samples: 1, bits: 8, data: Array<number>(16).fill(1) };
  const stack = await open(put('stack.tif', tiffBytes([page, page, page])));
  expect(stack.warnings.map(({ name }) => name)).toContain('OnlyFirstPage');
  const description = '<Pixels SizeC="1" SizeZ="5" SizeT="2"/>';
  const planes = await open(put('planes.tif', tiffBytes([{ ...page, description }])));
  expect(planes.warnings.map(({ name }) => name)).toContain('OnlyFirstPlane');
});

describe('paths', () => {
  test('a path, a file URI with escapes, and a link inside the roots open the same image', async () => {
    await mkdir(join(folder, 'a b'), { recursive: true });
    const path = put('a b/ä tile.png', await raw().png().toBuffer());
    symlinkSync(path, join(folder, 'link.png'));
    const { href } = pathToFileURL(path);
    expect(href).toContain('%20');
    const keys = await Promise.all(
      [path, href, join(folder, 'link.png')].map(async (uri) => (await open(uri)).key),
    );
    expect(new Set(keys).size).toBe(1);
  });

  test('a changed file has another key', async () => {
    const path = put('changing.png', await raw().png().toBuffer());
    const { key } = await open(path);
    writeFileSync(path, await raw().negate().png().toBuffer());
    expect((await open(path)).key).not.toBe(key);
  });
});

describe('source client', () => {
  const encode = {
    raw: async (data: Uint8Array) => data,
    png: (data: Uint8Array) =>
      sharp(data, { raw: { width: 50, height: 25, channels: 3 } })
        .png()
        .toBuffer(),
    jpeg: (data: Uint8Array) =>
      sharp(data, { raw: { width: 50, height: 25, channels: 3 } })
        .jpeg({ quality: 100 })
        .toBuffer(),
  };
  test.each(['raw', 'png', 'jpeg'] as const)('asks the viewer and takes %s', async (encoding) => {
    const pixels = new Uint8Array(50 * 25 * 3).fill(120);
    const asked: unknown[] = [];
    const reader = async (request: unknown): Promise<EncodedPixels> => {
      asked.push(request);
      return { encoding, width: 50, height: 25, channels: 3, data: await encode[encoding](pixels) };
    };
    const image = await images.open(
      'session',
      { uri: 'slide 7', source: 'client', width: 1000, height: 500 },
      reader,
    );
    const region = { x: 100, y: 50, width: 200, height: 100, downsample: 4 };
    const answer = await images.readRegion(image.imageId, region);
    expect(asked).toEqual([{ imageId: image.imageId, uri: 'slide 7', ...region }]);
    expect(answer).toMatchObject({ width: 50, height: 25, channels: 3 });
    expect(Math.max(...answer.data.map((sample) => Math.abs(sample - 120)))).toBeLessThanOrEqual(
      encoding === 'jpeg' ? 1 : 0,
    );
  });

  test('grey raw pixels become RGB', async () => {
    const reader = async (): Promise<EncodedPixels> => ({
      encoding: 'raw',
      width: 2,
      height: 1,
      channels: 1,
      data: Uint8Array.of(5, 6),
    });
    const image = await images.open(
      'session',
      { uri: 'grey', source: 'client', width: 2, height: 1 },
      reader,
    );
    const { data } = await images.readRegion(image.imageId, {
      x: 0,
      y: 0,
      width: 2,
      height: 1,
      downsample: 1,
    });
    expect([...data]).toEqual([5, 5, 5, 6, 6, 6]);
  });
});

test('images belong to their session and go with it', async () => {
  const path = put('own.png', await raw().png().toBuffer());
  const registry = new ImageRegistry({ roots: [folder] });
  const mine = await registry.open('mine', { uri: path, source: 'file' });
  const yours = await registry.open('yours', { uri: path, source: 'file' });
  expect(() => registry.close('mine', yours.imageId)).toThrow('no open image');
  expect(registry.list('mine')).toEqual([mine]);
  expect(registry.closeSession('mine')).toEqual([mine.imageId]);
  expect(registry.list()).toEqual([yours]);
  registry.close('yours', yours.imageId);
  expect(() => registry.get(yours.imageId)).toThrow('no open image');
});

test('the bundled tiles: 72 dpi is no pixel size, the demo says its own', async () => {
  const root = join(__dirname, '../../..');
  const registry = new ImageRegistry({ roots: [root] });
  const tile = await registry.open('s', {
    uri: join(root, 'test/fixtures/images/brca-val.png'),
    source: 'file',
  });
  expect(tile).toMatchObject({
    width: 491,
    height: 491,
    channels: 3,
    bitsPerSample: 8,
    pixelSizeMicrons: null,
  });
  const demo = await registry.open('s', { uri: join(root, 'models/demo/breast.png'), source: 'file' });
  expect(demo).toMatchObject({
    width: 465,
    height: 465,
    pixelSizeMicrons: 0.5,
    pixelSizeSource: 'file',
    warnings: [],
  });
});
