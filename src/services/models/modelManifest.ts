import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from '../../errors';
import type { AnswerCalibration } from '../../segmentation/answering/answerScores';
import type { InstanceOptions } from '../../segmentation/instances';
import type { Normalization } from '../../segmentation/preprocess';
import type { MaskAnswer } from '../../segmentation/scoring';

/** One file of a model folder. */
export interface ManifestFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A model folder's `model.json`: what its graphs take and how their maps are read. */
export interface ModelManifest {
  readonly name: string;
  readonly version: string;
  readonly family: string;
  readonly licence: string;
  readonly files: { readonly encoder: ManifestFile; readonly decoder: ManifestFile };
  readonly micronsPerPixel: number;
  /** Side of a tile, px. */
  readonly tileSize: number;
  readonly embedding: { readonly channels: number; readonly stride: number };
  readonly normalization: Normalization;
  readonly limits: {
    readonly points: number;
    readonly exemplars: number;
    readonly intentTokens: number;
    readonly masks: number;
    readonly maskStride: number;
  };
  readonly postprocess: Partial<InstanceOptions> & {
    readonly scoreThreshold: number;
    /** 'best' when absent. */
    readonly answer?: MaskAnswer;
    /** Fits the scores to the image and to a scale where 0.5 is the decision; without it they are the decoder's. */
    readonly calibration?: AnswerCalibration;
  };
}

/** Reads a folder's manifest. @throws BridgeError `ModelInvalid` when it is missing, no JSON, or lacks a part */
export function readManifest(folder: string): ModelManifest {
  const path = join(folder, 'model.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw invalidManifest(path, String(error));
  }
  for (const part of [
    'name',
    'version',
    'family',
    'licence',
    'files',
    'micronsPerPixel',
    'tileSize',
    'embedding',
    'normalization',
    'limits',
    'postprocess',
  ])
    if ((value as Record<string, unknown>)[part] === undefined)
      throw invalidManifest(path, `it has no ${part}`);
  return value as ModelManifest;
}

/** Whether a folder holds the files of its manifest, in full length. @throws BridgeError `FileNotFound`, `FileDamaged` naming the file */
export function checkModelFiles(folder: string, { files }: ModelManifest): void {
  const hint = 'the package is not whole: install it again';
  for (const { path: name, bytes } of Object.values(files)) {
    const path = join(folder, name);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined)
      throw new BridgeError('FileNotFound', `the model file ${path} is missing`, { path, hint });
    if (size !== bytes)
      throw new BridgeError('FileDamaged', `the model file ${path} has ${size} bytes, not ${bytes}`, {
        path,
        hint,
      });
  }
}

/** A manifest that cannot be used. */
export function invalidManifest(path: string, reason: string): BridgeError {
  return new BridgeError('ModelInvalid', `the manifest ${path} cannot be used: ${reason}`, { reason });
}
