import { inflateSync } from 'node:zlib';
import type { ByteSource } from './byteSource';

/** What a PNG says before its pixels. Source: W3C PNG specification, third edition. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  /** tRNS: a colour or palette entries that are transparent. */
  readonly transparency: boolean;
  /** sBIT: bits of the first sample that carry the value. */
  readonly significantBits: number | undefined;
  /** pHYs: pixels per unit; `metre` is false for an aspect ratio alone. */
  readonly density: { readonly x: number; readonly y: number; readonly metre: boolean } | undefined;
  /** iCCP, unpacked. */
  readonly colourProfile: Buffer | undefined;
  /** EXIF as it lies in eXIf. */
  readonly exif: Buffer | undefined;
}

const SIGNATURE_BYTES = 8;
/** Chunks before the pixels that are looked into hold a few bytes; EXIF up to this. */
const MAX_CHUNK = 1 << 20;

/** Reads the chunks before the first IDAT. @throws Error when they do not hold together */
export async function readPngHeader(file: ByteSource): Promise<PngHeader> {
  const chunks = new Map<string, Buffer>();
  for (let at = SIGNATURE_BYTES; ;) {
    const head = await file.read(at, 8);
    if (head.length < 8) throw new Error('it ends before its pixels');
    const length = head.readUInt32BE(0);
    const name = head.toString('latin1', 4, 8);
    if (name === 'IDAT' || name === 'IEND') break;
    const wanted = ['IHDR', 'sBIT', 'pHYs', 'tRNS', 'eXIf', 'iCCP'].includes(name) && length <= MAX_CHUNK;
    // Of two the first counts, as libpng has it.
    if (!chunks.has(name)) chunks.set(name, wanted ? await file.read(at + 8, length) : Buffer.alloc(0));
    at += 12 + length;
  }
  const header = chunks.get('IHDR');
  if (header === undefined || header.length < 13) throw new Error('it has no header');
  const density = chunks.get('pHYs');
  return {
    width: header.readUInt32BE(0),
    height: header.readUInt32BE(4),
    bitDepth: header[8]!,
    colourType: header[9]!,
    transparency: chunks.has('tRNS'),
    significantBits: chunks.get('sBIT')?.[0],
    density:
      density === undefined || density.length < 9
        ? undefined
        : { x: density.readUInt32BE(0), y: density.readUInt32BE(4), metre: density[8] === 1 },
    colourProfile: profileOf(chunks.get('iCCP')),
    exif: chunks.get('eXIf'),
  };
}

/** iCCP is a name, a NUL, the method, and the packed profile. A broken one counts as an unknown one. */
function profileOf(chunk: Buffer | undefined): Buffer | undefined {
  if (chunk === undefined) return undefined;
  try {
    return inflateSync(chunk.subarray(chunk.indexOf(0) + 2), { maxOutputLength: 4 * MAX_CHUNK });
  } catch {
    return Buffer.alloc(0);
  }
}
