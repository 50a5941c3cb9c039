import { float32Tensor, type Tensor } from '../tensor';
import type { JudgedPixels } from './judgedPixels';
import { directedLogits } from './margin';
import { headLogits, type Answer, type PreferencePair, type RatedAnswer } from './mining';
import type { ObjectiveSettings } from './objective';

/** One train step's question: a prompt's answer, the pairs conditioned on it, and what is known of its pixels. */
export interface StepSupervision {
  readonly answer: RatedAnswer;
  /** The reference decoder's answer to the same prompt: computed once per refinement. */
  readonly reference: Answer;
  readonly pairs: readonly PreferencePair[];
  readonly judged: JudgedPixels;
}

/** Share of the pixel loss that heads other than the best one get where one is shown, so that each stays alive. */
const OTHER_HEADS = 0.3;

/**
 * Values of the inputs that `sampoObjective` declares, for at most `slots` pairs (the rest are dropped; unused rows weigh
 * 0). Only inputs of the parts in use are given.
 */
export function lossFeeds(
  step: StepSupervision,
  settings: ObjectiveSettings,
  slots: number,
  height: number,
  width: number,
): Record<string, Tensor> {
  const k = step.answer.scores.length;
  const pixels = height * width;
  const pairs = step.pairs.slice(0, slots);
  const feeds: Record<string, Tensor> = {};
  const rows = (columns: number, fill: (row: Float32Array, pair: PreferencePair) => void): Float32Array => {
    const data = new Float32Array(slots * columns);
    pairs.forEach((pair, p) => fill(data.subarray(p * columns, (p + 1) * columns), pair));
    return data;
  };
  const put = (name: string, dims: readonly number[], data: Float32Array): void => {
    feeds[name] = float32Tensor(dims, data);
  };
  if (settings.lambdaDpo > 0) {
    put(
      'pairDirections',
      [slots, pixels],
      rows(pixels, (row, pair) => row.set(pair.direction.weights)),
    );
    put(
      'pairHeads',
      [slots, k],
      rows(k, (row, { head }) => (head === 'mean' ? row.fill(1 / k) : (row[head] = 1))),
    );
    put(
      'pairWeights',
      [slots],
      rows(1, (row, { weight = 1 }) => (row[0] = weight)),
    );
    const margin = (pair: PreferencePair): number =>
      directedLogits(pair.direction, headLogits(step.reference, pair.head));
    put(
      'referenceMargins',
      [slots],
      rows(1, (row, pair) => (row[0] = margin(pair))),
    );
  }
  if (settings.lambdaRank > 0) {
    put(
      'rankDirections',
      [slots, k],
      rows(k, (row, { rank }) => {
        if (!rank) return;
        row[rank.winner] = 1;
        row[rank.loser] = -1;
      }),
    );
    put(
      'rankWeights',
      [slots],
      rows(1, (row, { rank }) => (row[0] = rank ? 1 : 0)),
    );
  }
  if (settings.lambdaSegment > 0) {
    const best = Math.max(...step.answer.utilities);
    const { utilities, shown } = step.answer;
    const heads = utilities.map((value) => (value === best || shown === 'mean' ? 1 : OTHER_HEADS));
    put('target', [1, 1, height, width], step.judged.target);
    put('judged', [1, 1, height, width], step.judged.weights);
    put('segmentHeads', [1, k], Float32Array.from(heads));
  }
  if (settings.lambdaScore > 0) {
    put('scoreTargets', [1, k], Float32Array.from(step.answer.utilities));
    put('scoreHeads', [1, k], new Float32Array(k).fill(1));
  }
  return feeds;
}

/** What a step's margins say: their mean, and the reward accuracy (share of margins > 0), over the pairs in use. */
export function marginMetrics(
  margins: Float32Array,
  used: number,
): { meanMargin: number; rewardAccuracy: number } {
  const live = margins.subarray(0, used);
  if (live.length === 0) return { meanMargin: 0, rewardAccuracy: 0 };
  const sum = live.reduce((total, margin) => total + margin, 0);
  const positive = live.reduce((count, margin) => count + (margin > 0 ? 1 : 0), 0);
  return { meanMargin: sum / live.length, rewardAccuracy: positive / live.length };
}
