import {
  holdOutGain,
  holdOutResult,
  isWorse,
  type HeldOutScore,
  type HoldOutGain,
  type HoldOutResult,
} from '../../sampo/holdOut';
import { buildPromptFeeds, type Exemplar } from '../../segmentation/prompts';
import { answerProbabilities } from '../../segmentation/scoring';
import type { JudgedTile } from './judgedTiles';
import type { NucleusModel } from '../models/nucleusModel';
import { patiently } from './trainStep';

/** A state of an intent, as a search asks for it. */
export interface IntentState {
  /** Engine id of its decoder. */
  readonly decoder: string;
  readonly exemplars: readonly Exemplar[];
  readonly tokens?: Float32Array | undefined;
}

/** A judged object's score, and whether it was kept back from training. */
export interface JudgedScore extends HeldOutScore {
  readonly heldOut: boolean;
}

/** Probabilities that a search would score objects by on a tile, [side * side]. @throws what `NucleusModel.decode` throws */
export async function shownProbabilities(
  model: NucleusModel,
  { tile, embedding }: JudgedTile,
  { decoder, exemplars, tokens }: IntentState,
): Promise<Float32Array> {
  const prompts = { points: [], exemplars, ...(tokens && { tokens }) };
  const feeds = buildPromptFeeds(tile, prompts, model.promptLimits);
  const { masks, scores, side } = await patiently(() =>
    model.decode(embedding, feeds, { decoder, priority: 'training' }),
  );
  return answerProbabilities(masks, scores, side, model.manifest.postprocess.answer);
}

/** What a search would score the judged objects of each tile. @throws what `NucleusModel.decode` throws */
export async function judgedScores(
  model: NucleusModel,
  tiles: readonly JudgedTile[],
  state: IntentState,
): Promise<JudgedScore[]> {
  const scores: JudgedScore[] = [];
  for (const tile of tiles) {
    if (tile.objects.length === 0) continue;
    const probabilities = await shownProbabilities(model, tile, state);
    const sums = new Float64Array(tile.objects.length + 1);
    const areas = new Int32Array(tile.objects.length + 1);
    tile.labels.forEach((label, i) => {
      if (label === 0) return;
      sums[label]! += probabilities[i]!;
      areas[label]!++;
    });
    for (const { number, wanted, heldOut } of tile.objects)
      if (areas[number]! > 0) scores.push({ wanted, heldOut, score: sums[number]! / areas[number]! });
  }
  return scores;
}

/** What an intent answers about the judged objects, and the threshold it shows them at. */
export interface JudgedState {
  readonly scores: readonly JudgedScore[];
  readonly threshold: number;
}

/** The judgements kept back, before a refinement and after it. */
export interface HoldOutCheck {
  readonly before: HoldOutResult;
  readonly after: HoldOutResult;
  readonly gain: HoldOutGain;
  readonly worse: boolean;
}

/** Compares two states on the judgements kept back. @param before, after of the same objects in the same order */
export function checkHoldOut(before: JudgedState, after: JudgedState): HoldOutCheck {
  const kept = ({ scores, threshold }: JudgedState) => ({
    scores: scores.filter(({ heldOut }) => heldOut),
    threshold,
  });
  const [was, is] = [kept(before), kept(after)];
  const gain = holdOutGain(was, is);
  const results = {
    before: holdOutResult(was.scores, was.threshold),
    after: holdOutResult(is.scores, is.threshold),
  };
  return { ...results, gain, worse: isWorse(gain) };
}

/** What a refinement came to, for a person. */
export function verdictOf({ before, after, gain, worse }: HoldOutCheck): string {
  if (after.count === 0)
    return 'in use; too few objects were judged to keep some back as a check: judge at least four of a kind';
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const nats = `${gain.mean < 0 ? '' : '+'}${gain.mean.toFixed(2)} ± ${gain.error.toFixed(2)}`;
  const figures = `of ${after.count} judged objects kept back as a check: ${percent(before.accuracy)} right before, ${percent(after.accuracy)} after (log-likelihood of each ${nats})`;
  return worse ? `not in use, because it is worse; ${figures}` : `in use; ${figures}`;
}
