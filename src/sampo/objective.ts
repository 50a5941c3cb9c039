import type { Loss, LossContext } from '../autodiff/trainingGraph';
import { diceLoss, dpoLoss, focalLoss, rankLoss, scoreLoss } from './losses';
import { margins } from './margin';

/** Weights of the hybrid loss; a part whose weight is 0 is left out of the graph. */
export interface ObjectiveSettings {
  /** Steepness of the preference: L_dpo = −log σ(β · margin). */
  readonly beta: number;
  /** Share of preferences taken to point the wrong way, 0 (when absent) to 0.5: bounds how far a margin is driven. */
  readonly wrong?: number;
  readonly lambdaDpo: number;
  readonly lambdaRank: number;
  readonly lambdaSegment: number;
  readonly lambdaScore: number;
}

/** Names of the decoder's outputs. */
export interface DecoderOutputs {
  /** Mask logits `[1, K, H, W]`. */
  readonly masks: string;
  /** Quality scores `[1, K]`. */
  readonly scores: string;
}

/**
 * L = λ_dpo·L_dpo + λ_rank·L_rank + λ_seg·(Dice + focal) + λ_score·(s_k − IoU_k)², appended to a decoder's graph.
 * Declares these inputs, for P pairs on one prompt (see `lossFeeds` for what fills them):
 * `pairDirections [P, H·W]`, `pairHeads [P, K]`, `referenceMargins [P]`, `pairWeights [P]`, `rankDirections [P, K]`,
 * `rankWeights [P]`, `target [1, 1, H, W]`, `judged [1, 1, H, W]`, `segmentHeads [1, K]`, `scoreTargets [1, K]`, `scoreHeads [1, K]`.
 * Metrics: `lossDpo`, `lossRank`, `lossSegment`, `lossScore` (scalars, of the parts present) and `margins [P]`.
 */
export function sampoObjective(
  settings: ObjectiveSettings,
  outputs: DecoderOutputs,
  pairs: number,
): (context: LossContext) => Loss {
  return ({ b, value }) => {
    const masks = value(outputs.masks);
    const scores = value(outputs.scores);
    const [, k = 1, height = 1, width = 1] = b.dims(masks);
    const input = (name: string, dims: readonly number[]): string => b.input(name, 'float32', dims);
    const parts: string[] = [];
    const metrics: Record<string, string> = {};
    const part = (name: string, weight: number, loss: string): void => {
      metrics[name] = loss;
      parts.push(b.scale(loss, weight));
    };
    if (settings.lambdaDpo > 0) {
      const heads = input('pairHeads', [pairs, k]);
      const directions = input('pairDirections', [pairs, height * width]);
      const margin = margins(b, masks, directions, heads, input('referenceMargins', [pairs]));
      metrics['margins'] = margin;
      part(
        'lossDpo',
        settings.lambdaDpo,
        dpoLoss(b, margin, input('pairWeights', [pairs]), settings.beta, settings.wrong),
      );
    }
    if (settings.lambdaRank > 0) {
      const ranks = input('rankDirections', [pairs, k]);
      part('lossRank', settings.lambdaRank, rankLoss(b, scores, ranks, input('rankWeights', [pairs])));
    }
    if (settings.lambdaSegment > 0) {
      const plane = [1, 1, height, width];
      const args = [
        masks,
        input('target', plane),
        input('judged', plane),
        input('segmentHeads', [1, k]),
      ] as const;
      part('lossSegment', settings.lambdaSegment, b.add(diceLoss(b, ...args), focalLoss(b, ...args)));
    }
    if (settings.lambdaScore > 0) {
      const targets = input('scoreTargets', [1, k]);
      part('lossScore', settings.lambdaScore, scoreLoss(b, scores, targets, input('scoreHeads', [1, k])));
    }
    return { loss: parts.reduce((sum, term) => b.add(sum, term), b.scalar(0)), metrics };
  };
}
