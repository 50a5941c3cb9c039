import { round } from './report';

/** Scores of one bin against what is true. */
export interface ReliabilityBin {
  /** Mean score, 0..1. */
  readonly score: number;
  /** Share that is of the asked class, 0..1. */
  readonly share: number;
  readonly nuclei: number;
}

/** How far scores can be read as probabilities. */
export interface Reliability {
  readonly method: string;
  /** Expected calibration error: mean distance of a bin's score from its share, weighted by its nuclei (Guo et al. 2017). */
  readonly ece: number;
  /** The same for each number of clicks: "5", "5 + 5". */
  readonly eceByClicks: Readonly<Record<string, number>>;
  readonly bins: readonly ReliabilityBin[];
}

/** The score of one nucleus whose label is known. */
export interface JudgedScore {
  readonly score: number;
  readonly wanted: boolean;
}

const BINS = 10;

/** Bins of equal width over 0..1, empty ones left out. */
export function reliabilityBins(scores: readonly JudgedScore[]): ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, () => ({ nuclei: 0, score: 0, wanted: 0 }));
  for (const { score, wanted } of scores) {
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))]!;
    bin.nuclei++;
    bin.score += score;
    bin.wanted += Number(wanted);
  }
  return sums
    .filter(({ nuclei }) => nuclei > 0)
    .map(({ nuclei, score, wanted }) => ({ score: score / nuclei, share: wanted / nuclei, nuclei }));
}

/** Expected calibration error of bins. */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { nuclei }) => sum + nuclei, 0);
  return bins.reduce((sum, { score, share, nuclei }) => sum + (nuclei * Math.abs(score - share)) / total, 0);
}

/** One method's reliability. @param groups its scores by number of clicks */
export function reliabilityOf(
  method: string,
  groups: ReadonlyMap<string, readonly JudgedScore[]>,
): Reliability {
  const bins = reliabilityBins([...groups.values()].flat());
  return {
    method,
    ece: round(calibrationError(bins)),
    eceByClicks: Object.fromEntries(
      [...groups].map(([name, scores]) => [name, round(calibrationError(reliabilityBins(scores)))]),
    ),
    bins: bins.map(({ score, share, nuclei }) => ({ score: round(score), share: round(share), nuclei })),
  };
}
