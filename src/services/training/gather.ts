import { BridgeError } from '../../errors';
import { splitHoldOut, type Split } from '../../sampo/holdOut';
import type { RefineSettings } from '../../sampo/settings';
import type { Exemplar } from '../../segmentation/prompts';
import type { Refinement } from '../intents/checkpointFile';
import type { StoredJudgement } from '../intents/judgements';
import type { Example } from '../search/example';
import type { JudgedTile, KnownClick } from './judgedTiles';
import type { IntentState } from './measure';
import type { RefineRequest, TrainerParts } from './refinement';
import { readJudgedTiles } from './tileReader';
import type { TrainingExamples } from './trainingPrompts';

/** Judged objects without which there is nothing to learn from. */
export const LEAST_OBJECTS = 3;

/** The version of an intent that a refinement starts from: what a search uses now. */
export interface StartingPoint extends IntentState {
  /** Null for the model as shipped. */
  readonly checkpointId: string | null;
  readonly refinement: Refinement | undefined;
  /** Score from which an object is shown, 0..1. */
  readonly threshold: number;
}

/** Everything the user has said about an intent, and where the intent stands. */
export interface Evidence {
  readonly judgements: readonly StoredJudgement[];
  /** Judgements whose image is not open: they take no part. */
  readonly closed: number;
  readonly tiles: readonly JudgedTile[];
  readonly examples: TrainingExamples;
  readonly start: StartingPoint;
}

/** Reads what a refinement learns from. @throws BridgeError `JudgementsTooFew`, `CheckpointDamaged`, and what encoding tiles throws */
export async function gather(
  parts: TrainerParts,
  { intentId, signal }: RefineRequest,
  settings: RefineSettings,
): Promise<Evidence> {
  const { intents, model, cache, image } = parts;
  const judgements = parts.judgements.list(intentId);
  requireEnough(judgements.filter(({ outline }) => outline !== undefined).length, 'objects are judged');
  const start = await startingPoint(parts, intentId);
  const stored = intents.exemplars(intentId).filter(({ modelId }) => modelId === model.id);
  const { tiles, closed } = await readJudgedTiles(
    splitJudgements(judgements, settings.holdOutShare),
    stored.flatMap(knownClick),
    { model, cache, image, job: { priority: 'training', ...(signal && { signal }) } },
  );
  const known = tiles
    .flatMap(({ objects }) => objects)
    .filter(({ judgementId }) => judgementId !== undefined);
  requireEnough(known.length, `judged objects lie in open images, and ${closed} in closed ones`);
  // What was rejected is trained on but not shown: near the threshold it looks much like what is wanted, and in the prompt it
  // took half of that away (docs/decisions/0022).
  const judged = known
    .filter(({ heldOut, wanted }) => wanted && !heldOut)
    .map(({ feature }): Exemplar => ({ feature, label: 1 }));
  return { judgements, closed, tiles, examples: { stored, judged }, start };
}

async function startingPoint(
  { checkpoints, intents, model }: TrainerParts,
  intentId: string,
): Promise<StartingPoint> {
  const active = await checkpoints.active(intentId);
  const shown = await checkpoints.apply(intents.forSearch(intentId));
  return {
    checkpointId: active === undefined ? null : intents.get(intentId).checkpointId,
    refinement: active?.refinement,
    decoder: active?.decoder ?? model.decoder,
    // An imported model's have another length.
    exemplars: shown.exemplars.filter(({ modelId }) => modelId === model.id),
    tokens: active?.refinement.tokens,
    threshold: shown.scoreThreshold ?? model.manifest.postprocess.scoreThreshold,
  };
}

/** Judgements to train on, and those kept back. A choice among candidates cannot be checked against a score: it is trained on. */
function splitJudgements(
  judgements: readonly StoredJudgement[],
  holdOutShare: number,
): Split<StoredJudgement> {
  const choices = judgements.filter(({ kind }) => kind === 'better');
  const objects = judgements
    .filter(({ kind }) => kind !== 'better')
    .map((judgement) => ({ judgement, wanted: judgement.kind !== 'reject' }));
  const { train, holdOut } = splitHoldOut(objects, holdOutShare);
  return {
    train: [...train.map(({ judgement }) => judgement), ...choices],
    holdOut: holdOut.map(({ judgement }) => judgement),
  };
}

/** @throws BridgeError `JudgementsTooFew` */
function requireEnough(have: number, what: string): void {
  if (have < LEAST_OBJECTS)
    throw new BridgeError('JudgementsTooFew', `${have} ${what}, ${LEAST_OBJECTS} are needed`, {
      least: LEAST_OBJECTS,
      have,
      hint: 'judge more objects, in images that are open',
    });
}

/** What is known from a click, where it was made. */
function knownClick({ place, label }: Example): KnownClick[] {
  return place ? [{ ...place, wanted: label === 1 }] : [];
}
