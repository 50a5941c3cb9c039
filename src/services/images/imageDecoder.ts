import sharp, { type SharpOptions } from 'sharp';
import { BridgeError, isBridgeError } from '../../errors';
import type { PixelRectangle } from './imageSource';
import { toRgb8, type Pixels, type RgbPixels } from './pixels';

// PNG and JPEG through libvips. Headers are read by ourselves (pngHeader, jpegHeader) and say how.

// Caching whole operations would keep files open and memory taken after an image is closed.
sharp.cache(false);

const OPTIONS: SharpOptions = {
  failOn: 'error',
  // Sizes are compared with the limits before sharp sees the file.
  limitInputPixels: false,
  // Pixel values as stored, as QuPath and napari show them.
  ignoreIcc: true,
};

/** How a picture is taken out of a file. */
export interface Decoding {
  readonly wide: boolean;
  readonly colours: 'grey' | 'rgb' | 'cmyk';
  /** A warning of the decoder ("premature end", "corrupt data") is an error: those pixels are made up. */
  readonly strict: boolean;
}

/**
 * Decodes a rectangle as stored: grey or RGB, with alpha where there is some, or CMYK (0 is no ink).
 * @throws BridgeError `ImageUnreadable`
 */
export async function decodeFile(
  path: string,
  rectangle: PixelRectangle,
  { wide, colours, strict }: Decoding,
): Promise<Pixels> {
  const { x, y, width, height } = rectangle;
  const image = sharp(path, {
    ...OPTIONS,
    failOn: strict ? 'warning' : 'error',
    sequentialRead: true,
  }).extract({
    left: x,
    top: y,
    width,
    height,
  });
  const space = colours === 'cmyk' ? 'cmyk' : wide ? (colours === 'grey' ? 'grey16' : 'rgb16') : undefined;
  const pipeline =
    colours === 'cmyk'
      ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
      : space
        ? image.toColourspace(space)
        : image;
  try {
    const { data, info } = await pipeline
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = wide
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { width: info.width, height: info.height, channels: info.channels, data: samples };
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
  if (!isPng(bytes) && !isJpeg(bytes)) throw invalid('they are neither PNG nor JPEG');
  try {
    const { width, height, depth, channels } = await sharp(bytes, OPTIONS).metadata();
    if (width !== expected.width || height !== expected.height) {
      throw invalid(`${expected.width} x ${expected.height} was asked for, ${width} x ${height} came`);
    }
    // Sharp brings 16 bit to 8 by cutting bits off, so those are taken as they are.
    const wide = depth === 'ushort';
    const image = sharp(bytes, OPTIONS);
    const { data, info } = await (wide ? image.toColourspace(channels < 3 ? 'grey16' : 'rgb16') : image)
      .raw({ depth: wide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const samples = wide
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : new Uint8Array(data);
    return toRgb8({ width, height, channels: info.channels, data: samples });
  } catch (error) {
    throw isBridgeError(error) ? error : invalid(String(error));
  }
}

export function isPng(header: Uint8Array): boolean {
  return startOf(header) === '\x89PNG\r\n\x1a\n';
}

export function isJpeg(header: Uint8Array): boolean {
  return startOf(header).startsWith('\xff\xd8\xff');
}

export function isTiff(header: Uint8Array): boolean {
  return /^(II[*+]\0|MM\0[*+])/.test(startOf(header));
}

function startOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, Math.min(8, byteLength)).toString('latin1');
}

function unreadable(error: unknown): BridgeError {
  const text = error instanceof Error ? error.message : String(error);
  // The library repeats a line for every row that it misses.
  const reason = text.trim().split('\n')[0]!;
  return new BridgeError('ImageUnreadable', `the image cannot be decoded: ${reason}`, {
    reason,
    hint: 'the file is damaged or was cut: copy it again from its source',
  });
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
