import type { Engine } from '../../engine/engine';
import { PIXEL_LOSS_DEFAULTS, SAMPO_DEFAULTS, type RefineSettings } from '../../sampo/settings';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { Checkpoints } from '../intents/checkpoints';
import type { Intents } from '../intents/intents';
import type { Judgements } from '../intents/judgements';
import type { NucleusModel } from '../models/nucleusModel';
import type { SearchImage } from '../search/tilePixels';
import type { StepProgress } from './trainLoop';

/** Which loss a decoder is trained by: the preference objective, or pixels alone. */
export type Objective = 'sampo' | 'pixel-loss';

/** What a refinement may be told. */
export interface RefineRequest {
  readonly intentId: string;
  readonly seconds?: number | undefined;
  readonly steps?: number | undefined;
  readonly trainable?: RefineSettings['trainable'] | undefined;
  readonly seed?: number | undefined;
  readonly objective?: Objective | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((progress: StepProgress) => void) | undefined;
}

/** How a refinement ended. */
export interface RefineOutcome {
  readonly checkpointId: string | null;
  readonly activated: boolean;
  /** For a person. */
  readonly verdict: string;
  readonly metrics: Record<string, unknown>;
  readonly seconds: number;
}

/** What the trainer works with. */
export interface TrainerParts {
  readonly engine: Engine;
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  readonly intents: Intents;
  readonly judgements: Judgements;
  readonly checkpoints: Checkpoints;
  /** An open image by its URI. */
  readonly image: (uri: string) => SearchImage | undefined;
  /** Of this program, for the provenance. */
  readonly version: string;
}

/** The settings an objective starts from. */
export function defaultsOf(objective: Objective | undefined): RefineSettings {
  return objective === 'pixel-loss' ? PIXEL_LOSS_DEFAULTS : SAMPO_DEFAULTS;
}

/** The settings of a refinement: those of its objective, and what the request says otherwise. */
export function settingsOf({ objective, trainable, seed }: RefineRequest): RefineSettings {
  const defaults = defaultsOf(objective);
  return { ...defaults, trainable: trainable ?? defaults.trainable, seed: seed ?? defaults.seed };
}
