import { calibratedThreshold, type HeldOutScore } from '../../sampo/holdOut';
import { buildPromptFeeds, type Exemplar } from '../../segmentation/prompts';
import { answerProbabilities } from '../../segmentation/scoring';
import type { NucleusModel } from '../models/nucleusModel';
import { retryOnce } from '../search/retry';
import type { JudgedTile } from './judgedTiles';

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

/** What an intent answers about the judged objects, and the threshold it shows them at. */
export interface Measurement {
  readonly scores: readonly JudgedScore[];
  readonly threshold: number;
}

/** Scores the judged objects with an intent, to be shown at its own threshold. @throws what `NucleusModel.decode` throws */
export async function measure(
  model: NucleusModel,
  tiles: readonly JudgedTile[],
  state: IntentState & { readonly threshold: number },
): Promise<Measurement> {
  return { scores: await judgedScores(model, tiles, state), threshold: state.threshold };
}

/**
 * Scores the judged objects with a trained intent, and finds the threshold that parts those it was trained on.
 * @throws what `NucleusModel.decode` throws
 */
export async function calibrate(
  model: NucleusModel,
  tiles: readonly JudgedTile[],
  state: IntentState,
): Promise<Measurement> {
  const scores = await judgedScores(model, tiles, state);
  const trained = scores.filter(({ heldOut }) => !heldOut);
  return { scores, threshold: calibratedThreshold(trained, model.manifest.postprocess.scoreThreshold) };
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

/** Probabilities that a search would score objects by on a tile, [side * side]. @throws what `NucleusModel.decode` throws */
export async function shownProbabilities(
  model: NucleusModel,
  { tile, embedding }: JudgedTile,
  { decoder, exemplars, tokens }: IntentState,
): Promise<Float32Array> {
  const prompts = { points: [], exemplars, ...(tokens && { tokens }) };
  const feeds = buildPromptFeeds(tile, prompts, model.promptLimits);
  const { masks, scores, side } = await retryOnce(() =>
    model.decode(embedding, feeds, { decoder, priority: 'training' }),
  );
  return answerProbabilities(masks, scores, side, model.manifest.postprocess.answer);
}
