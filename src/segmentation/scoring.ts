import type { LabelImage } from './components';

/** Index of the best-scored mask; the first of equals. @param scores iou_predictions [K] */
export function bestMask(scores: Float32Array): number {
  let best = 0;
  for (let k = 1; k < scores.length; k++) if (scores[k]! > scores[best]!) best = k;
  return best;
}

/** Mask k of the decoder's logits [K, side, side] as probabilities [side, side]. */
export function maskProbabilities(masks: Float32Array, k: number, side: number): Float32Array {
  const out = new Float32Array(side * side);
  const from = k * side * side;
  for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-masks[from + i]!));
  return out;
}

/** What answers a prompt: the mask with the best predicted IoU, or the mean of all, which errs less where the masks are alike. */
export type MaskAnswer = 'best' | 'mean';

/** The decoder's answer to a prompt, as probabilities [side, side]. @param masks [K, side, side] logits @param scores [K] */
export function answerProbabilities(
  masks: Float32Array,
  scores: Float32Array,
  side: number,
  answer: MaskAnswer = 'best',
): Float32Array {
  if (answer === 'best') return maskProbabilities(masks, bestMask(scores), side);
  const mean = new Float32Array(side * side);
  for (let k = 0; k < scores.length; k++)
    maskProbabilities(masks, k, side).forEach((p, i) => (mean[i]! += p / scores.length));
  return mean;
}

/**
 * Intent score of every object of a tile: the mean of `probabilities` [side, side] inside it, each pixel taking the mask cell it
 * lies in. -> [count + 1], 0..1, index 0 unused. @param tileSize px that the mask spans; the label image may be smaller (padding)
 */
export function scoreObjects(image: LabelImage, probabilities: Float32Array, tileSize: number): Float32Array {
  const side = Math.sqrt(probabilities.length);
  const shrink = side / tileSize;
  const sums = new Float64Array(image.count + 1);
  const areas = new Int32Array(image.count + 1);
  for (let i = 0, y = 0; y < image.height; y++) {
    const row = Math.floor(y * shrink) * side;
    for (let x = 0; x < image.width; x++, i++) {
      const label = image.labels[i]!;
      if (label === 0) continue;
      sums[label]! += probabilities[row + Math.floor(x * shrink)]!;
      areas[label]!++;
    }
  }
  return Float32Array.from(sums, (sum, label) => (areas[label] === 0 ? 0 : sum / areas[label]!));
}

/**
 * A score on a scale shared by intents with different thresholds: 0 stays 0, the threshold becomes 0.5, 1 stays 1; linear
 * between. So the best of several intents is the one that is farthest beyond its own threshold.
 */
export function calibrateScore(score: number, threshold: number): number {
  if (score < threshold) return (0.5 * score) / threshold;
  return threshold >= 1 ? 0.5 : 0.5 + (0.5 * (score - threshold)) / (1 - threshold);
}

/** The intent an object goes to: index of the highest calibrated score that reaches 0.5, the first of equals, or `undefined`. */
export function assignIntent(scores: readonly number[], thresholds: readonly number[]): number | undefined {
  let best: number | undefined;
  let top = 0.5;
  scores.forEach((score, i) => {
    const calibrated = calibrateScore(score, thresholds[i]!);
    if (calibrated > top || (calibrated === top && best === undefined)) {
      best = i;
      top = calibrated;
    }
  });
  return best;
}

/** How unsure a decision is, 0 (certain) to 1 (on the threshold): orders the review queue. */
export function uncertainty(score: number, threshold: number): number {
  return 1 - 2 * Math.abs(calibrateScore(score, threshold) - 0.5);
}
