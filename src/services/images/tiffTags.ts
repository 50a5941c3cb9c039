import { open, type FileHandle } from 'node:fs/promises';
import { BridgeError } from '../../errors';

// Reads the tags of a TIFF or BigTIFF, never its pixels: enough to find pyramid levels and the pixel size before a
// decoder sees the file. Tag numbers: TIFF 6.0 specification; SubIFDs: TIFF supplement 1; BigTIFF: Aware Systems.

/** One image of a TIFF: its size, layout, and the tags that say how large a pixel is. */
export interface TiffDirectory {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly samplesPerPixel: number;
  /** 1 unsigned, 2 signed, 3 float. */
  readonly sampleFormat: number;
  readonly compression: number;
  /** Size of a tile, px; absent when the image is in strips. */
  readonly tile?: { readonly width: number; readonly height: number };
  /** Pixels per `resolutionUnit`, absent or 0 when not said. */
  readonly xResolution: number;
  readonly yResolution: number;
  /** 1 none, 2 inch, 3 cm. */
  readonly resolutionUnit: number;
  readonly description: string;
  /** Reduced images of this one, as OME-TIFF keeps its pyramid. */
  readonly subDirectories: readonly TiffDirectory[];
}

const MAX_DIRECTORIES = 4096;
const MAX_ENTRIES = 4096;
/** OME-XML of a many-channel image runs to megabytes; more than this is no description. */
const MAX_DESCRIPTION = 16 * 1024 * 1024;

const TAG = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  description: 270,
  samplesPerPixel: 277,
  xResolution: 282,
  yResolution: 283,
  resolutionUnit: 296,
  tileWidth: 322,
  tileHeight: 323,
  subDirectories: 330,
  sampleFormat: 339,
  stripOffsets: 273,
  rowsPerStrip: 278,
  planarConfiguration: 284,
  tileOffsets: 324,
} as const;
/** Only their number matters here, and a large slide has millions. */
const COUNTED: readonly number[] = [TAG.stripOffsets, TAG.tileOffsets];

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
const ASCII = 2;

/**
 * The top-level images of the file in order, each with the reduced images below it.
 * @throws BridgeError `ImageUnreadable` when the tags do not hold together (truncated, offsets outside, loops)
 */
export async function readTiffDirectories(path: string): Promise<readonly TiffDirectory[]> {
  const file = await open(path, 'r');
  try {
    const reader = new TagReader(file, (await file.stat()).size);
    return await reader.directories();
  } finally {
    await file.close();
  }
}

interface Entry {
  readonly type: number;
  readonly count: number;
  readonly bytes: Buffer;
}

class TagReader {
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #seen = new Set<number>();
  #little = true;
  #big = false;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async directories(): Promise<TiffDirectory[]> {
    const head = await this.#read(0, 8);
    this.#little = head.toString('latin1', 0, 2) === 'II';
    this.#big = this.#integer(head, 2, 2) === 43;
    let offset = this.#big ? this.#integer(await this.#read(8, 8), 0, 8) : this.#integer(head, 4, 4);
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
    const { entries, next } = await this.#entries(offset);
    const numbers = (tag: number): number[] => this.#numbers(entries.get(tag));
    const number = (tag: number, absent: number): number => numbers(tag)[0] ?? absent;
    const tile = { width: number(TAG.tileWidth, 0), height: number(TAG.tileHeight, 0) };
    const subDirectories: TiffDirectory[] = [];
    if (top) {
      for (const sub of numbers(TAG.subDirectories))
        subDirectories.push((await this.#directory(sub, false)).directory);
    }
    const directory: TiffDirectory = {
      width: number(TAG.width, 0),
      height: number(TAG.height, 0),
      bitsPerSample: number(TAG.bitsPerSample, 1),
      samplesPerPixel: number(TAG.samplesPerPixel, 1),
      sampleFormat: number(TAG.sampleFormat, 1),
      compression: number(TAG.compression, 1),
      ...(tile.width > 0 && tile.height > 0 ? { tile } : {}),
      xResolution: number(TAG.xResolution, 0),
      yResolution: number(TAG.yResolution, 0),
      resolutionUnit: number(TAG.resolutionUnit, 2),
      description: entries.get(TAG.description)?.bytes.toString('utf8').replace(/\0.*$/s, '') ?? '',
      subDirectories,
    };
    if (directory.width < 1 || directory.height < 1) throw unreadable('an image in it has no size');
    const rows = Math.max(1, Math.min(number(TAG.rowsPerStrip, directory.height), directory.height));
    const { width, height } = directory.tile ?? { width: directory.width, height: rows };
    const planes = number(TAG.planarConfiguration, 1) === 2 ? directory.samplesPerPixel : 1;
    const blocks = Math.ceil(directory.width / width) * Math.ceil(directory.height / height) * planes;
    const listed = entries.get(directory.tile === undefined ? TAG.stripOffsets : TAG.tileOffsets)?.count ?? 0;
    // A decoder fills what is missing with black.
    if (listed < blocks) throw unreadable(`${listed} of ${blocks} blocks of an image are listed`);
    return { directory, next };
  }

  /** The wanted tags of one directory, with the bytes of their values, and the offset of the next directory. */
  async #entries(offset: number): Promise<{ entries: Map<number, Entry>; next: number }> {
    const countBytes = this.#big ? 8 : 2;
    const entryBytes = this.#big ? 20 : 12;
    const inlineBytes = this.#big ? 8 : 4;
    const count = this.#integer(await this.#read(offset, countBytes), 0, countBytes);
    if (count > MAX_ENTRIES) throw unreadable(`a directory claims ${count} entries`);
    const table = await this.#read(offset + countBytes, count * entryBytes + inlineBytes);
    const entries = new Map<number, Entry>();
    for (let index = 0; index < count; index += 1) {
      const at = index * entryBytes;
      const tag = this.#integer(table, at, 2);
      const type = this.#integer(table, at + 2, 2);
      const width = TYPE_BYTES[type];
      if (width === undefined || !(Object.values(TAG) as number[]).includes(tag)) continue;
      const values = this.#integer(table, at + 4, inlineBytes);
      const bytes = COUNTED.includes(tag) ? 0 : values * width;
      if (bytes > MAX_DESCRIPTION) throw unreadable(`tag ${tag} claims ${bytes} bytes`);
      const valueAt = at + entryBytes - inlineBytes;
      entries.set(tag, {
        type,
        count: values,
        bytes:
          bytes <= inlineBytes
            ? table.subarray(valueAt, valueAt + bytes)
            : await this.#read(this.#integer(table, valueAt, inlineBytes), bytes),
      });
    }
    return { entries, next: this.#integer(table, count * entryBytes, inlineBytes) };
  }

  #numbers(entry: Entry | undefined): number[] {
    if (entry === undefined || entry.type === ASCII) return [];
    const width = TYPE_BYTES[entry.type] ?? 1;
    return Array.from({ length: entry.count }, (_, index) => {
      const at = index * width;
      if (entry.type !== 5) return this.#integer(entry.bytes, at, width);
      const denominator = this.#integer(entry.bytes, at + 4, 4);
      return denominator === 0 ? 0 : this.#integer(entry.bytes, at, 4) / denominator;
    });
  }

  #integer(bytes: Buffer, at: number, width: number): number {
    if (width === 8) return Number(this.#little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    return this.#little ? bytes.readUIntLE(at, width) : bytes.readUIntBE(at, width);
  }

  async #read(offset: number, length: number): Promise<Buffer> {
    if (offset + length > this.#size) throw unreadable('it ends in the middle of its tags');
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(length), 0, length, offset);
    if (bytesRead < length) throw unreadable('it ends in the middle of its tags');
    return buffer;
  }
}

function unreadable(reason: string): BridgeError {
  return new BridgeError('ImageUnreadable', `the TIFF file cannot be read: ${reason}`, {
    hint: 'check that the file opens in another viewer; it may be truncated',
  });
}
