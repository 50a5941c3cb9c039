import type { ByteSource } from './byteSource';

/** What a JPEG says before its pixels. Source: ITU-T T.81, JFIF 1.02, EXIF 2.3. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly precision: number;
  /** 1 grey, 3 colours, 4 CMYK or YCCK. */
  readonly components: number;
  /** JFIF: pixels per unit; 0 an aspect ratio alone, 1 inch, 2 cm. */
  readonly density: { readonly x: number; readonly y: number; readonly unit: number } | undefined;
  /** The first part of an ICC profile. */
  readonly colourProfile: Buffer | undefined;
  /** EXIF without its name: a small TIFF. */
  readonly exif: Buffer | undefined;
}

/** Segments that hold no length. */
const BARE = new Set([0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7]);
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);
const MAX_SEGMENTS = 4096;

/** Reads the segments before the first scan. @throws Error when they do not hold together */
export async function readJpegHeader(file: ByteSource): Promise<JpegHeader> {
  let frame: Buffer | undefined;
  let density: JpegHeader['density'];
  let exif: Buffer | undefined;
  let colourProfile: Buffer | undefined;
  let at = 2;
  for (let count = 0; count < MAX_SEGMENTS && frame === undefined; count += 1) {
    const head = await file.read(at, 4);
    if (head.length < 4 || head[0] !== 0xff) throw new Error('it ends or breaks off before its pixels');
    const marker = head[1]!;
    if (marker === 0xff || BARE.has(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const body = await file.read(at + 4, head.readUInt16BE(2) - 2);
    const starts = (text: string): boolean => body.toString('latin1', 0, text.length) === text;
    if (marker === 0xe0 && starts('JFIF\0') && body.length >= 12)
      density = { unit: body[7]!, x: body.readUInt16BE(8), y: body.readUInt16BE(10) };
    if (marker === 0xe1 && starts('Exif\0\0')) exif ??= body.subarray(6);
    if (marker === 0xe2 && starts('ICC_PROFILE\0')) colourProfile ??= body.subarray(14);
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker)) frame = body;
    if (marker === 0xda || marker === 0xd9) break;
    at += 2 + head.readUInt16BE(2);
  }
  if (frame === undefined || frame.length < 6) throw new Error('it has no picture');
  return {
    width: frame.readUInt16BE(3),
    height: frame.readUInt16BE(1),
    precision: frame[0]!,
    components: frame[5]!,
    density,
    colourProfile,
    exif,
  };
}
