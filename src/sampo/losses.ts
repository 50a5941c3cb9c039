import type { GraphBuilder } from '../autodiff/builder';

/** log(1 + eˣ), finite for every x. */
const softplus = (b: GraphBuilder, x: string): string => b.emit('Softplus', [x]);

/** Σ w·x / Σ w: the mean over entries in use; 0 where none is. */
function weightedMean(b: GraphBuilder, values: string, weights: string): string {
  const total = b.total(weights);
  const used = b.emit('Greater', [total, b.scalar(0)]);
  return b.div(b.total(b.mul(values, weights)), b.where(used, total, b.scalar(1)));
}

/**
 * L_dpo = mean_p −(1 − ε)·log σ(β·margin_p) − ε·log σ(−β·margin_p) = mean_p softplus(−β·margin_p) + ε·β·margin_p
 * (Rafailov et al. 2023, eq. 7; with ε, the share of preferences that point the wrong way, Mitchell 2023, "conservative DPO": the
 * loss has its minimum at a margin of log((1 − ε)/ε)/β instead of nowhere). The margin is a mean over disagreeing pixels, so β
 * does not depend on the size of objects.
 * @param margins `[P]`  @param weights `[P]`, 0 for unused rows
 */
export function dpoLoss(b: GraphBuilder, margins: string, weights: string, beta: number, wrong = 0): string {
  const loss = softplus(b, b.scale(margins, -beta));
  return weightedMean(b, wrong > 0 ? b.add(loss, b.scale(margins, wrong * beta)) : loss, weights);
}

/**
 * L_rank = mean_p −log σ(s_w − s_l): Bradley-Terry on the quality scores.
 * @param scores s `[1, K]`  @param ranks `[P, K]`: +1 at the winner, −1 at the loser  @param weights `[P]`
 */
export function rankLoss(b: GraphBuilder, scores: string, ranks: string, weights: string): string {
  const difference = b.reduceSum(b.mul(ranks, scores), [1], false);
  return weightedMean(b, softplus(b, b.neg(difference)), weights);
}

/**
 * Dice loss on judged pixels, mean over heads in use: 1 − (2 Σ p·t + 1) / (Σ p + Σ t + 1) with p = σ(z).
 * @param logits `[1, K, H, W]`  @param target, judged `[1, 1, H, W]`  @param heads `[1, K]` weights
 */
export function diceLoss(
  b: GraphBuilder,
  logits: string,
  target: string,
  judged: string,
  heads: string,
): string {
  const seen = (value: string): string => headSums(b, b.mul(value, judged));
  const p = b.emit('Sigmoid', [logits]);
  const overlap = b.shift(b.scale(seen(b.mul(p, target)), 2), 1);
  const sizes = b.shift(b.add(seen(p), seen(target)), 1);
  return weightedMean(b, b.sub(b.scalar(1), b.div(overlap, sizes)), heads);
}

/**
 * Focal loss on judged pixels (Lin et al. 2017), mean over pixels, then over heads in use: −α_t (1 − p_t)² log p_t with
 * p_t = σ(±z), written as softplus(∓z) so that no logarithm of a probability is formed; α = 0.5 (both classes alike).
 * Shapes as in `diceLoss`.
 */
export function focalLoss(
  b: GraphBuilder,
  logits: string,
  target: string,
  judged: string,
  heads: string,
): string {
  const sign = b.shift(b.scale(target, 2), -1);
  const towards = b.mul(logits, sign);
  const miss = b.emit('Sigmoid', [b.neg(towards)]);
  const each = b.mul(b.mul(miss, miss), softplus(b, b.neg(towards)));
  const sums = headSums(b, b.mul(each, judged));
  const count = b.emit('Clip', [b.total(judged), b.scalar(1)]);
  return weightedMean(b, b.div(sums, count), heads);
}

/**
 * (s_k − IoU_k)², mean over heads in use: the score regresses what the mask really is.
 * @param scores, targets, heads `[1, K]`; targets are IoUs on judged pixels
 */
export function scoreLoss(b: GraphBuilder, scores: string, targets: string, heads: string): string {
  const error = b.sub(scores, targets);
  return weightedMean(b, b.mul(error, error), heads);
}

/** Sum over pixels: `[1, K, H, W]` → `[1, K]`. */
function headSums(b: GraphBuilder, value: string): string {
  const [n = 1, k = 1, height = 1, width = 1] = b.dims(value);
  return b.reduceSum(b.reshape(value, [n, k, height * width]), [2], false);
}
