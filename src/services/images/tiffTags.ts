import type { ByteSource } from './byteSource';
import { BridgeError } from '../../errors';

// Reads the tags of a TIFF or BigTIFF, never its pixels. Tag numbers: TIFF 6.0 specification; SubIFDs: TIFF supplement 1;
// BigTIFF: Aware Systems.

/** Where the values of a tag lie; long lists (offsets of a million tiles) are read only when they are wanted. */
export interface TagValues {
  readonly type: number;
  readonly count: number;
  /** The values, or where in the file they begin. */
  readonly bytes: Buffer | undefined;
  readonly offset: number;
}

/** One image of a TIFF: its size, layout, and what the tags say about its samples. */
export interface TiffDirectory {
  readonly width: number;
  readonly height: number;
  /** Bits of each sample; as many as `samplesPerPixel`. */
  readonly bitsPerSample: readonly number[];
  readonly samplesPerPixel: number;
  /** 1 unsigned, 2 signed, 3 float, 4 undefined, 5 and 6 complex. */
  readonly sampleFormat: readonly number[];
  readonly compression: number;
  /** 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 4 mask, 5 CMYK, 6 YCbCr, 8 CIELab, …; undefined when not said. */
  readonly photometric: number | undefined;
  /** 1 interleaved, 2 each sample in a plane of its own. */
  readonly planarConfiguration: number;
  /** What the samples beyond the colours are: 0 not said, 1 premultiplied alpha, 2 alpha. */
  readonly extraSamples: readonly number[];
  /** 1 none, 2 horizontal differences, 3 of floating point numbers. */
  readonly predictor: number;
  /** 1 most significant bit first. */
  readonly fillOrder: number;
  /** T4Options of CCITT Group 3. */
  readonly faxOptions: number;
  /** Bit 0 reduced, bit 1 page of a document, bit 2 transparency mask; Aperio: 1 label, 9 macro. Undefined when not said. */
  readonly subfileType: number | undefined;
  /** As EXIF counts it; 1 is as stored. */
  readonly orientation: number;
  /** Largest value that a sample takes, undefined when not said. */
  readonly maxSampleValue: number | undefined;
  readonly colorMap: readonly number[];
  readonly yCbCrSubSampling: readonly number[];
  readonly referenceBlackWhite: readonly number[];
  readonly jpegTables: Buffer | undefined;
  readonly colourProfile: Buffer | undefined;
  /** Size of a tile, px; absent when the image is in strips. */
  readonly tile: { readonly width: number; readonly height: number } | undefined;
  /** Rows of a strip, px. */
  readonly rowsPerStrip: number;
  /** Pixels per `resolutionUnit`, 0 when not said. */
  readonly xResolution: number;
  readonly yResolution: number;
  /** 1 none, 2 inch, 3 cm. */
  readonly resolutionUnit: number;
  readonly description: string;
  readonly software: string;
  /** Numbers of all tags: a vendor's own tell whose file it is. */
  readonly tags: ReadonlySet<number>;
  /** Where the blocks (tiles or strips) begin and how many bytes each has; read with `readNumbers`. */
  readonly blockOffsets: TagValues | undefined;
  readonly blockByteCounts: TagValues | undefined;
  /** Byte order of the file, for the two above and for 16-bit samples. */
  readonly littleEndian: boolean;
  /** Reduced images of this one, as OME-TIFF keeps its pyramid. */
  readonly subDirectories: readonly TiffDirectory[];
}

const MAX_DIRECTORIES = 65_536;
const MAX_ENTRIES = 4096;
/** OME-XML of a many-channel image runs to megabytes; more than this is no description. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;
/** Lists up to this size are read with the directory. */
const EAGER_BYTES = 4096;
/** A gigapixel slide has some 100,000 tiles of 256 x 256 px; a million million of them is no slide. */
const MAX_BLOCKS = 64 * 1024 * 1024;

const TAG = {
  subfileType: 254,
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  description: 270,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  maxSampleValue: 281,
  xResolution: 282,
  yResolution: 283,
  planarConfiguration: 284,
  faxOptions: 292,
  resolutionUnit: 296,
  software: 305,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  subDirectories: 330,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
  yCbCrSubSampling: 530,
  referenceBlackWhite: 532,
  colourProfile: 34675,
} as const;
/** Lists as long as the picture has blocks: their place is noted, they are read when a region is. */
const LAZY: readonly number[] = [TAG.stripOffsets, TAG.stripByteCounts, TAG.tileOffsets, TAG.tileByteCounts];
const WANTED = new Set<number>(Object.values(TAG));

/** Bytes of one value by TIFF type; types that are not listed are skipped. */
const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

/**
 * The top-level images of a file in order, each with the reduced images below it.
 * @throws BridgeError `ImageUnreadable` when the tags do not hold together (truncated, offsets outside, loops)
 */
export async function readTiffDirectories(file: ByteSource): Promise<readonly TiffDirectory[]> {
  return new TagReader(file).directories();
}

/** The numbers of a tag, from memory or from the file. @throws BridgeError `ImageUnreadable` */
export async function readNumbers(
  values: TagValues | undefined,
  littleEndian: boolean,
  file: ByteSource,
): Promise<Float64Array> {
  if (values === undefined) return new Float64Array();
  if (values.count > MAX_BLOCKS) throw unreadable(`a list of it claims ${values.count} entries`);
  const length = values.count * (TYPE_BYTES[values.type] ?? 1);
  const bytes = values.bytes ?? (await readExactly(file, values.offset, length));
  return numbersOf(bytes, values.type, values.count, littleEndian);
}

class TagReader {
  readonly #file: ByteSource;
  readonly #seen = new Set<number>();
  #little = true;
  #big = false;

  constructor(file: ByteSource) {
    this.#file = file;
  }

  async directories(): Promise<TiffDirectory[]> {
    const head = await readExactly(this.#file, 0, 8);
    this.#little = head.toString('latin1', 0, 2) === 'II';
    this.#big = this.#integer(head, 2, 2) === 43;
    let offset = this.#big
      ? this.#integer(await readExactly(this.#file, 8, 8), 0, 8)
      : this.#integer(head, 4, 4);
    const directories: TiffDirectory[] = [];
    while (offset !== 0) {
      const { directory, next } = await this.#directory(offset, true);
      directories.push(directory);
      offset = next;
    }
    if (directories.length === 0) throw unreadable('it holds no image');
    return directories;
  }

  async #directory(offset: number, top: boolean): Promise<{ directory: TiffDirectory; next: number }> {
    if (this.#seen.has(offset) || this.#seen.size >= MAX_DIRECTORIES)
      throw unreadable('its directories run in a loop');
    this.#seen.add(offset);
    const { entries, tags, next } = await this.#entries(offset);
    const numbers = (tag: number): number[] => this.#numbers(entries.get(tag));
    const number = (tag: number, absent: number): number => numbers(tag)[0] ?? absent;
    const text = (tag: number): string => decodeText(entries.get(tag)?.bytes);
    const subDirectories: TiffDirectory[] = [];
    if (top) {
      for (const sub of numbers(TAG.subDirectories))
        if (sub !== 0) subDirectories.push((await this.#directory(sub, false)).directory);
    }
    const tile = { width: number(TAG.tileWidth, 0), height: number(TAG.tileHeight, 0) };
    const tiled = tile.width > 0 && tile.height > 0;
    const samplesPerPixel = number(TAG.samplesPerPixel, 1);
    const height = number(TAG.height, 0);
    // One value stands for all samples where a writer saved the others.
    const perSample = (values: readonly number[], absent: number): number[] =>
      Array.from(
        { length: Math.min(samplesPerPixel, 1024) },
        (_, sample) => values[sample] ?? values[0] ?? absent,
      );
    const directory: TiffDirectory = {
      width: number(TAG.width, 0),
      height,
      bitsPerSample: perSample(numbers(TAG.bitsPerSample), 1),
      samplesPerPixel,
      sampleFormat: perSample(numbers(TAG.sampleFormat), 1),
      compression: number(TAG.compression, 1),
      photometric: numbers(TAG.photometric)[0],
      planarConfiguration: number(TAG.planarConfiguration, 1),
      extraSamples: numbers(TAG.extraSamples),
      predictor: number(TAG.predictor, 1),
      fillOrder: number(TAG.fillOrder, 1),
      faxOptions: number(TAG.faxOptions, 0),
      subfileType: numbers(TAG.subfileType)[0],
      orientation: number(TAG.orientation, 1),
      maxSampleValue: numbers(TAG.maxSampleValue)[0],
      colorMap: numbers(TAG.colorMap),
      yCbCrSubSampling: numbers(TAG.yCbCrSubSampling),
      referenceBlackWhite: numbers(TAG.referenceBlackWhite),
      jpegTables: entries.get(TAG.jpegTables)?.bytes,
      colourProfile: entries.get(TAG.colourProfile)?.bytes,
      tile: tiled ? tile : undefined,
      rowsPerStrip: Math.max(1, Math.min(number(TAG.rowsPerStrip, height), height)),
      xResolution: number(TAG.xResolution, 0),
      yResolution: number(TAG.yResolution, 0),
      resolutionUnit: number(TAG.resolutionUnit, 2),
      description: text(TAG.description),
      software: text(TAG.software),
      tags,
      blockOffsets: entries.get(tiled ? TAG.tileOffsets : TAG.stripOffsets),
      blockByteCounts: entries.get(tiled ? TAG.tileByteCounts : TAG.stripByteCounts),
      littleEndian: this.#little,
      subDirectories,
    };
    return { directory, next };
  }

  /** The wanted tags of one directory with their values, the numbers of all, and the offset of the next directory. */
  async #entries(
    offset: number,
  ): Promise<{ entries: Map<number, TagValues>; tags: Set<number>; next: number }> {
    const countBytes = this.#big ? 8 : 2;
    const entryBytes = this.#big ? 20 : 12;
    const inlineBytes = this.#big ? 8 : 4;
    const count = this.#integer(await readExactly(this.#file, offset, countBytes), 0, countBytes);
    if (count > MAX_ENTRIES) throw unreadable(`a directory claims ${count} entries`);
    const table = await readExactly(this.#file, offset + countBytes, count * entryBytes + inlineBytes);
    const entries = new Map<number, TagValues>();
    const tags = new Set<number>();
    for (let index = 0; index < count; index += 1) {
      const at = index * entryBytes;
      const tag = this.#integer(table, at, 2);
      const type = this.#integer(table, at + 2, 2);
      tags.add(tag);
      const width = TYPE_BYTES[type];
      if (width === undefined || !WANTED.has(tag)) continue;
      const values = this.#integer(table, at + 4, inlineBytes);
      const length = values * width;
      const valueAt = at + entryBytes - inlineBytes;
      const inline = length <= inlineBytes;
      const place = inline ? 0 : this.#integer(table, valueAt, inlineBytes);
      const lazy = LAZY.includes(tag) && length > EAGER_BYTES;
      if (!lazy && length > MAX_VALUE_BYTES) throw unreadable(`tag ${tag} claims ${length} bytes`);
      const bytes = inline
        ? table.subarray(valueAt, valueAt + length)
        : lazy
          ? undefined
          : await readExactly(this.#file, place, length);
      entries.set(tag, { type, count: values, bytes, offset: place });
    }
    return { entries, tags, next: this.#integer(table, count * entryBytes, inlineBytes) };
  }

  #numbers(entry: TagValues | undefined): number[] {
    if (entry?.bytes === undefined) return [];
    return [...numbersOf(entry.bytes, entry.type, entry.count, this.#little)];
  }

  #integer(bytes: Buffer, at: number, width: number): number {
    return integerAt(bytes, at, width, this.#little);
  }
}

const ASCII = 2;
const SIGNED: readonly number[] = [6, 8, 9, 17];

function numbersOf(bytes: Buffer, type: number, count: number, little: boolean): Float64Array {
  if (type === ASCII) return new Float64Array();
  const width = TYPE_BYTES[type] ?? 1;
  const values = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const at = index * width;
    if (type === 5 || type === 10) {
      const [above, below] = [integerAt(bytes, at, 4, little), integerAt(bytes, at + 4, 4, little)];
      values[index] = below === 0 ? 0 : above / below;
    } else if (type === 11) {
      values[index] = little ? bytes.readFloatLE(at) : bytes.readFloatBE(at);
    } else if (type === 12) {
      values[index] = little ? bytes.readDoubleLE(at) : bytes.readDoubleBE(at);
    } else {
      const value = integerAt(bytes, at, width, little);
      values[index] =
        SIGNED.includes(type) && value >= 2 ** (8 * width - 1) ? value - 2 ** (8 * width) : value;
    }
  }
  return values;
}

function integerAt(bytes: Buffer, at: number, width: number, little: boolean): number {
  if (width === 8) return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  return little ? bytes.readUIntLE(at, width) : bytes.readUIntBE(at, width);
}

async function readExactly(file: ByteSource, offset: number, length: number): Promise<Buffer> {
  if (offset + length > file.size) throw unreadable('it ends in the middle of its tags');
  const bytes = await file.read(offset, length);
  if (bytes.length < length) throw unreadable('it ends in the middle of its tags');
  return bytes;
}

/** Text up to its first NUL: UTF-8, or latin1 as older programs write `µ`. */
function decodeText(bytes: Buffer | undefined): string {
  if (bytes === undefined) return '';
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return text.toString('latin1');
  }
}

function unreadable(reason: string): BridgeError {
  return new BridgeError('ImageUnreadable', `the TIFF file cannot be read: ${reason}`, {
    hint: 'check that the file was copied whole: compare its size with the original',
  });
}
