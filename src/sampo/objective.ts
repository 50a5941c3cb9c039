import type { Loss, LossContext } from '../autodiff/trainingGraph';
import { Value } from '../autodiff/value';
import { float32Tensor, elementCount, type Tensor } from '../tensor';
import type { LossPart, LossSizes, ObjectiveSettings, StepSupervision } from './lossPart';
import { LOSS_PARTS } from './lossParts';

/** Names of the decoder's outputs. */
export interface DecoderOutputs {
  /** Mask logits `[1, K, H, W]`. */
  readonly masks: string;
  /** Quality scores `[1, K]`. */
  readonly scores: string;
}

const partsInUse = (settings: ObjectiveSettings): readonly LossPart[] =>
  LOSS_PARTS.filter(({ weight }) => weight(settings) > 0);

/**
 * L = λ_dpo·L_dpo + λ_rank·L_rank + λ_seg·(Dice + focal) + λ_score·(s_k − IoU_k)², appended to a decoder's graph for P pairs on one
 * prompt. Declares the inputs of the parts in use (`LOSS_PARTS`); `lossFeeds` fills them.
 * Metrics: `lossDpo`, `lossRank`, `lossSegment`, `lossScore` (scalars, of the parts present) and `margins [P]`.
 */
export function sampoObjective(
  settings: ObjectiveSettings,
  outputs: DecoderOutputs,
  pairs: number,
): (context: LossContext) => Loss {
  return ({ builder, value }) => {
    const answer = { masks: value(outputs.masks), scores: value(outputs.scores) };
    const [, masks = 1, height = 1, width = 1] = answer.masks.dims;
    const sizes = { pairs, masks, height, width };
    const appended = partsInUse(settings).map((part) => {
      const input = (name: string): Value =>
        new Value(builder, builder.input(name, 'float32', part.inputs[name]!.dims(sizes)));
      const { loss, metrics } = part.append(answer, input, settings);
      return { weighted: loss.mul(part.weight(settings)), metrics };
    });
    const zero = new Value(builder, builder.scalar(0));
    return {
      loss: appended.reduce((sum, { weighted }) => sum.add(weighted), zero),
      metrics: Object.assign({}, ...appended.map(({ metrics }) => metrics)) as Record<string, Value>,
    };
  };
}

/**
 * Values of the inputs that `sampoObjective` declares with the same settings. Pairs beyond `sizes.pairs` are dropped; unused rows
 * weigh 0.
 */
export function lossFeeds(
  step: StepSupervision,
  settings: ObjectiveSettings,
  sizes: Omit<LossSizes, 'masks'>,
): Record<string, Tensor> {
  const all = { ...sizes, masks: step.answer.scores.length };
  const inputs = partsInUse(settings).flatMap((part) => Object.entries(part.inputs));
  return Object.fromEntries(
    inputs.map(([name, { dims, fill }]) => {
      const shape = dims(all);
      const values = new Float32Array(elementCount(shape));
      fill(values, step, all);
      return [name, float32Tensor(shape, values)];
    }),
  );
}
