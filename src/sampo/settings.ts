import { ADAMW_DEFAULTS, type AdamWSettings } from '../autodiff/optimizers';
import type { ObjectiveSettings } from './lossPart';
import type { TrainableSet } from './trainableSets';

/** Everything a refinement can be told; plain data, kept with the checkpoint it made. */
export interface RefineSettings {
  readonly objective: ObjectiveSettings;
  readonly optimizer: AdamWSettings;
  readonly trainable: TrainableSet;
  /** Preference pairs per step; a graph has this many rows. */
  readonly pairs: number;
  /** Pairs whose utilities differ by less are dropped. */
  readonly utilityThreshold: number;
  /** Weight of surely empty pixels in the pixel loss. */
  readonly backgroundWeight: number;
  /** Weight in the pixel loss of nuclei nobody judged, which keeps them as they were. */
  readonly anchorWeight: number;
  /** Share of the judgements kept back. */
  readonly holdOutShare: number;
  readonly seed: number;
}

/** The preference objective with pixel supervision beside it. */
export const SAMPO_DEFAULTS: RefineSettings = {
  objective: {
    beta: 1,
    labelSmoothing: 0.1,
    lambdaDpo: 0.5,
    lambdaRank: 0.2,
    lambdaSegment: 1,
    lambdaScore: 0.2,
  },
  optimizer: { ...ADAMW_DEFAULTS, learningRate: 3e-4 },
  trainable: 'decoder',
  pairs: 16,
  utilityThreshold: 0.05,
  backgroundWeight: 0.15,
  anchorWeight: 0.3,
  holdOutShare: 0.2,
  seed: 1,
};

/** The same trainer by pixels alone: the baseline preference learning has to beat. */
export const PIXEL_LOSS_DEFAULTS: RefineSettings = {
  ...SAMPO_DEFAULTS,
  objective: { beta: 1, lambdaDpo: 0, lambdaRank: 0, lambdaSegment: 1, lambdaScore: 0.2 },
};
