import sharp, { type SharpOptions } from 'sharp';
import type { CodedBlock } from './codedBlock';

// Single tiles and strips of a TIFF whose compression libvips knows as a file format of its own.

const OPTIONS: SharpOptions = {
  // A warning of libjpeg ("premature end", "corrupt data") is a damaged block: its pixels are made up.
  failOn: 'warning',
  // The size in the block's own header is compared with the tile's before anything is decoded.
  limitInputPixels: false,
  ignoreIcc: true,
};

const JPEG = { soi: 0xd8, eoi: 0xd9, sos: 0xda, app0: 0xe0, app14: 0xee } as const;
const YCBCR = 6;

/**
 * A JPEG block as interleaved 8-bit samples, YCbCr turned into RGB. Its tables may lie in the JPEGTables tag.
 * Which colours it holds is told by Photometric, as libtiff does it, and not guessed from markers.
 */
export async function decodeJpegBlock({
  bytes,
  width,
  height,
  samples,
  directory,
}: CodedBlock): Promise<Uint8Array> {
  const tables = directory.jpegTables === undefined ? [] : segmentsOf(directory.jpegTables).segments;
  const { segments, scan } = segmentsOf(bytes);
  const frame = segments.find(({ marker }) => isFrame(marker));
  if (frame === undefined || scan === undefined) throw new Error('its JPEG has no picture');
  const size = { height: frame.bytes.readUInt16BE(5), width: frame.bytes.readUInt16BE(7) };
  const components = frame.bytes[9] ?? 0;
  if (frame.bytes[4] !== 8) throw new Error(`its JPEG has ${frame.bytes[4]} bits`);
  if (components !== samples) throw new Error(`its JPEG has ${components} samples, not ${samples}`);
  if (size.width !== width || size.height < height || size.height > Math.max(height, directory.rowsPerStrip))
    throw new Error(`its JPEG is ${size.width} x ${size.height}, not ${width} x ${height}`);
  const transform = directory.photometric === YCBCR ? 1 : 0;
  const stream = Buffer.concat([
    Buffer.from([0xff, JPEG.soi]),
    // Adobe's marker says whether three components are RGB or YCbCr; without it libjpeg guesses.
    ...(components === 3
      ? [Buffer.from([0xff, JPEG.app14, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform])]
      : []),
    ...[...tables, ...segments]
      .filter(({ marker }) => !isApplication(marker))
      .map((segment) => segment.bytes),
    scan,
  ]);
  return decoded(stream, width, height, samples);
}

/** A WebP block as interleaved 8-bit samples. */
export async function decodeWebpBlock({ bytes, width, height, samples }: CodedBlock): Promise<Uint8Array> {
  const size = await sharp(bytes, OPTIONS).metadata();
  if (size.format !== 'webp') throw new Error('it is no WebP');
  if (size.width !== width || size.height !== height)
    throw new Error(`its WebP is ${size.width} x ${size.height}, not ${width} x ${height}`);
  return decoded(bytes, width, height, samples);
}

/** A fax-coded strip of 1-bit samples, packed as TIFF packs them; read as a TIFF of this strip alone. */
export async function decodeFaxBlock({ bytes, width, height, directory }: CodedBlock): Promise<Uint8Array> {
  const { data } = await sharp(faxFile(bytes, width, height, directory), OPTIONS)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rowBytes = Math.ceil(width / 8);
  const packed = new Uint8Array(rowBytes * height);
  const step = data.length / (width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      // The little file says that black is zero, so white comes as 255 and is a 1.
      if (data[(y * width + x) * step]! > 127) packed[y * rowBytes + (x >> 3)]! |= 0x80 >> (x & 7);
    }
  }
  return packed;
}

async function decoded(bytes: Buffer, width: number, height: number, samples: number): Promise<Uint8Array> {
  const image = sharp(bytes, OPTIONS);
  const pipeline = samples === 1 ? image.toColourspace('b-w') : image;
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height < height) throw new Error('it has another size than its tile');
  if (info.channels === samples) return data.subarray(0, width * height * samples);
  // WebP drops an alpha channel that is opaque throughout.
  if (info.channels === 3 && samples === 4) {
    const withAlpha = new Uint8Array(width * height * 4).fill(255);
    for (let pixel = 0; pixel < width * height; pixel += 1)
      withAlpha.set(data.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    return withAlpha;
  }
  throw new Error(`it has ${info.channels} samples, not ${samples}`);
}

interface Segment {
  readonly marker: number;
  /** With its marker and length. */
  readonly bytes: Buffer;
}

/** The segments of a JPEG up to its first scan, and the rest from there. */
function segmentsOf(jpeg: Buffer): { segments: readonly Segment[]; scan: Buffer | undefined } {
  const segments: Segment[] = [];
  if (jpeg[0] !== 0xff || jpeg[1] !== JPEG.soi) throw new Error('it is no JPEG');
  let at = 2;
  while (at + 3 < jpeg.length) {
    if (jpeg[at] !== 0xff) throw new Error('its JPEG is damaged');
    const marker = jpeg[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === JPEG.eoi) break;
    if (marker === JPEG.sos) return { segments, scan: jpeg.subarray(at) };
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    if (end > jpeg.length) throw new Error('its JPEG ends early');
    segments.push({ marker, bytes: jpeg.subarray(at, end) });
    at = end;
  }
  return { segments, scan: undefined };
}

/** Start of frame: 0xC0 to 0xCF without the tables and the arithmetic conditioning. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function isApplication(marker: number): boolean {
  return marker === JPEG.app0 || marker === JPEG.app14;
}

function faxFile(bytes: Buffer, width: number, height: number, directory: CodedBlock['directory']): Buffer {
  const LONG = 4;
  const entries: readonly (readonly [tag: number, value: number])[] = [
    [256, width],
    [257, height],
    [258, 1],
    [259, directory.compression],
    [262, 1],
    [266, directory.fillOrder],
    [273, 8],
    [277, 1],
    [278, height],
    [279, bytes.length],
    [292, directory.faxOptions],
  ];
  const padded = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(8 + padded.length, 4);
  const table = Buffer.alloc(2 + entries.length * 12 + 4);
  table.writeUInt16LE(entries.length, 0);
  entries.forEach(([tag, value], index) => {
    const at = 2 + index * 12;
    table.writeUInt16LE(tag, at);
    table.writeUInt16LE(LONG, at + 2);
    table.writeUInt32LE(1, at + 4);
    table.writeUInt32LE(value, at + 8);
  });
  return Buffer.concat([head, padded, table]);
}
