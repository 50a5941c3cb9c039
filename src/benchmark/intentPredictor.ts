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

/** An image that has been encoded once, to be asked many times. */
export interface PreparedImage {
  /** All nuclei, whatever the intent; px of the image. */
  readonly objects: readonly FoundObject[];
  /** Label i + 1 is `objects[i]`. */
  readonly labels: LabelImage;
  /** Intent score of every object, 0..1. -> [objects] */
  scores(clicks: readonly Click[]): Promise<Float32Array>;
  /** Forgets what the engine holds of it. */
  release(): Promise<void>;
}

/** The one thing the benchmark asks of the product. */
export interface IntentPredictor {
  readonly model: ModelIdentity;
  /** Encodes an image at the model's scale. */
  prepare(image: RgbImage): Promise<PreparedImage>;
}
