import type { RefineSettings } from '../../sampo/settings';
import type { Refinement } from '../intents/checkpointFile';
import type { Evidence } from './gather';
import type { HoldOutCheck } from './holdOutCheck';
import type { TrainerParts } from './refinement';
import type { TrainedSteps } from './trainLoop';

/** A trained version, and how it came about. */
export interface TrainedVersion {
  readonly refinement: Refinement & { readonly scoreThreshold: number };
  readonly trained: TrainedSteps;
  readonly settings: RefineSettings;
  readonly check: HoldOutCheck;
  /** Seconds spent on reading and measuring, and on steps. */
  readonly readSeconds: number;
  readonly trainSeconds: number;
}

/** Where a version is kept, and what is told of it. */
export interface KeptVersion {
  readonly checkpointId: string;
  readonly activated: boolean;
  readonly metrics: Record<string, unknown>;
}

/** Keeps a version with its provenance, and puts it to use unless it is worse on what was kept back. */
export async function keep(
  { checkpoints, model, version }: TrainerParts,
  intentId: string,
  { judgements, closed, tiles, start }: Evidence,
  { refinement, trained, settings, check, readSeconds, trainSeconds }: TrainedVersion,
): Promise<KeptVersion> {
  const metrics = {
    steps: trained.steps,
    ...trained.metrics,
    judgements: judgements.length,
    heldOut: check.after.count,
    closed,
    tiles: tiles.length,
    holdOutBefore: check.before,
    holdOutAfter: check.after,
    ...(check.after.count > 0 && { holdOutGain: check.gain }),
    scoreThreshold: refinement.scoreThreshold,
    readSeconds,
    trainSeconds,
  };
  const provenance = {
    model: model.id,
    decoderSha256: model.manifest.files.decoder.sha256,
    startedFrom: start.checkpointId,
    judgements: judgements.map(({ judgementId }) => judgementId),
    settings,
    version,
  };
  const { checkpointId } = await checkpoints.save(intentId, refinement, { metrics, provenance });
  if (!check.worse) await checkpoints.activate(intentId, checkpointId);
  return { checkpointId, activated: !check.worse, metrics };
}
