import type { GraphBuilder } from '../autodiff/builder';

/** Which way a pair pulls: sign and weight per pixel, so that a margin is one inner product. */
export interface Direction {
  /** (m_w − m_l) / |D| on the disagreeing, judged pixels, 0 elsewhere; `[H·W]`. */
  readonly weights: Float32Array;
  /** |D|. */
  readonly disagreeing: number;
}

/**
 * Direction of a pair of binary masks (0 or 1 per pixel, `[H·W]`): log π(m_w) − log π(m_l) keeps only the pixels D where
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

/** Σ direction · z for one head's logits `[H·W]`. With the reference's logits this is the constant part of a margin. */
export function directedLogits(direction: Direction, logits: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += direction.weights[i]! * logits[i]!;
  return sum;
}

/**
 * margin_p = (1/|D|) Σ_{i∈D} (m_w,i − m_l,i)(z_θ,i − z_ref,i) for P pairs at once.
 * @param logits z_θ `[1, K, H, W]`  @param directions `[P, H·W]`  @param heads `[P, K]`, rows of sum 1: whose logits answer
 * @param references Σ direction · z_ref `[P]`, constants of the refinement
 * @returns margins `[P]`
 */
export function margins(
  b: GraphBuilder,
  logits: string,
  directions: string,
  heads: string,
  references: string,
): string {
  const [, k = 1, height = 1, width = 1] = b.dims(logits);
  const byHead = b.gemm(directions, b.reshape(logits, [k, height * width]), false, true);
  return b.sub(b.reduceSum(b.mul(byHead, heads), [1], false), references);
}
