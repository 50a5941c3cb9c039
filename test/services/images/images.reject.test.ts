import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { BridgeError, isBridgeError } from '../../../src/errors';
import { ImageRegistry } from '../../../src/services/images/images';
import type { EncodedPixels } from '../../../src/services/images/viewerImage';
import { tiffBytes, type TiffPage } from '../../support/tiffWriter';

let folder: string;
let images: ImageRegistry;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-reject-'));
  mkdirSync(join(folder, 'inside'));
  mkdirSync(join(folder, 'outside'));
  images = new ImageRegistry({ roots: [join(folder, 'inside')], imagePixels: 10_000, regionPixels: 50_000 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, 'inside', name);
  writeFileSync(path, bytes);
  return path;
}
/** Opens and reads everything; the error's name, or what came. */
async function outcome(uri: string): Promise<string> {
  try {
    const { imageId, width, height } = await images.open('session', { uri, source: 'file' });
    await images.readRegion(imageId, { x: 0, y: 0, width, height, downsample: 1 });
    return 'read';
  } catch (error) {
    if (isBridgeError(error)) return error.errorName;
    throw error;
  }
}
const noise = (width: number, height: number, channels: 3 | 4 = 3) => {
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, at) => (at * 7919 + (at >> 3) * 31) % 256,
  );
  return sharp(data, { raw: { width, height, channels } });
};
const half = (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2));
const PAGE: TiffPage = {
  width: 64,
  height: 64,
  samples: 3,
  bits: 8,
  data: Array.from({ length: 64 * 64 * 3 }, (_, at) => at % 256),
  tileSize: 32,
};

/** A PNG whose header says another size than its data has, with a correct checksum. */
function lyingPng(bytes: Buffer, width: number, height: number): Buffer {
  const lie = Buffer.from(bytes);
  lie.writeUInt32BE(width, 16);
  lie.writeUInt32BE(height, 20);
  lie.writeUInt32BE(crc32(lie.subarray(12, 29)), 29);
  return lie;
}
/** A TIFF with the 4-byte value of one tag overwritten. */
function lyingTiff(page: TiffPage, tag: number, value: number): Buffer {
  const bytes = tiffBytes([page]);
  const directory = bytes.readUInt32LE(4);
  for (let index = 0; index < bytes.readUInt16LE(directory); index += 1) {
    const at = directory + 2 + index * 12;
    if (bytes.readUInt16LE(at) === tag) {
      bytes.writeUInt16LE(4, at + 2);
      bytes.writeUInt32LE(1, at + 4);
      bytes.writeUInt32LE(value, at + 8);
    }
  }
  return bytes;
}
/** Makes the last directory of a TIFF point to `offset`. */
function linkedTo(bytes: Buffer, offset: number): Buffer {
  const directory = bytes.readUInt32LE(4);
  bytes.writeUInt32LE(offset, directory + 2 + bytes.readUInt16LE(directory) * 12);
  return bytes;
}

describe('files', () => {
  const CASES: [string, string, () => Promise<Uint8Array> | Uint8Array][] = [
    ['an empty file', 'UnsupportedImage', () => new Uint8Array()],
    ['text named .png', 'UnsupportedImage', () => Buffer.from('hello, this is no image')],
    [
      'an SVG named .png',
      'UnsupportedImage',
      () =>
        Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>',
        ),
    ],
    ['a GIF', 'UnsupportedImage', () => noise(8, 8).gif().toBuffer()],
    ['a WebP', 'UnsupportedImage', () => noise(8, 8).webp().toBuffer()],
    ['the PNG signature alone', 'ImageUnreadable', () => Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ['half a PNG', 'ImageUnreadable', async () => half(await noise(90, 90).png().toBuffer())],
    ['half a JPEG', 'ImageUnreadable', async () => half(await noise(90, 90).jpeg().toBuffer())],
    ['half a TIFF', 'ImageUnreadable', () => half(tiffBytes([PAGE]))],
    [
      'a TIFF with noise for JPEG tiles',
      'ImageUnreadable',
      () => tiffBytes([{ ...PAGE, compression: 7, blocks: Array<Buffer>(4).fill(Buffer.alloc(900, 0xa5)) }]),
    ],
    [
      'a PNG that says it is larger',
      'ImageUnreadable',
      async () => lyingPng(await noise(9, 9).png().toBuffer(), 99, 99),
    ],
    [
      'a PNG bomb: 50,000 x 50,000 in its header',
      'ImageTooLarge',
      async () => lyingPng(await noise(9, 9).png().toBuffer(), 50_000, 50_000),
    ],
    ['a real image above the limit', 'ImageTooLarge', () => noise(101, 100).png().toBuffer()],
    ['a JPEG above the limit', 'ImageTooLarge', () => noise(101, 100).jpeg().toBuffer()],
    ['a TIFF in strips above the limit', 'ImageTooLarge', () => noise(101, 100).tiff().toBuffer()],
    [
      'a TIFF bomb: one tile of 60,000 x 60,000',
      'ImageTooLarge',
      () =>
        tiffBytes([{ ...PAGE, width: 60_000, height: 60_000, tileSize: 60_000, blocks: [Buffer.alloc(64)] }]),
    ],
    ['a TIFF that says it is wider', 'ImageUnreadable', () => lyingTiff(PAGE, 256, 200)],
    ['a TIFF without a size', 'ImageUnreadable', () => lyingTiff(PAGE, 257, 0)],
    ['a TIFF whose directories run in a loop', 'ImageUnreadable', () => linkedTo(tiffBytes([PAGE]), 8 + 0)],
    [
      'a TIFF whose directory follows itself',
      'ImageUnreadable',
      () => {
        const bytes = tiffBytes([PAGE]);
        return linkedTo(bytes, bytes.readUInt32LE(4));
      },
    ],
    [
      'a TIFF whose directory lies outside',
      'ImageUnreadable',
      () => linkedTo(tiffBytes([PAGE]), 0x7fff_fff0),
    ],
    ['a TIFF that is its header alone', 'ImageUnreadable', () => tiffBytes([])],
    ['JPEG 2000 in TIFF', 'UnsupportedImage', () => tiffBytes([{ ...PAGE, compression: 33005 }])],
    [
      'channels in separate planes',
      'UnsupportedImage',
      () =>
        tiffBytes([
          {
            ...PAGE,
            samples: 1,
            data: Array<number>(4096).fill(1),
            description: '<Pixels SizeC="4" SizeZ="1"/>',
          },
        ]),
    ],
    [
      'floating-point samples',
      'UnsupportedImage',
      () => lyingTiff({ ...PAGE, samples: 1, bits: 16 }, 258, 32),
    ],
  ];
  test.each(CASES)('%s: %s', async (name, errorName, bytes) => {
    expect(await outcome(put(`${name.replaceAll(/[^a-z0-9]/gi, '-')}.png`, await bytes()))).toBe(errorName);
  });

  test('damage anywhere in a TIFF or a PNG is a typed error or a read, never anything else', async () => {
    const originals = [
      tiffBytes([PAGE]),
      await noise(40, 40).png().toBuffer(),
      await noise(40, 40).jpeg().toBuffer(),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.double({ min: 0.2, max: 1, noNaN: true }),
        async (original, changes, keep) => {
          const bytes = Buffer.from(original);
          // Most faults worth finding are in the first and last hundred bytes, where headers and tags are.
          for (const [where, value] of changes) {
            const spread = where < 0.5 ? where * 200 : bytes.length - 200 * (1 - where) - 1;
            bytes[Math.max(0, Math.min(bytes.length - 1, Math.floor(spread)))] = value;
          }
          const path = put('damaged.bin', bytes.subarray(0, Math.ceil(keep * bytes.length)));
          expect(['read', 'ImageUnreadable', 'UnsupportedImage', 'ImageTooLarge', 'LimitExceeded']).toContain(
            await outcome(path),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a file that shrinks while it is open', async () => {
    const path = put('shrinking.tif', tiffBytes([PAGE]));
    const { imageId } = await images.open('session', { uri: path, source: 'file' });
    truncateSync(path, 500);
    await expect(
      images.readRegion(imageId, { x: 0, y: 0, width: 64, height: 64, downsample: 1 }),
    ).rejects.toMatchObject({ errorName: 'ImageChanged' });
  });
});

describe('paths', () => {
  let secret: string;
  beforeAll(async () => {
    secret = join(folder, 'outside', 'secret.png');
    writeFileSync(secret, await noise(8, 8).png().toBuffer());
    symlinkSync(secret, join(folder, 'inside', 'link-to-file.png'));
    symlinkSync(join(folder, 'outside'), join(folder, 'inside', 'link-to-folder'));
    mkdirSync(join(folder, 'inside-sibling'));
    writeFileSync(join(folder, 'inside-sibling', 'image.png'), await noise(8, 8).png().toBuffer());
  });
  const inside = (...parts: string[]) => join(folder, 'inside', ...parts);
  const CASES: [string, string, () => string][] = [
    ['a path outside the roots', 'PathNotAllowed', () => secret],
    ['the way up', 'PathNotAllowed', () => `${inside()}/../outside/secret.png`],
    ['the way up, escaped', 'PathNotAllowed', () => `file://${inside()}/%2e%2e/outside/secret.png`],
    ['a link to a file outside', 'PathNotAllowed', () => inside('link-to-file.png')],
    ['a link to a folder outside', 'PathNotAllowed', () => inside('link-to-folder', 'secret.png')],
    [
      'a folder whose name begins like a root',
      'PathNotAllowed',
      () => join(folder, 'inside-sibling', 'image.png'),
    ],
    [
      'what is not there, outside: no hint of it',
      'PathNotAllowed',
      () => join(folder, 'outside', 'absent.png'),
    ],
    ['a relative path', 'PathNotAllowed', () => 'inside/image.png'],
    ['a web address', 'PathNotAllowed', () => 'https://example.org/slide.svs'],
    ['what is not there, inside', 'FileNotFound', () => inside('absent.png')],
    ['a folder that is no image', 'UnsupportedImage', () => inside()],
    ['a NUL character', 'FileNotFound', () => `${inside('image.png')}\0.png`],
    ['an escaped slash', 'FileNotFound', () => `file://${inside('a%2Fb.png')}`],
    ['a broken escape', 'FileNotFound', () => `file://${inside('a%zz.png')}`],
  ];
  test.each(CASES)('%s: %s', async (_, errorName, uri) => expect(await outcome(uri())).toBe(errorName));

  test('without roots nothing is allowed', async () => {
    const closed = new ImageRegistry({ roots: [] });
    await expect(closed.open('session', { uri: secret, source: 'file' })).rejects.toMatchObject({
      errorName: 'PathNotAllowed',
    });
  });

  (process.platform === 'win32' ? test.skip : test)('a pipe is refused instead of waited for', async () => {
    const pipe = inside('pipe.png');
    execFileSync('mkfifo', [pipe]);
    expect(await outcome(pipe)).toBe('FileNotFound');
  });
});

describe('regions', () => {
  let imageId: string;
  beforeAll(async () => {
    ({ imageId } = await images.open('session', {
      uri: put('small.png', await noise(50, 40).png().toBuffer()),
      source: 'file',
    }));
  });
  const region = { x: 0, y: 0, width: 10, height: 10, downsample: 1 };
  test.each([
    { x: -1 },
    { y: -1 },
    { x: 41 },
    { y: 31 },
    { width: 51 },
    { width: 0 },
    { height: 0 },
    { x: 0.5 },
    { width: NaN },
    { x: Infinity },
    { downsample: 0 },
    { downsample: -2 },
  ])('%p is RegionOutOfImage', async (change) => {
    await expect(images.readRegion(imageId, { ...region, ...change })).rejects.toMatchObject({
      errorName: 'RegionOutOfImage',
      data: { width: 50, height: 40 },
    });
  });

  test('an image that is not open', async () => {
    await expect(images.readRegion('nobody', region)).rejects.toMatchObject({ errorName: 'ImageNotOpen' });
  });

  test('more pixels than the limit, read or enlarged, names the limit', async () => {
    const wide: TiffPage = { ...PAGE, width: 320, height: 320, data: Array<number>(320 * 320 * 3).fill(3) };
    const open = await images.open('session', { uri: put('wide.tif', tiffBytes([wide])), source: 'file' });
    const limit = { errorName: 'LimitExceeded', data: { limit: 'regionPixels', value: 50_000 } };
    const all = { x: 0, y: 0, width: 320, height: 320, downsample: 1 };
    await expect(images.readRegion(open.imageId, all)).rejects.toMatchObject(limit);
    await expect(images.readRegion(imageId, { ...region, downsample: 0.001 })).rejects.toMatchObject(limit);
  });
});

describe('a viewer', () => {
  const region = { x: 0, y: 0, width: 8, height: 4, downsample: 1 };
  const opened = async (reader: (request: unknown, signal: AbortSignal) => Promise<EncodedPixels>) => {
    const registry = new ImageRegistry({ roots: [], viewerTimeout: 60 });
    const { imageId } = await registry.open(
      's',
      { uri: 'x', source: 'client', width: 64, height: 64 },
      reader,
    );
    return (signal?: AbortSignal) => registry.readRegion(imageId, region, signal);
  };
  const png = async (width: number, height: number): Promise<EncodedPixels> => ({
    encoding: 'png',
    width,
    height,
    channels: 3,
    data: await noise(width, height).png().toBuffer(),
  });
  const rawPixels = (bytes: number, change: Partial<EncodedPixels> = {}): EncodedPixels => ({
    encoding: 'raw',
    width: 8,
    height: 4,
    channels: 3,
    data: new Uint8Array(bytes),
    ...change,
  });

  test.each<[string, () => Promise<EncodedPixels>]>([
    ['too few bytes', async () => rawPixels(95)],
    ['too many bytes', async () => rawPixels(97)],
    ['another size', async () => rawPixels(96, { width: 4, height: 8 })],
    ['five channels', async () => rawPixels(160, { channels: 5 })],
    ['no channels', async () => rawPixels(0, { channels: 0 })],
    ['a PNG of another size', () => png(9, 4)],
    ['a PNG that claims the right size beside it', async () => ({ ...(await png(9, 4)), width: 8 })],
    [
      'a PNG bomb',
      async () => ({
        ...(await png(8, 4)),
        data: lyingPng(await noise(8, 4).png().toBuffer(), 60_000, 60_000),
      }),
    ],
    [
      'half a PNG',
      async () => ({ ...(await png(8, 4)), data: (await noise(8, 4).png().toBuffer()).subarray(0, 60) }),
    ],
    ['a GIF called PNG', async () => ({ ...(await png(8, 4)), data: await noise(8, 4).gif().toBuffer() })],
    ['nothing', async () => ({ ...(await png(8, 4)), data: new Uint8Array() })],
  ])('that sends %s: PixelsInvalid', async (_, answer) => {
    const read = await opened(answer);
    await expect(read()).rejects.toMatchObject({ errorName: 'PixelsInvalid' });
  });

  test('that never answers: ViewerTimeout, and it is told to stop', async () => {
    let stopped = false;
    const read = await opened((_, signal) => {
      signal.addEventListener('abort', () => (stopped = true));
      return new Promise(() => undefined);
    });
    await expect(read()).rejects.toMatchObject({ errorName: 'ViewerTimeout', data: { retryable: true } });
    expect(stopped).toBe(true);
  });

  test('that is cancelled: RequestCancelled, and it is told to stop', async () => {
    const controller = new AbortController();
    let stopped = false;
    const read = await opened((_, signal) => {
      signal.addEventListener('abort', () => (stopped = true));
      controller.abort();
      return new Promise(() => undefined);
    });
    await expect(read(controller.signal)).rejects.toMatchObject({ errorName: 'RequestCancelled' });
    expect(stopped).toBe(true);
    await expect(read(controller.signal)).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  });

  test('that fails: its own error comes through', async () => {
    const read = await opened(() => Promise.reject(new BridgeError('ClientFailed', 'no such slide')));
    await expect(read()).rejects.toMatchObject({ errorName: 'ClientFailed' });
  });

  test('without width and height is refused', async () => {
    await expect(images.open('s', { uri: 'x', source: 'client' }, () => png(8, 4))).rejects.toMatchObject({
      errorName: 'InvalidParams',
    });
  });
});
