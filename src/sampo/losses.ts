import type { Value } from '../autodiff/value';

/** Σ w·x / Σ w: the mean over entries in use; 0 where none is. */
function weightedMean(values: Value, weights: Value): Value {
  const total = weights.total();
  const used = total.greater(0);
  return values.mul(weights).total().div(used.where(total, 1));
}

/** What policy and reference make of P pairs, as `dpoLoss` compares it. */
export interface PreferenceBatch {
  /** log π_θ(chosen) − log π_θ(rejected) `[P]`, of the decoder in training. */
  readonly policyLogRatios: Value;
  /** log π_ref(chosen) − log π_ref(rejected) `[P]`, constants of the refinement. */
  readonly referenceLogRatios: Value;
  /** What each pair counts `[P]`, 0 for unused rows. */
  readonly weights: Value;
}

/**
 * Direct preference optimization (Rafailov et al. 2023, eq. 7):
 * margin_p = policy log-ratio − reference log-ratio, L_dpo = mean_p −(1 − ε)·log σ(β·margin_p) − ε·log σ(−β·margin_p)
 * = mean_p softplus(−β·margin_p) + ε·β·margin_p.
 * ε is the share of preferences that point the wrong way (Mitchell 2023, "conservative DPO"): with it the loss has its minimum at a
 * margin of log((1 − ε)/ε)/β instead of nowhere. A log-ratio is a mean over disagreeing pixels, so β does not depend on the size of
 * objects.
 * @returns the loss `[]` and the margins `[P]`: rewards of chosen less those of rejected, over β
 */
export function dpoLoss(
  { policyLogRatios, referenceLogRatios, weights }: PreferenceBatch,
  beta: number,
  labelSmoothing = 0,
): { loss: Value; margins: Value } {
  const margins = policyLogRatios.sub(referenceLogRatios);
  const losses = margins.mul(-beta).softplus();
  const smoothed = labelSmoothing > 0 ? losses.add(margins.mul(labelSmoothing * beta)) : losses;
  return { loss: weightedMean(smoothed, weights), margins };
}

/**
 * Bradley-Terry on the quality scores: L_rank = mean_p −log σ(s_chosen − s_rejected).
 * @param scores s `[1, K]`  @param ranks `[P, K]`: +1 at the chosen mask, −1 at the rejected one  @param weights `[P]`
 */
export function rankLoss(scores: Value, ranks: Value, weights: Value): Value {
  const differences = ranks.mul(scores).sum([1]);
  return weightedMean(differences.neg().softplus(), weights);
}

/** Masks and what is known of their pixels, for the pixel losses. */
export interface PixelBatch {
  /** Mask logits z `[1, K, H, W]`. */
  readonly logits: Value;
  /** 1 where the mask should be, else 0 `[1, 1, H, W]`. */
  readonly target: Value;
  /** What each pixel counts `[1, 1, H, W]`, 0 where nothing is known. */
  readonly pixelWeights: Value;
  /** What each mask counts `[1, K]`. */
  readonly headWeights: Value;
}

/** Dice loss, mean over masks: 1 − (2 Σ p·t + 1) / (Σ p + Σ t + 1) with p = σ(z), sums over weighted pixels. */
export function diceLoss({ logits, target, pixelWeights, headWeights }: PixelBatch): Value {
  const weightedSum = (value: Value): Value => sumOverPixels(value.mul(pixelWeights));
  const p = logits.sigmoid();
  const overlap = weightedSum(p.mul(target)).mul(2).add(1);
  const sizes = weightedSum(p).add(weightedSum(target)).add(1);
  return weightedMean(overlap.div(sizes).oneMinus(), headWeights);
}

/**
 * Focal loss (Lin et al. 2017), mean over weighted pixels, then over masks: −(1 − p_t)² log p_t with p_t = σ(±z), written as
 * softplus(∓z) so that no logarithm of a probability is formed. Both classes weigh alike.
 */
export function focalLoss({ logits, target, pixelWeights, headWeights }: PixelBatch): Value {
  const sign = target.mul(2).add(-1);
  const towardsTruth = logits.mul(sign);
  const miss = towardsTruth.neg().sigmoid();
  const losses = miss.square().mul(towardsTruth.neg().softplus());
  const sums = sumOverPixels(losses.mul(pixelWeights));
  const count = pixelWeights.total().atLeast(1);
  return weightedMean(sums.div(count), headWeights);
}

/**
 * (s_k − IoU_k)², mean over masks: the score regresses what the mask really is.
 * @param scores, targets, headWeights `[1, K]`; targets are IoUs on judged pixels
 */
export function scoreLoss(scores: Value, targets: Value, headWeights: Value): Value {
  return weightedMean(scores.sub(targets).square(), headWeights);
}

/** Sum over pixels: `[1, K, H, W]` → `[1, K]`. */
function sumOverPixels(value: Value): Value {
  const [n = 1, k = 1, height = 1, width = 1] = value.dims;
  return value.reshape([n, k, height * width]).sum([2]);
}
