import type { ImageLevel, PixelRectangle } from './imageSource';

// Does a reduced level show the picture above it? The finer level is averaged to the cells of the coarser one, and the two
// must correlate. Cells are a few pixels wide, so that it does not matter how a scanner shrinks its levels.

/** Reads interleaved values of a rectangle of a level. */
export type ReadValues = (level: number, rectangle: PixelRectangle) => Promise<ArrayLike<number>>;

/** Cells of one comparison, a side, and how many pixels of the coarser level each has. */
const CELLS = 24;
const CELL_PIXELS = 4;
const SPOTS = 3;
/** Levels of one picture correlate at 0.9 and more, two pictures of one slide hardly at all. */
const LEAST_CORRELATION = 0.6;
/** Below this share of the range a window holds nothing that could correlate. */
const FLAT = 0.02;
/** Means of flat windows (background) of one picture differ by less, as a share of the range. */
const SAME_MEAN = 0.08;

/**
 * Which levels disagree with the one above them.
 * @param channels values of a pixel @param range between the least and the largest value
 * @returns indices into `levels`
 */
export async function foreignLevels(
  levels: readonly ImageLevel[],
  channels: number,
  range: number,
  read: ReadValues,
): Promise<ReadonlySet<number>> {
  const foreign = new Set<number>();
  let above = 0;
  for (let level = 1; level < levels.length; level += 1) {
    const agrees = await levelsAgree(levels[above]!, levels[level]!, channels, range, (fine, rectangle) =>
      read(fine ? above : level, rectangle),
    );
    if (agrees) above = level;
    else foreign.add(level);
  }
  return foreign;
}

async function levelsAgree(
  fine: ImageLevel,
  coarse: ImageLevel,
  channels: number,
  range: number,
  read: (fine: boolean, rectangle: PixelRectangle) => Promise<ArrayLike<number>>,
): Promise<boolean> {
  const verdicts: boolean[] = [];
  for (const spot of spotsOf(coarse)) {
    const below = spotRectangle(spot, coarse, coarse);
    const above = spotRectangle(spot, coarse, fine);
    let cells: [Float64Array, Float64Array];
    try {
      cells = [
        cellMeans(await read(false, below), below, channels),
        cellMeans(await read(true, above), above, channels),
      ];
    } catch {
      // A damaged tile is told when a search meets it.
      continue;
    }
    verdicts.push(agree(cells[0], cells[1], channels, range));
  }
  // One spot of three may lie on a fold of focus or on dirt that JPEG has smeared.
  return verdicts.filter((verdict) => !verdict).length * 2 <= verdicts.length;
}

/** Parts of a level (0 to 1) that are looked at: the middle, and two off it. */
function spotsOf({ width, height }: ImageLevel): readonly (readonly [number, number])[] {
  const small = Math.max(width, height) <= 2 * CELLS * CELL_PIXELS;
  return small
    ? [[0.5, 0.5]]
    : (
        [
          [0.5, 0.5],
          [0.3, 0.35],
          [0.65, 0.7],
        ] as const
      ).slice(0, SPOTS);
}

function spotRectangle(
  [across, down]: readonly [number, number],
  coarse: ImageLevel,
  level: ImageLevel,
): PixelRectangle {
  const side = CELLS * CELL_PIXELS;
  const axis = (centre: number, coarseLength: number, length: number): { start: number; count: number } => {
    const cells = Math.min(side, coarseLength);
    const start = Math.round(Math.max(0, Math.min(coarseLength - cells, centre * coarseLength - cells / 2)));
    const scale = length / coarseLength;
    const first = Math.min(length - 1, Math.round(start * scale));
    return { start: first, count: Math.max(1, Math.min(length - first, Math.round(cells * scale))) };
  };
  const x = axis(across, coarse.width, level.width);
  const y = axis(down, coarse.height, level.height);
  return { x: x.start, y: y.start, width: x.count, height: y.count };
}

/** Means of CELLS x CELLS cells, [cell][channel]. */
function cellMeans(
  values: ArrayLike<number>,
  { width, height }: PixelRectangle,
  channels: number,
): Float64Array {
  const sums = new Float64Array(CELLS * CELLS * channels);
  const counts = new Float64Array(CELLS * CELLS);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor((y * CELLS) / height);
    for (let x = 0; x < width; x += 1) {
      const cell = row * CELLS + Math.floor((x * CELLS) / width);
      counts[cell]! += 1;
      for (let channel = 0; channel < channels; channel += 1)
        sums[cell * channels + channel]! += values[(y * width + x) * channels + channel]!;
    }
  }
  return sums.map((sum, at) => sum / Math.max(1, counts[Math.floor(at / channels)]!));
}

/** Whether two sets of cells show the same, each channel about its own mean: the common colour must not count. */
function agree(a: Float64Array, b: Float64Array, channels: number, range: number): boolean {
  let [covariance, varianceA, varianceB, worstMean] = [0, 0, 0, 0];
  const cells = a.length / channels;
  for (let channel = 0; channel < channels; channel += 1) {
    const [meanA, meanB] = [meanOf(a, channel, channels), meanOf(b, channel, channels)];
    worstMean = Math.max(worstMean, Math.abs(meanA - meanB));
    for (let cell = 0; cell < cells; cell += 1) {
      const [offA, offB] = [a[cell * channels + channel]! - meanA, b[cell * channels + channel]! - meanB];
      covariance += offA * offB;
      varianceA += offA * offA;
      varianceB += offB * offB;
    }
  }
  const deviation = (variance: number): number => Math.sqrt(variance / a.length) / range;
  if (deviation(varianceA) < FLAT && deviation(varianceB) < FLAT) return worstMean / range < SAME_MEAN;
  return covariance / Math.sqrt(varianceA * varianceB || 1) >= LEAST_CORRELATION;
}

function meanOf(values: Float64Array, channel: number, channels: number): number {
  let sum = 0;
  for (let at = channel; at < values.length; at += channels) sum += values[at]!;
  return (sum * channels) / values.length;
}
