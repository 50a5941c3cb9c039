import type { Value } from '../autodiff/value';
import type { JudgedPixels } from './judgedPixels';
import type { Answer, PreferencePair, RatedAnswer } from './mining';

/** Weights of the hybrid loss; a part whose weight is 0 is left out of the graph. */
export interface ObjectiveSettings {
  /** Steepness of the preference: L_dpo = −log σ(β · margin). */
  readonly beta: number;
  /** Share of preferences taken to point the wrong way, 0 (when absent) to 0.5: bounds how far a margin is driven. */
  readonly labelSmoothing?: number;
  readonly lambdaDpo: number;
  readonly lambdaRank: number;
  readonly lambdaSegment: number;
  readonly lambdaScore: number;
}

/** One train step's question: a prompt's answer, the pairs conditioned on it, and what is known of its pixels. */
export interface StepSupervision {
  readonly answer: RatedAnswer;
  /** The reference decoder's answer to the same prompt: computed once per refinement. */
  readonly reference: Answer;
  readonly pairs: readonly PreferencePair[];
  readonly judged: JudgedPixels;
}

/** Sizes of what the loss looks at: P pairs, and K masks of H × W logits. */
export interface LossSizes {
  readonly pairs: number;
  readonly masks: number;
  readonly height: number;
  readonly width: number;
}

/** What the decoder answers, in the graph. */
export interface DecoderAnswer {
  /** Mask logits `[1, K, H, W]`. */
  readonly masks: Value;
  /** Quality scores `[1, K]`. */
  readonly scores: Value;
}

/** An input that a part of the loss adds to the training graph. */
export interface LossInput {
  readonly dims: (sizes: LossSizes) => readonly number[];
  /** Fills the input's values, zeros so far, for one train step. */
  readonly fill: (values: Float32Array, step: StepSupervision, sizes: LossSizes) => void;
}

/** A part of the hybrid loss: all that graph and train step must agree on stands here, and nowhere else. */
export interface LossPart {
  /** Output of the training graph that reports it. */
  readonly metric: string;
  readonly weight: (settings: ObjectiveSettings) => number;
  readonly inputs: Readonly<Record<string, LossInput>>;
  /** Appends the part. @param input by its name @returns the loss, a scalar, and what else is worth reporting */
  readonly append: (
    answer: DecoderAnswer,
    input: (name: string) => Value,
    settings: ObjectiveSettings,
  ) => { readonly loss: Value; readonly metrics: Readonly<Record<string, Value>> };
}

/** A part whose loss is given its inputs by their own names, so that the compiler knows them. */
export function lossPart<Name extends string>(part: {
  readonly metric: string;
  readonly weight: LossPart['weight'];
  readonly inputs: Readonly<Record<Name, LossInput>>;
  readonly loss: (
    answer: DecoderAnswer,
    inputs: Readonly<Record<Name, Value>>,
    settings: ObjectiveSettings,
  ) => { readonly loss: Value; readonly metrics?: Readonly<Record<string, Value>> };
}): LossPart {
  const { metric, weight, inputs } = part;
  const names = Object.keys(inputs) as Name[];
  return {
    metric,
    weight,
    inputs,
    append: (answer, input, settings) => {
      const values = Object.fromEntries(names.map((name) => [name, input(name)])) as Record<Name, Value>;
      const { loss, metrics = {} } = part.loss(answer, values, settings);
      return { loss, metrics: { ...metrics, [metric]: loss } };
    },
  };
}

/** Fills one row per pair; rows that no pair uses stay 0. */
export function eachPair(
  fillRow: (row: Float32Array, pair: PreferencePair, step: StepSupervision) => void,
): LossInput['fill'] {
  return (values, step, { pairs }) => {
    const columns = values.length / pairs;
    step.pairs
      .slice(0, pairs)
      .forEach((pair, p) => fillRow(values.subarray(p * columns, (p + 1) * columns), pair, step));
  };
}
