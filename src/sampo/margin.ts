import type { Value } from '../autodiff/value';

/** Which way a pair pulls: sign and weight per pixel, so that a margin is one inner product. */
export interface Direction {
  /** (m_chosen − m_rejected) / |D| on the disagreeing, judged pixels, 0 elsewhere; `[H·W]`. */
  readonly weights: Float32Array;
  /** |D|. */
  readonly disagreeing: number;
}

/**
 * Direction of a pair of binary masks (0 or 1 per pixel, `[H·W]`): log π(chosen) − log π(rejected) keeps only the pixels D where
 * they differ and is linear in the logits, because log σ(z) − log σ(−z) = z. Only judged pixels count when `judged`
 * is given. Undefined when nothing is left of D: then it is not a pair.
 */
export function preferenceDirection(
  chosen: Uint8Array,
  rejected: Uint8Array,
  judged?: Uint8Array,
): Direction | undefined {
  const weights = new Float32Array(chosen.length);
  let disagreeing = 0;
  for (let i = 0; i < chosen.length; i++) {
    const sign = judged?.[i] === 0 ? 0 : chosen[i]! - rejected[i]!;
    weights[i] = sign;
    disagreeing += Math.abs(sign);
  }
  if (disagreeing === 0) return undefined;
  for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! / disagreeing;
  return { weights, disagreeing };
}

/**
 * (log π(chosen) − log π(rejected)) / |D| = Σ direction · z for one head's logits `[H·W]`: the log-ratio that a margin compares
 * between policy and reference.
 */
export function logRatio(direction: Direction, logits: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += direction.weights[i]! * logits[i]!;
  return sum;
}

/**
 * The log-ratios of P pairs at once, in a graph: (1/|D|) Σ_{i∈D} (m_chosen,i − m_rejected,i) z_i.
 * @param logits z `[1, K, H, W]`  @param directions `[P, H·W]`  @param heads `[P, K]`, rows of sum 1: whose logits answer
 * @returns `[P]`
 */
export function logRatios(logits: Value, directions: Value, heads: Value): Value {
  const [, k = 1, height = 1, width = 1] = logits.dims;
  const byHead = directions.gemm(logits.reshape([k, height * width]), { transB: true });
  return byHead.mul(heads).sum([1]);
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
