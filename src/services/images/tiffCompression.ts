import { inflate } from 'node:zlib';
import { promisify } from 'node:util';
import { decodeFaxBlock, decodeJpegBlock, decodeWebpBlock } from './blockDecoder';
import type { CodedBlock } from './codedBlock';

/** How the bits of a sample are understood. */
export type SampleKind = '1 bit' | '2 bit' | '4 bit' | '8 bit' | '16 bit' | 'float';

/** A compression that is read. `decode` gives `size` bytes, or throws an Error that says what is wrong with the block. */
export interface Compression {
  readonly name: string;
  readonly kinds: readonly SampleKind[];
  decode(block: CodedBlock): Promise<Uint8Array> | Uint8Array;
}

const ANY: readonly SampleKind[] = ['1 bit', '2 bit', '4 bit', '8 bit', '16 bit', 'float'];
const inflateBytes = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);

const deflate: Compression = {
  name: 'Deflate',
  kinds: ANY,
  // Zlib checks its own sum, so a damaged block is an error here and never other pixels.
  decode: ({ bytes, size }) => inflateBytes(bytes, { maxOutputLength: 2 * size + 1024 }),
};
const fax = (name: string): Compression => ({ name, kinds: ['1 bit'], decode: decodeFaxBlock });

/** Compressions that are read, by their number in the Compression tag. Everything else is refused by name. */
export const COMPRESSIONS: Readonly<Record<number, Compression>> = {
  1: { name: 'none', kinds: ANY, decode: ({ bytes }) => bytes },
  2: fax('CCITT modified Huffman'),
  3: fax('CCITT Group 3'),
  4: fax('CCITT Group 4'),
  5: { name: 'LZW', kinds: ANY, decode: ({ bytes, size }) => decodeLzw(bytes, size) },
  7: { name: 'JPEG', kinds: ['8 bit'], decode: decodeJpegBlock },
  8: deflate,
  32773: { name: 'PackBits', kinds: ANY, decode: ({ bytes, size }) => decodePackBits(bytes, size) },
  32946: deflate,
  50001: { name: 'WebP', kinds: ['8 bit'], decode: decodeWebpBlock },
};

/** Names of the others, for the sentence that refuses them. Registry: libtiff's tiff.h, Adobe, Aperio, GDAL. */
export const REFUSED_COMPRESSIONS: Readonly<Record<number, string>> = {
  6: 'old-style JPEG',
  9: 'JBIG',
  10: 'JBIG',
  22610: 'Hamamatsu JPEG XR',
  32766: 'NeXT 2 bit',
  32771: 'CCITT, word-aligned',
  32809: 'ThunderScan',
  32895: 'IT8 padded',
  32908: 'PIXAR film',
  32909: 'PIXAR log',
  32947: 'Kodak DCS',
  33003: 'Aperio JPEG 2000 (YCbCr)',
  33004: 'Aperio JPEG 2000 (lossless)',
  33005: 'Aperio JPEG 2000 (RGB)',
  33007: 'ALT JPEG',
  34661: 'JBIG',
  34676: 'SGI log',
  34677: 'SGI log, 24 bit',
  34712: 'JPEG 2000',
  34713: 'Nikon NEF',
  34718: 'JBIG 2',
  34887: 'LERC',
  34892: 'lossy JPEG of DNG',
  34925: 'LZMA',
  34926: 'Zstandard',
  34927: 'WebP (former number)',
  34933: 'PNG',
  34934: 'JPEG XR',
  50000: 'Zstandard',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
  65000: 'Kodak DCR',
};

/** The name of a compression, also of one that nobody has registered. */
export function compressionName(compression: number): string {
  return (
    COMPRESSIONS[compression]?.name ??
    REFUSED_COMPRESSIONS[compression] ??
    `compression number ${compression}, which is not known`
  );
}

const CLEAR = 256;
const END = 257;
const LARGEST_CODE = 4096;

/** LZW as TIFF 6.0 has it: most significant bit first, codes one bit wider one code early. */
export function decodeLzw(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes[0] === 0 && (bytes[1]! & 1) === 1) throw new Error('its LZW is of the kind before TIFF 6.0');
  const output = new Uint8Array(size);
  // Each code is the string of `prefix` and one more byte; lengths let it be written from its end.
  const prefix = new Uint16Array(LARGEST_CODE);
  const suffix = new Uint8Array(LARGEST_CODE);
  const lengths = new Uint16Array(LARGEST_CODE);
  for (let code = 0; code < CLEAR; code += 1) {
    suffix[code] = code;
    lengths[code] = 1;
  }
  let next = END + 1;
  let width = 9;
  let previous = -1;
  let written = 0;
  let bits = 0;
  let held = 0;
  for (let at = 0; written < size;) {
    while (held < width) {
      if (at >= bytes.length) throw new Error(`its LZW ends after ${written} of ${size} bytes`);
      bits = ((bits << 8) | bytes[at]!) & 0xff_ffff;
      at += 1;
      held += 8;
    }
    const code = (bits >> (held - width)) & ((1 << width) - 1);
    held -= width;
    if (code === END) throw new Error(`its LZW ends after ${written} of ${size} bytes`);
    if (code === CLEAR) {
      next = END + 1;
      width = 9;
      previous = -1;
      continue;
    }
    if (code > next || (code === next && previous < 0) || (previous < 0 && code > END))
      throw new Error('its LZW is damaged');
    // A code that is just being defined is the previous string and its own first byte.
    const known = code === next ? previous : code;
    const length = lengths[known]! + (code === next ? 1 : 0);
    let walk = known;
    let to = written + lengths[known]! - 1;
    for (; to >= written; to -= 1) {
      if (to < size) output[to] = suffix[walk]!;
      walk = prefix[walk]!;
    }
    const first = output[written]!;
    if (code === next && written + length - 1 < size) output[written + length - 1] = first;
    written += length;
    if (previous >= 0 && next < LARGEST_CODE) {
      prefix[next] = previous;
      suffix[next] = first;
      lengths[next] = lengths[previous]! + 1;
      next += 1;
      if (next + 1 >= 1 << width && width < 12) width += 1;
    }
    previous = code;
  }
  return output;
}

/** PackBits, TIFF 6.0 section 9. */
export function decodePackBits(bytes: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let written = 0;
  for (let at = 0; written < size;) {
    if (at >= bytes.length) throw new Error(`its PackBits end after ${written} of ${size} bytes`);
    const head = bytes[at]!;
    at += 1;
    if (head === 128) continue;
    const count = head < 128 ? head + 1 : 257 - head;
    if (head < 128) {
      if (at + count > bytes.length) throw new Error(`its PackBits end after ${written} of ${size} bytes`);
      output.set(bytes.subarray(at, at + Math.min(count, size - written)), written);
      at += count;
    } else {
      if (at >= bytes.length) throw new Error(`its PackBits end after ${written} of ${size} bytes`);
      output.fill(bytes[at]!, written, Math.min(size, written + count));
      at += 1;
    }
    written += count;
  }
  return output;
}
