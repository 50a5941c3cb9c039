import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFormats, openImageFile } from '../../../src/services/images/imageFormats';
import type { ChannelSource, ImageSource } from '../../../src/services/images/imageSource';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { OmeZarr } from '../../../src/services/images/zarr/omeZarr';
import { omeZarrFormat } from '../../../src/services/images/zarr/omeZarrFormat';
import { fixturePicture } from '../../support/fixturePicture';
import { formatSuite } from './formatSuite';

// OME-Zarr images written by ome-zarr and zarr (test/fixtures/make/zarr_images.py), read through zarrita in its process.

const FIXTURES = join(__dirname, '../../fixtures/zarr');
const LIMITS = { imagePixels: 2 ** 24 };
const SIZE = { width: 192, height: 160 };
const omeZarr = new OmeZarr();
let picture: RgbPixels;
let folder: string;
beforeAll(async () => {
  picture = await fixturePicture(SIZE.width, SIZE.height);
  folder = mkdtempSync(join(tmpdir(), 'sampo-zarr-'));
});
afterAll(async () => {
  await omeZarr.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is dark in red, as grey: the first "stain" of the fixtures. */
function redStain(hole = false): Uint8Array {
  const data = new Uint8Array(picture.data.length);
  for (let pixel = 0; pixel < SIZE.width * SIZE.height; pixel += 1) {
    const isHole = hole && pixel % SIZE.width >= 128 && pixel >= 128 * SIZE.width;
    data.fill(isHole ? 0 : 255 - picture.data[3 * pixel]!, 3 * pixel, 3 * pixel + 3);
  }
  return data;
}
const zarr = (name: string, data: () => Uint8Array, tolerance = 0) => {
  let decoded: Uint8Array | undefined;
  return {
    write: (into: string) => {
      cpSync(join(FIXTURES, name), join(into, name), { recursive: true });
      return join(into, name);
    },
    levels: [1, 2],
    tolerance,
    pixelSizeMicrons: 0.5,
    // Decoded in `beforeAll`, after the suite has taken the truth.
    truth: {
      ...SIZE,
      channels: 3 as const,
      get data() {
        return (decoded ??= data());
      },
    },
  };
};

formatSuite(omeZarrFormat(omeZarr), {
  'NGFF 0.4, colours by name': zarr('colour-v04.zarr', () => picture.data),
  'NGFF 0.5, sharded, colours unnamed': zarr('colour-sharded.zarr', () => picture.data),
  'NGFF 0.5, two stains of 16 bit, five axes': zarr('stains-v05.zarr', () => redStain()),
  // 12 bit: 4080 of 4095 is 254 of 255.
  'NGFF 0.4, a camera of 12 bits, big-endian, no unit': zarr('camera-v04.zarr', () => redStain(true), 1),
  'NGFF 0.5, float': zarr('float-v05.zarr', () => redStain()),
  'bioformats2raw series': zarr('series.zarr', () => picture.data),
});

/** A fixture to be changed. */
function copied(name: string): string {
  const path = join(mkdtempSync(join(folder, 'copy-')), name);
  cpSync(join(FIXTURES, name), path, { recursive: true });
  return path;
}
const formats = imageFormats({ omeZarr });
const opened = (path: string): Promise<ImageSource> => openImageFile(path, LIMITS, formats);
const fixture = (name: string): Promise<ImageSource> => opened(join(FIXTURES, name));
/** Rewrites the JSON of a file of a copy. */
function edit(path: string, change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}
const whole = { x: 0, y: 0, ...SIZE };

test('stains keep their names, windows and values, and the plane that is used is told', async () => {
  const source = (await fixture('stains-v05.zarr')) as ChannelSource;
  expect(source).toMatchObject({
    kind: 'channels',
    format: 'OME-Zarr 0.5',
    bitsPerSample: 16,
    range: { low: 0, high: 65535 },
    channels: [
      { name: 'DAPI', window: { low: 1000, high: 40000 } },
      { name: 'Ki67', window: { low: 0, high: 65535 } },
    ],
    warnings: [{ name: 'OnlyFirstPlane', message: 'the first plane is used: t 0 of 2, z 0 of 3' }],
  });
  const { channels, data } = await source.readRegion(0, { x: 60, y: 60, width: 9, height: 7 }, [1, 0]);
  expect(channels).toBe(2);
  const at = (x: number, y: number, channel: number) =>
    (255 - picture.data[3 * ((60 + y) * SIZE.width + 60 + x) + channel]!) * 257;
  // Across the edge of a chunk at 64: the second stain first, as asked.
  expect([...data]).toEqual(
    Array.from({ length: 9 * 7 }, (_, pixel) => [
      at(pixel % 9, Math.floor(pixel / 9), 1),
      at(pixel % 9, Math.floor(pixel / 9), 0),
    ]).flat(),
  );
});

test('assumptions are told: unnamed colours, a scale without unit, 12 bits, chunks that are not stored, one series of two', async () => {
  const names = async (name: string) => {
    const { warnings, pixelSize } = await fixture(name);
    return [...warnings, ...pixelSize.warnings].map((warning) => warning.name);
  };
  expect(await names('colour-v04.zarr')).toEqual([]);
  expect(await names('colour-sharded.zarr')).toEqual(['ChannelsAssumed']);
  expect(await names('camera-v04.zarr')).toEqual(['ValuesScaled', 'ChunksNotStored', 'PixelSizeUncertain']);
  expect(await names('series.zarr')).toEqual(['OnlyFirstImage', 'ChannelsAssumed']);
});

test('three unnamed channels of a dark picture are stains; so are named ones of a bright one', async () => {
  const dark = copied('colour-sharded.zarr');
  rmSync(join(dark, 's0', 'c'), { recursive: true });
  rmSync(join(dark, 's1', 'c'), { recursive: true });
  expect(await opened(dark)).toMatchObject({ kind: 'channels' });
  const named = copied('colour-v04.zarr');
  edit(join(named, '.zattrs'), (json) => {
    const { channels } = json['omero'] as { channels: { label: string }[] };
    channels.forEach((channel, index) => (channel.label = ['DAPI', 'FITC', 'Cy5'][index]!));
  });
  const source = await opened(named);
  expect(source.kind).toBe('channels');
  expect(source.channels.map(({ name }) => name)).toEqual(['DAPI', 'FITC', 'Cy5']);
});

/** The largest file below a folder: a chunk or shard. */
function largestFile(path: string): string {
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
}

test.each(['colour-v04.zarr', 'colour-sharded.zarr', 'camera-v04.zarr', 'float-v05.zarr', 'series.zarr'])(
  'a chunk of %s that is cut short is an error with its place, never zeros',
  async (name) => {
    const path = copied(name);
    const chunk = largestFile(
      join(path, name === 'series.zarr' ? '0/s0' : name === 'camera-v04.zarr' ? '0' : 's0'),
    );
    truncateSync(chunk, Math.floor(statSync(chunk).size / 2));
    const read = async () => {
      const source = await opened(path);
      await (source.kind === 'rgb' ? source.readRegion(0, whole) : source.readRegion(0, whole, [0]));
    };
    await expect(read()).rejects.toMatchObject({
      errorName: 'ImageUnreadable',
      message: expect.stringMatching(/chunk \d+(\/\d+)* of array \S+ cannot be read: /) as string,
    });
  },
);

test('an uncompressed chunk that is cut short is an error too', async () => {
  const path = copied('camera-v04.zarr');
  for (const level of ['0', '1']) {
    edit(join(path, level, '.zarray'), (json) => (json['compressor'] = null));
    for (const chunk of readdirSync(join(path, level)).filter((name) => /^\d\.\d$/.test(name)))
      writeFileSync(join(path, level, chunk), Buffer.alloc(64 * 64 * 2 - (chunk === '0.0' ? 100 : 0)));
  }
  await expect(opened(path)).rejects.toMatchObject({
    errorName: 'ImageUnreadable',
    message: expect.stringMatching(/chunk 0\/0 of array \d/) as string,
  });
});

test('what holds no image is refused by name', async () => {
  const outcome = async (name: string, files: Record<string, object>) => {
    const path = join(folder, name);
    for (const [file, json] of Object.entries(files)) {
      mkdirSync(join(path, file, '..'), { recursive: true });
      writeFileSync(join(path, file), JSON.stringify(json));
    }
    return opened(path).then(
      () => 'opened',
      (error: Error & { errorName: string }) => `${error.errorName}: ${error.message}`,
    );
  };
  const group = { zarr_format: 2 };
  expect(await outcome('plate', { '.zgroup': group, '.zattrs': { plate: { wells: [] } } })).toMatch(
    /^UnsupportedImage: .*plate or well/,
  );
  expect(await outcome('bare', { '.zgroup': group })).toMatch(/^UnsupportedImage: .*no "multiscales"/);
  const { shape, ...array } = JSON.parse(
    readFileSync(join(FIXTURES, 'camera-v04.zarr/0/.zarray'), 'utf8'),
  ) as Record<string, unknown>;
  expect(await outcome('array', { '.zarray': { ...array, shape }, '.zattrs': {} })).toMatch(
    /^UnsupportedImage: .*an array, not an OME-Zarr/,
  );
  const attributes = JSON.parse(readFileSync(join(FIXTURES, 'camera-v04.zarr/.zattrs'), 'utf8')) as object;
  const withArray = (changes: object) => ({
    '.zgroup': group,
    '.zattrs': attributes,
    '0/.zarray': { ...array, shape, ...changes },
    '1/.zarray': { ...array, shape, ...changes },
  });
  expect(await outcome('complex', withArray({ dtype: '<i8' }))).toMatch(/^UnsupportedImage: .*int64/);
  expect(
    await outcome('codec', { ...withArray({ compressor: { id: 'lzma' } }), '0/0.0': {}, '1/0.0': {} }),
  ).toMatch(/^UnsupportedImage: .*lzma/);
  expect(await outcome('flat', withArray({ shape: [10], chunks: [10] }))).toMatch(
    /^ImageUnreadable: .*1 dimensions, the axes are y, x/,
  );
  expect(
    await outcome('broken', { '.zgroup': group, '.zattrs': { multiscales: [{ datasets: [] }] } }),
  ).toMatch(/^ImageUnreadable: .*no datasets/);
});

test('a link out of the folder is not followed', async () => {
  const path = copied('camera-v04.zarr');
  const outside = join(folder, 'outside');
  cpSync(join(path, '0', '0.0'), outside);
  rmSync(join(path, '0', '0.0'));
  symlinkSync(outside, join(path, '0', '0.0'));
  const source = (await opened(path).catch((error: unknown) => error)) as ChannelSource | Error;
  const read = source instanceof Error ? Promise.reject(source) : source.readRegion(0, whole, [0]);
  await expect(read).rejects.toMatchObject({
    errorName: 'ImageUnreadable',
    message: expect.stringContaining('a link out of the folder') as string,
  });
});

test('without a reader an OME-Zarr is refused by name', async () => {
  await expect(
    openImageFile(join(FIXTURES, 'colour-v04.zarr'), LIMITS, imageFormats({})),
  ).rejects.toMatchObject({
    errorName: 'UnsupportedImage',
    message: expect.stringContaining('OME-Zarr') as string,
  });
});
