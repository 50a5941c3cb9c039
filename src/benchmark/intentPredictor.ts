import type { AnswerEvidence, AnswerPart } from '../segmentation/answering/answerScores';
import type { LabelImage } from '../segmentation/components';
import type { RgbImage } from '../segmentation/preprocess';
import type { FoundObject } from '../segmentation/stitch';
import type { Click } from './clicks';

/** Which model made the numbers. */
export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  readonly sha256: { readonly encoder: string; readonly decoder: string };
  readonly micronsPerPixel: number;
  /** Score from which an object belongs to an intent, 0..1. */
  readonly scoreThreshold: number;
}

/** One part of the answer, or all that is added to the decoder's own scores. */
export type LeftOut = AnswerPart | 'answering';

/** An image that has been encoded once, to be asked many times. */
export interface PreparedImage {
  /** All nuclei, whatever the intent; px of the image. */
  readonly objects: readonly FoundObject[];
  /** Label i + 1 is `objects[i]`. */
  readonly labels: LabelImage;
  /** Intent score of every object, 0..1. @param without what the answer does without -> [objects] */
  scores(clicks: readonly Click[], without?: LeftOut): Promise<ArrayLike<number>>;
  /** What the answer is made of, where the model's manifest says how it is scored. */
  evidence?(clicks: readonly Click[]): Promise<AnswerEvidence>;
  /** Forgets what the engine holds of it. */
  release(): Promise<void>;
}

/** The one thing the benchmark asks of the product. */
export interface IntentPredictor {
  readonly model: ModelIdentity;
  /** Encodes an image at the model's scale. */
  prepare(image: RgbImage): Promise<PreparedImage>;
}
