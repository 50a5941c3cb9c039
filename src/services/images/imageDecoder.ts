import { open } from 'node:fs/promises';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { BridgeError, isBridgeError } from '../../errors';
import { densityPixelSize, tiffPixelSize, type PixelSize } from './pixelSize';
import { toRgb8, type Pixels, type RgbPixels } from './pixels';
import { pyramidLevels, type ImageLevel } from './pyramid';
import { readTiffDirectories, type TiffDirectory } from './tiffTags';

export interface Warning {
  readonly name: string;
  readonly message: string;
}

/** What a file says about itself before any pixel is decoded. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'tiff';
  readonly width: number;
  readonly height: number;
  /** As stored: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
  readonly channels: number;
  readonly bitsPerSample: 8 | 16;
  /** Bits that carry the value, 16 unless the file says less. */
  readonly significantBits: number;
  /** True when a region can be read without decoding the rows above it. */
  readonly tiled: boolean;
  /** Finest first; the first is the full resolution. */
  readonly levels: readonly ImageLevel[];
  readonly pixelSizeMicrons: number | null;
  readonly warnings: readonly Warning[];
}

/** A rectangle of whole pixels of one level. */
export interface PixelRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A tile is decoded as a whole; real ones are 256 to 1024 px wide. */
const MAX_TILE_PIXELS = 4096 * 4096;
/** JPEG 2000 inside TIFF (Aperio, generic), which this build cannot decode. */
const JPEG_2000 = [33003, 33004, 33005, 34712];

// Caching whole operations would keep files open and memory taken after an image is closed.
sharp.cache(false);

const OPTIONS: SharpOptions = {
  failOn: 'error',
  // The limits below are checked before sharp sees the file, and by tile where there are tiles.
  limitInputPixels: false,
  // Pixel values as stored, as QuPath and napari show them.
  ignoreIcc: true,
};

/**
 * Reads the header of a PNG, JPEG or TIFF file.
 * @param imagePixels most pixels of an image that has to be decoded from its first row on (untiled)
 * @throws BridgeError `ImageUnreadable`, `UnsupportedImage`, `ImageTooLarge`
 */
export async function readImageHeader(path: string, imagePixels: number): Promise<ImageHeader> {
  try {
    const format = await formatOf(path);
    return format === 'tiff'
      ? await tiffHeader(path, imagePixels)
      : await plainHeader(path, format, imagePixels);
  } catch (error) {
    throw isBridgeError(error) ? error : unreadable(error);
  }
}

/**
 * Decodes a rectangle of one level as 8-bit RGB, reading only the tiles that it touches.
 * @param rectangle inside the level
 * @throws BridgeError `ImageUnreadable`
 */
export async function decodeRegion(
  path: string,
  header: ImageHeader,
  level: ImageLevel,
  rectangle: PixelRectangle,
): Promise<RgbPixels> {
  const image = sharp(path, {
    ...OPTIONS,
    ...(header.format === 'tiff' ? { page: level.page } : {}),
    ...(level.subDirectory === undefined ? {} : { subifd: level.subDirectory }),
    sequentialRead: !header.tiled,
  }).extract({ left: rectangle.x, top: rectangle.y, width: rectangle.width, height: rectangle.height });
  try {
    return toRgb8(await rawPixels(image, header.bitsPerSample, header.channels), header.significantBits);
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * Decodes a PNG or JPEG from a client. Its header must say the size that was asked for, so nothing larger is decoded.
 * @throws BridgeError `PixelsInvalid`
 */
export async function decodeBytes(
  bytes: Uint8Array,
  expected: { readonly width: number; readonly height: number },
): Promise<RgbPixels> {
  const invalid = (reason: string) =>
    new BridgeError('PixelsInvalid', `the pixels cannot be used: ${reason}`, { ...expected });
  if (sniff(bytes) !== 'png' && sniff(bytes) !== 'jpeg') throw invalid('they are neither PNG nor JPEG');
  try {
    const { width, height, depth, channels } = await sharp(bytes, OPTIONS).metadata();
    if (width !== expected.width || height !== expected.height) {
      throw invalid(`${expected.width} x ${expected.height} was asked for, ${width} x ${height} came`);
    }
    return toRgb8(await rawPixels(sharp(bytes, OPTIONS), depth === 'ushort' ? 16 : 8, channels));
  } catch (error) {
    throw isBridgeError(error) ? error : invalid(String(error));
  }
}

/** Sharp brings 16 bit to 8 by cutting bits off, so those are taken as they are. */
async function rawPixels(image: Sharp, bitsPerSample: 8 | 16, stored: number): Promise<Pixels> {
  const wide = bitsPerSample === 16;
  const pipeline = wide ? image.toColourspace(stored < 3 ? 'grey16' : 'rgb16') : image;
  const { data, info } = await pipeline
    .raw({ depth: wide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const samples = wide
    ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
    : new Uint8Array(data);
  return {
    width: info.width,
    height: info.height,
    channels: info.channels,
    data: samples,
  };
}

async function formatOf(path: string): Promise<ImageHeader['format']> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const format = sniff(buffer.subarray(0, bytesRead));
    if (format !== undefined) return format;
  } finally {
    await file.close();
  }
  throw new BridgeError('UnsupportedImage', 'the file is neither PNG, JPEG nor TIFF', {
    hint: 'open it in the viewer and use source "client"',
  });
}

/** By the first bytes, never by the name: a file called .png may be an SVG that fetches other files. */
function sniff(bytes: Uint8Array): ImageHeader['format'] | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.byteLength)).toString('latin1');
  if (head === '\x89PNG\r\n\x1a\n') return 'png';
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg';
  return /^(II[*+]\0|MM\0[*+])/.test(head) ? 'tiff' : undefined;
}

async function plainHeader(path: string, format: 'png' | 'jpeg', imagePixels: number): Promise<ImageHeader> {
  const { width, height, channels, depth, density, orientation } = await sharp(path, OPTIONS).metadata();
  checkPixels(width * height, imagePixels);
  const size = densityPixelSize(density);
  return {
    format,
    width,
    height,
    channels,
    bitsPerSample: depth === 'ushort' ? 16 : 8,
    significantBits: 16,
    tiled: false,
    levels: [{ width, height, downsample: 1, page: 0 }],
    pixelSizeMicrons: size.microns,
    warnings: [
      ...pixelSizeWarning(size),
      ...(orientation === undefined || orientation === 1
        ? []
        : [
            { name: 'OrientationIgnored', message: 'the file asks to be shown turned; it is read as stored' },
          ]),
    ],
  };
}

async function tiffHeader(path: string, imagePixels: number): Promise<ImageHeader> {
  const directories = await readTiffDirectories(path);
  const [full] = directories;
  if (full === undefined) throw unreadable('it holds no image');
  const warnings = checkContent(full);
  const levels = pyramidLevels(directories);
  for (const { page, subDirectory } of levels) {
    const top = directories[page]!;
    const { width, height, tile } = subDirectory === undefined ? top : top.subDirectories[subDirectory]!;
    if (tile === undefined) checkPixels(width * height, imagePixels);
    else checkPixels(tile.width * tile.height, MAX_TILE_PIXELS);
  }
  const { width, height, channels, depth } = await sharp(path, OPTIONS).metadata();
  if (width !== full.width || height !== full.height) throw unreadable('its header contradicts itself');
  const size = tiffPixelSize(full);
  if (levels.length === 1 && directories.length > 1) {
    warnings.push({ name: 'OnlyFirstPage', message: `the first of ${directories.length} pages is used` });
  }
  return {
    format: 'tiff',
    width,
    height,
    channels,
    bitsPerSample: depth === 'ushort' ? 16 : 8,
    significantBits: Number(/\bSignificantBits\s*=\s*["'](\d+)["']/.exec(full.description)?.[1] ?? 16),
    tiled: full.tile !== undefined,
    levels,
    pixelSizeMicrons: size.microns,
    warnings: [...warnings, ...pixelSizeWarning(size)],
  };
}

/** Refuses what would be decoded wrongly or not at all, with the way out. */
function checkContent({
  compression,
  bitsPerSample,
  sampleFormat,
  samplesPerPixel,
  description,
}: TiffDirectory): Warning[] {
  const unsupported = (what: string) =>
    new BridgeError('UnsupportedImage', `${what} cannot be read by the server`, {
      hint: 'open the image in the viewer and use source "client"',
    });
  if (JPEG_2000.includes(compression)) throw unsupported('a TIFF with JPEG 2000 tiles');
  if (bitsPerSample > 16 || sampleFormat > 1)
    throw unsupported('a TIFF of numbers other than 8 or 16 bit unsigned');
  if (samplesPerPixel > 4) throw unsupported(`an image of ${samplesPerPixel} channels`);
  const size = (axis: string) =>
    Number(new RegExp(`<Pixels\\s[^>]*\\bSize${axis}\\s*=\\s*["'](\\d+)`).exec(description)?.[1] ?? 1);
  if (size('C') > samplesPerPixel)
    throw unsupported(`an OME-TIFF of ${size('C')} channels in separate planes`);
  const planes = size('Z') * size('T');
  return planes > 1 ? [{ name: 'OnlyFirstPlane', message: `the first of ${planes} planes is used` }] : [];
}

function checkPixels(pixels: number, limit: number): void {
  if (pixels <= limit) return;
  throw new BridgeError(
    'ImageTooLarge',
    `${pixels} pixels would have to be decoded at once, ${limit} are allowed`,
    {
      hint: 'use a tiled pyramidal file, or raise the limit imagePixels',
      pixels,
      limit,
    },
  );
}

function pixelSizeWarning({ microns, warning }: PixelSize): Warning[] {
  if (warning === undefined) return [];
  return [{ name: microns === null ? 'PixelSizeUnknown' : 'PixelSizeUncertain', message: warning }];
}

function unreadable(reason: unknown): BridgeError {
  const text = reason instanceof Error ? reason.message : String(reason);
  return new BridgeError('ImageUnreadable', `the image cannot be decoded: ${text}`, { reason: text });
}

/** Pixels as a PNG file, lossless. */
export async function encodePng({ width, height, data }: RgbPixels): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Pixels enlarged by a whole factor with an SVG drawing of that enlarged size on top, as a PNG file. */
export async function encodeOverlay(
  { width, height, data }: RgbPixels,
  svg: string,
  scale: number,
): Promise<Uint8Array> {
  const enlarged = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(width * scale, height * scale, { kernel: 'nearest' })
    .png()
    .toBuffer();
  return sharp(enlarged)
    .composite([{ input: Buffer.from(svg) }])
    .png()
    .toBuffer();
}
