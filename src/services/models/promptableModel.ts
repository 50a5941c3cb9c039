import type { JobOptions } from '../../engine/engine';
import type { Tile } from '../../segmentation/coordinates';
import type { InstanceOptions } from '../../segmentation/instances';
import type { RgbImage } from '../../segmentation/preprocess';
import type { PromptSet } from '../../segmentation/prompts';
import type { ModelManifest } from './modelManifest';
import type { Embedding } from '../../segmentation/embeddingFeatures';

/** What the encoder says of one tile: embedding [C, side, side], nucleus logits and distance 0..1 [tileSize, tileSize]. */
export interface EncodedTile {
  readonly embedding: Embedding;
  readonly nucleusLogits: Float32Array;
  readonly distanceMap: Float32Array;
  /** What else the model's decoder needs of this tile, laid out as the model knows. */
  readonly extra?: Float32Array;
}

/** What the decoder says of one tile and prompt set: mask logits [K, side, side], predicted IoU [K]. */
export interface DecodedMasks {
  readonly masks: Float32Array;
  readonly scores: Float32Array;
  /** Side of a mask, px. */
  readonly side: number;
}

/** How a tile is decoded. */
export interface DecodeOptions extends JobOptions {
  /** Engine id of a refined decoder of the same shapes; the model's own when absent. */
  readonly decoder?: string | undefined;
}

/** What a search asks of a model: a tile in, its embedding and nuclei out; an intent's prompts in, its masks out. */
export interface PromptableModel {
  /** Two models of one id give the same embeddings. */
  readonly id: string;
  readonly manifest: Pick<ModelManifest, 'name' | 'tileSize' | 'micronsPerPixel'> & {
    readonly postprocess: Pick<ModelManifest['postprocess'], 'scoreThreshold' | 'answer' | 'calibration'>;
  };
  readonly instances: InstanceOptions;
  /** Its decoder can be refined: the candidates of a click are offered for "this one is better". */
  readonly refinable: boolean;
  /** Encodes a tile of RGB pixels, at most `tileSize` px a side. @throws BridgeError as `Engine.run`, or when a file is gone or damaged */
  encode(tile: RgbImage, options?: JobOptions): Promise<EncodedTile>;
  /** What the intent's prompts find in a tile. @throws as `encode` */
  predictMasks(
    tile: Tile,
    encoded: EncodedTile,
    prompts: PromptSet,
    options?: DecodeOptions,
  ): Promise<DecodedMasks>;
}
