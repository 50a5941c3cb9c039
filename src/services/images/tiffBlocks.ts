import { BridgeError } from '../../errors';
import type { ByteSource } from './byteSource';
import type { PixelRectangle } from './imageSource';
import { COMPRESSIONS, type SampleKind } from './tiffCompression';
import { predictorOf } from './tiffReading';
import { readNumbers, type TiffDirectory } from './tiffTags';

/** Values of one kind: whole numbers as they are stored, floats as they are. */
export type Samples = Uint8Array | Uint16Array | Float32Array;

/** How the blocks (tiles or strips) of a picture lie. */
export interface BlockGrid {
  /** px */
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly across: number;
  readonly down: number;
  /** 1, or the number of samples where each has a plane of its own. */
  readonly planes: number;
  /** Samples of a pixel inside one block. */
  readonly samples: number;
}

/** Where the blocks of a picture lie in its file. */
export interface BlockTable {
  readonly offsets: Float64Array;
  readonly byteCounts: Float64Array;
}

/** What is amiss with the blocks of a picture, before one is decoded. */
export interface BlockSurvey {
  readonly blocks: number;
  /** Blocks that the writer left out on purpose: no bytes. */
  readonly leftOut: number;
  /** Blocks that lie beyond the end of the file. */
  readonly beyondTheEnd: number;
}

/** px; real tiles are 256 to 1024 wide. */
export const MAX_TILE_PIXELS = 4096 * 4096;

export function blockGrid(directory: TiffDirectory): BlockGrid {
  const { width, height, tile, rowsPerStrip, samplesPerPixel } = directory;
  const block = tile ?? { width, height: rowsPerStrip };
  const separate = directory.planarConfiguration === 2 && samplesPerPixel > 1;
  return {
    blockWidth: block.width,
    blockHeight: block.height,
    across: Math.ceil(width / block.width),
    down: Math.ceil(height / block.height),
    planes: separate ? samplesPerPixel : 1,
    samples: separate ? 1 : samplesPerPixel,
  };
}

/** @throws BridgeError `ImageUnreadable` when fewer blocks are listed than the picture has */
export async function readBlockTable(directory: TiffDirectory, file: ByteSource): Promise<BlockTable> {
  const { across, down, planes } = blockGrid(directory);
  const blocks = across * down * planes;
  const { blockOffsets, blockByteCounts, littleEndian } = directory;
  const listed = Math.min(blockOffsets?.count ?? 0, blockByteCounts?.count ?? blocks);
  if (listed < blocks) {
    throw new BridgeError(
      'ImageUnreadable',
      `the TIFF file lists ${listed} of the ${blocks} blocks of a picture of ${directory.width} x ${directory.height} px`,
      { hint: 'the file is damaged or was not written to its end: save it again' },
    );
  }
  const offsets = await readNumbers(blockOffsets, littleEndian, file);
  // Baseline files of one uncompressed strip may leave the byte counts out.
  const byteCounts =
    blockByteCounts === undefined
      ? offsets.map((offset) => Math.max(0, file.size - offset))
      : await readNumbers(blockByteCounts, littleEndian, file);
  return { offsets, byteCounts };
}

export function surveyBlocks({ offsets, byteCounts }: BlockTable, fileSize: number): BlockSurvey {
  let leftOut = 0;
  let beyondTheEnd = 0;
  for (let block = 0; block < offsets.length; block += 1) {
    if (isLeftOut({ offsets, byteCounts }, block)) leftOut += 1;
    else if (offsets[block]! + byteCounts[block]! > fileSize) beyondTheEnd += 1;
  }
  return { blocks: offsets.length, leftOut, beyondTheEnd };
}

/** Blocks that begin inside another one: at least one of the two is misplaced. Shared blocks (blank tiles) are none. */
export function misplacedBlocks({ offsets, byteCounts }: BlockTable): ReadonlySet<number> {
  const order = Array.from(offsets.keys())
    .filter((block) => byteCounts[block]! > 0)
    .sort((a, b) => offsets[a]! - offsets[b]!);
  const misplaced = new Set<number>();
  let last = order[0];
  for (const block of order.slice(1)) {
    const end = offsets[last!]! + byteCounts[last!]!;
    const same = offsets[block] === offsets[last!] && byteCounts[block] === byteCounts[last!];
    if (!same && offsets[block]! < end) {
      misplaced.add(block);
      misplaced.add(last!);
    }
    if (offsets[block]! + byteCounts[block]! >= end) last = block;
  }
  return misplaced;
}

function isLeftOut({ offsets, byteCounts }: BlockTable, block: number): boolean {
  return byteCounts[block] === 0 || offsets[block] === 0;
}

/** Reads the blocks of one directory. */
export class BlockReader {
  readonly grid: BlockGrid;
  readonly #directory: TiffDirectory;
  readonly #table: BlockTable;
  readonly #kind: SampleKind;
  readonly #misplaced: ReadonlySet<number>;

  constructor(directory: TiffDirectory, table: BlockTable, kind: SampleKind) {
    this.#directory = directory;
    this.#table = table;
    this.#kind = kind;
    this.grid = blockGrid(directory);
    this.#misplaced = misplacedBlocks(table);
  }

  /** The rectangle that a block covers, cut at the edges of the picture. */
  place(column: number, row: number): PixelRectangle {
    const { blockWidth, blockHeight } = this.grid;
    const [x, y] = [column * blockWidth, row * blockHeight];
    return {
      x,
      y,
      width: Math.min(blockWidth, this.#directory.width - x),
      height: Math.min(blockHeight, this.#directory.height - y),
    };
  }

  /**
   * The samples of a block, interleaved, `blockWidth` a row; undefined where the writer left the block out.
   * @throws BridgeError `ImageUnreadable` naming the block and its place in the picture
   */
  async read(file: ByteSource, plane: number, column: number, row: number): Promise<Samples | undefined> {
    const { across, down } = this.grid;
    const block = plane * across * down + row * across + column;
    if (isLeftOut(this.#table, block)) return undefined;
    try {
      return await this.#decode(file, block, row);
    } catch (error) {
      const { x, y, width, height } = this.place(column, row);
      const what = this.#directory.tile === undefined ? 'strip' : 'tile';
      const reason = messageOf(error).trim().split('\n')[0]!;
      throw new BridgeError(
        'ImageUnreadable',
        `the ${what} at x ${x} to ${x + width}, y ${y} to ${y + height} cannot be decoded: ${reason}`,
        { x, y, width, height, reason, hint: 'the file is damaged there: copy it again from its source' },
      );
    }
  }

  async #decode(file: ByteSource, block: number, row: number): Promise<Samples> {
    const directory = this.#directory;
    const { blockWidth, blockHeight, samples } = this.grid;
    const offset = this.#table.offsets[block]!;
    const count = this.#table.byteCounts[block]!;
    if (offset + count > file.size) throw new Error('it lies beyond the end of the file');
    if (this.#misplaced.has(block)) throw new Error('its bytes overlap those of another block');
    // The last strip has only the rows that are left; a tile is always whole.
    const height =
      directory.tile === undefined
        ? Math.min(blockHeight, directory.height - row * blockHeight)
        : blockHeight;
    const rowValues = blockWidth * samples;
    const size = Math.ceil((rowValues * KIND_BITS[this.#kind]) / 8) * height;
    const compression = COMPRESSIONS[directory.compression];
    if (compression === undefined) throw new Error('its compression is not read');
    const bytes = await file.read(offset, count);
    const decoded = await compression.decode({ bytes, width: blockWidth, height, samples, size, directory });
    if (decoded.length < size) throw new Error(`it has ${decoded.length} of ${size} bytes`);
    return toSamples(decoded.subarray(0, size), rowValues, samples, this.#kind, directory);
  }
}

/** The message of whatever was thrown; zlib's errors come from another realm under test. */
function messageOf(error: unknown): string {
  return error !== null && typeof error === 'object' && 'message' in error
    ? String(error.message)
    : String(error);
}

const KIND_BITS: Readonly<Record<SampleKind, number>> = {
  '1 bit': 1,
  '2 bit': 2,
  '4 bit': 4,
  '8 bit': 8,
  '16 bit': 16,
  float: 32,
};

/** Bytes of a block as values: byte order, predictor and packed bits undone. */
function toSamples(
  bytes: Uint8Array,
  rowValues: number,
  samples: number,
  kind: SampleKind,
  directory: TiffDirectory,
): Samples {
  const predictor = predictorOf(directory);
  if (kind === '8 bit')
    return predictor === 2 ? undoDifferences(Uint8Array.from(bytes), rowValues, samples) : bytes;
  if (kind === '16 bit') {
    const values = new Uint16Array(copyOf(bytes, directory.littleEndian ? 1 : 2));
    return predictor === 2 ? undoDifferences(values, rowValues, samples) : values;
  }
  if (kind === 'float') {
    return predictor === 3
      ? undoFloatPredictor(bytes, rowValues, samples)
      : new Float32Array(copyOf(bytes, directory.littleEndian ? 1 : 4));
  }
  return unpack(bytes, rowValues, KIND_BITS[kind]);
}

/** The bytes in a buffer of their own, each group of `swap` reversed. The machine is little-endian, as Node's all are. */
function copyOf(bytes: Uint8Array, swap: 1 | 2 | 4): ArrayBuffer {
  const copy = new Uint8Array(bytes);
  if (swap === 2) Buffer.from(copy.buffer).swap16();
  if (swap === 4) Buffer.from(copy.buffer).swap32();
  return copy.buffer;
}

/** TIFF 6.0 section 14: each value is the difference from the one before in its row; sums wrap around. */
function undoDifferences<T extends Uint8Array | Uint16Array>(
  values: T,
  rowValues: number,
  samples: number,
): T {
  for (let start = 0; start < values.length; start += rowValues) {
    for (let at = start + samples; at < start + rowValues; at += 1) {
      values[at] = values[at]! + values[at - samples]!;
    }
  }
  return values;
}

/** Adobe Photoshop TIFF Technical Note 3: bytes of a row by significance, highest first, then differences. */
function undoFloatPredictor(bytes: Uint8Array, rowValues: number, samples: number): Float32Array {
  const rowBytes = rowValues * 4;
  const sums = Uint8Array.from(bytes);
  const values = new DataView(new ArrayBuffer(bytes.length));
  for (let start = 0; start < sums.length; start += rowBytes) {
    for (let at = start + samples; at < start + rowBytes; at += 1) sums[at] = sums[at]! + sums[at - samples]!;
    for (let value = 0; value < rowValues; value += 1) {
      for (let part = 0; part < 4; part += 1) {
        values.setUint8(start + value * 4 + 3 - part, sums[start + part * rowValues + value]!);
      }
    }
  }
  return new Float32Array(values.buffer);
}

function unpack(bytes: Uint8Array, rowValues: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((rowValues * bits) / 8);
  const rows = bytes.length / rowBytes;
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const values = new Uint8Array(rows * rowValues);
  for (let row = 0; row < rows; row += 1) {
    for (let index = 0; index < rowValues; index += 1) {
      const byte = bytes[row * rowBytes + Math.floor(index / perByte)]!;
      values[row * rowValues + index] = (byte >> (8 - bits * ((index % perByte) + 1))) & mask;
    }
  }
  return values;
}
