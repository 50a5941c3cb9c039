import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORMS } from './forms';
import { invalidManifest, type ManifestFile } from '../modelManifest';
import type { TensorSpec } from '../../../engine/engine';
import type { Normalization } from '../../../segmentation/preprocess';
import type { DecoderInput, DecoderOutput, FormName } from './forms';

/** `model.json` of an imported encoder and decoder pair. Tile px are px of the bundled model's tiles; image px those of the encoder's input. */
export interface SamManifest {
  readonly name: string;
  readonly version: string;
  readonly family: 'sam';
  readonly form: FormName;
  readonly licence: string;
  /** Paths as they were at import, absolute or beside the manifest. */
  readonly files: { readonly encoder: ManifestFile; readonly decoder: ManifestFile };
  readonly micronsPerPixel: number;
  /** Side of a tile, px. */
  readonly tileSize: number;
  /** Side of the encoder's input, px: a tile is enlarged to it. */
  readonly imageSize: number;
  /** `stride` in tile px. */
  readonly embedding: { readonly channels: number; readonly stride: number };
  readonly normalization: Normalization;
  /** `nchw`: float32 [1, 3, S, S], normalised; `hwc`: float32 [S, S, 3], 0..255, which the graph normalises. */
  readonly layout: 'nchw' | 'hwc';
  readonly padding: 'zero' | 'white';
  readonly encoder: GraphPorts;
  readonly decoder: GraphPorts;
  /** Names that the roles have in these graphs. */
  readonly bindings: {
    readonly image: string;
    readonly inputs: Partial<Readonly<Record<DecoderInput, string>>>;
    /** Decoder input role → encoder output. */
    readonly embeddings: Partial<Readonly<Record<DecoderInput, string>>>;
    readonly outputs: Readonly<Record<DecoderOutput, string>>;
  };
  /** `maskStride` in tile px per mask cell. */
  readonly limits: { readonly points: number; readonly masks: number; readonly maskStride: number };
  readonly autoPrompt: {
    readonly positives: number;
    readonly negatives: number;
    /** Tile px. */
    readonly spacing: number;
    /** Least cosine similarity to an example, for a place to be asked about. */
    readonly similarity: number;
  };
  readonly postprocess: { readonly scoreThreshold: number };
  /** Shapes of what the decoder needs besides the embedding, by role. */
  readonly extraShapes: Partial<Readonly<Record<DecoderInput, readonly number[]>>>;
  /** Wall time of one tile and one prompt at import, s. */
  readonly dryRun: { readonly encoderSeconds: number; readonly decoderSeconds: number };
}

/** Inputs and outputs of a graph as the engine declares them. */
export interface GraphPorts {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A graph of a folder. */
export interface FoundGraph extends GraphPorts {
  /** File name, for messages. */
  readonly file: string;
}

const PARTS: readonly (keyof SamManifest)[] = [
  'name',
  'version',
  'licence',
  'files',
  'micronsPerPixel',
  'tileSize',
  'imageSize',
  'embedding',
  'normalization',
  'decoder',
  'bindings',
  'limits',
  'autoPrompt',
  'extraShapes',
  'postprocess',
];

/** Reads the manifest of an imported model. @throws BridgeError `ModelInvalid` when it is missing, no JSON, of another family or lacks a part */
export function readSamManifest(folder: string): SamManifest {
  const path = join(folder, 'model.json');
  let value: Partial<SamManifest>;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Partial<SamManifest>;
  } catch (error) {
    throw invalidManifest(path, String(error));
  }
  if (value.family !== 'sam') throw invalidManifest(path, `its family is ${String(value.family)}, not sam`);
  if (!FORMS.some(({ name }) => name === value.form))
    throw invalidManifest(path, `its form ${String(value.form)} is not known`);
  for (const part of PARTS) if (value[part] === undefined) throw invalidManifest(path, `it has no ${part}`);
  return value as SamManifest;
}
