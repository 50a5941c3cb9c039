import { throwIfAborted } from '../../abort';
import { withFile, type ByteSource } from './byteSource';
import type { PixelRectangle } from './imageSource';
import type { PicturePlan } from './picturePlan';
import { BlockReader, readBlockTable, surveyBlocks, type BlockSurvey, type Samples } from './tiffBlocks';
import type { SampleKind } from './tiffCompression';

/** Blocks that are decoded at the same time for one region. */
const AT_ONCE = 8;

/** A plane of samples: in which picture of a level it lies, and which sample of it. */
export interface SamplePlace {
  readonly picture: number;
  readonly sample: number;
}

/** Samples of a rectangle, and whether some of it was left out by the writer (and holds `empty`). */
export interface PictureSamples {
  readonly data: Samples;
  readonly channels: number;
}

/** The planned levels of a TIFF as samples, as they are stored. */
export class TiffPicture {
  readonly #path: string;
  readonly #kind: SampleKind;
  /** [level][picture of it] */
  readonly #readers: readonly (readonly BlockReader[])[];
  readonly surveys: readonly BlockSurvey[];

  private constructor(
    path: string,
    kind: SampleKind,
    readers: readonly (readonly BlockReader[])[],
    surveys: readonly BlockSurvey[],
  ) {
    this.#path = path;
    this.#kind = kind;
    this.#readers = readers;
    this.surveys = surveys;
  }

  /** Reads where the blocks lie. @throws BridgeError `ImageUnreadable` */
  static async open(path: string, { levels, kind }: PicturePlan): Promise<TiffPicture> {
    return withFile(path, async (file) => {
      const surveys: BlockSurvey[] = [];
      const readers: BlockReader[][] = [];
      for (const { directories } of levels) {
        const ofLevel: BlockReader[] = [];
        for (const directory of directories) {
          const table = await readBlockTable(directory, file);
          surveys.push(surveyBlocks(table, file.size));
          ofLevel.push(new BlockReader(directory, table, kind));
        }
        readers.push(ofLevel);
      }
      return new TiffPicture(path, kind, readers, surveys);
    });
  }

  /**
   * The samples of `places`, interleaved in that order.
   * @param rectangle inside the level
   * @param empty the value of each place where the writer left a block out
   * @throws BridgeError `ImageUnreadable` naming the block
   */
  async read(
    level: number,
    rectangle: PixelRectangle,
    places: readonly SamplePlace[],
    empty: readonly number[],
    signal?: AbortSignal,
  ): Promise<Samples> {
    const length = rectangle.width * rectangle.height * places.length;
    const output = this.#allocate(length);
    return withFile(this.#path, async (file) => {
      const work: (() => Promise<void>)[] = [];
      for (const [picture, reader] of this.#readers[level]!.entries()) {
        const wanted = places.flatMap((place, channel) =>
          place.picture === picture ? [{ sample: place.sample, channel, empty: empty[channel]! }] : [],
        );
        const planes = new Set(wanted.map(({ sample }) => (reader.grid.planes > 1 ? sample : 0)));
        for (const plane of planes) {
          const targets = wanted.filter(({ sample }) => reader.grid.planes === 1 || sample === plane);
          for (const [column, row] of blocksOf(reader, rectangle)) {
            work.push(() =>
              copyBlock(file, reader, { plane, column, row }, rectangle, targets, output, places.length),
            );
          }
        }
      }
      await inTurns(work, signal);
      return output;
    });
  }

  #allocate(length: number): Samples {
    if (this.#kind === 'float') return new Float32Array(length);
    return this.#kind === '16 bit' ? new Uint16Array(length) : new Uint8Array(length);
  }
}

interface BlockPlace {
  readonly plane: number;
  readonly column: number;
  readonly row: number;
}

interface Target {
  readonly sample: number;
  readonly channel: number;
  readonly empty: number;
}

function blocksOf({ grid }: BlockReader, { x, y, width, height }: PixelRectangle): [number, number][] {
  const blocks: [number, number][] = [];
  const { blockWidth, blockHeight } = grid;
  for (let row = Math.floor(y / blockHeight); row * blockHeight < y + height; row += 1) {
    for (let column = Math.floor(x / blockWidth); column * blockWidth < x + width; column += 1)
      blocks.push([column, row]);
  }
  return blocks;
}

/** Copies what a block and the rectangle share. */
async function copyBlock(
  file: ByteSource,
  reader: BlockReader,
  { plane, column, row }: BlockPlace,
  rectangle: PixelRectangle,
  targets: readonly Target[],
  output: Samples,
  channels: number,
): Promise<void> {
  const { blockWidth, samples, planes } = reader.grid;
  const place = reader.place(column, row);
  const left = Math.max(place.x, rectangle.x);
  const right = Math.min(place.x + place.width, rectangle.x + rectangle.width);
  const top = Math.max(place.y, rectangle.y);
  const bottom = Math.min(place.y + place.height, rectangle.y + rectangle.height);
  const block = await reader.read(file, plane, column, row);
  const asStored =
    block !== undefined &&
    targets.length === samples &&
    channels === samples &&
    targets.every(({ sample, channel }) => sample === channel);
  for (let y = top; y < bottom; y += 1) {
    const to = ((y - rectangle.y) * rectangle.width + left - rectangle.x) * channels;
    const from = ((y - place.y) * blockWidth + left - place.x) * samples;
    if (asStored) {
      output.set(block.subarray(from, from + (right - left) * samples), to);
      continue;
    }
    for (const { sample, channel, empty } of targets) {
      const offset = planes > 1 ? 0 : sample;
      for (let x = 0; x < right - left; x += 1)
        output[to + x * channels + channel] =
          block === undefined ? empty : block[from + x * samples + offset]!;
    }
  }
}

/** Runs the work a few at a time, until one fails or the signal aborts. */
async function inTurns(
  work: readonly (() => Promise<void>)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < work.length && !failed) {
      throwIfAborted(signal);
      const index = next;
      next += 1;
      try {
        await work[index]!();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, work.length) }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
