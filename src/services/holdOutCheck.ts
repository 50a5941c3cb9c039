import { holdOutResult, type HoldOutResult } from '../sampo/holdOut';
import { buildPromptFeeds, type Exemplar } from '../segmentation/prompts';
import { bestMask } from '../segmentation/scoring';
import type { JudgedTile } from './judgedTiles';
import type { NucleusModel } from './nucleusModel';
import { patiently } from './trainStep';

/** A state of an intent, as a search asks for it. */
export interface IntentState {
  /** Engine id of its decoder. */
  readonly decoder: string;
  readonly exemplars: readonly Exemplar[];
  readonly tokens?: Float32Array | undefined;
}

/** Logits of the mask that a search would show on a tile, [side * side]. @throws what `NucleusModel.decode` throws */
export async function shownLogits(
  model: NucleusModel,
  { tile, embedding }: JudgedTile,
  { decoder, exemplars, tokens }: IntentState,
): Promise<Float32Array> {
  const prompts = { points: [], exemplars, ...(tokens && { tokens }) };
  const feeds = buildPromptFeeds(tile, prompts, model.promptLimits);
  const { masks, scores } = await patiently(() =>
    model.decode(embedding, feeds, { decoder, priority: 'training' }),
  );
  const pixels = masks.length / scores.length;
  const best = bestMask(scores);
  return masks.subarray(best * pixels, (best + 1) * pixels);
}

/** How well an intent's scores agree with the judgements kept back. @throws what `NucleusModel.decode` throws */
export async function checkHoldOut(
  model: NucleusModel,
  tiles: readonly JudgedTile[],
  state: IntentState,
): Promise<HoldOutResult> {
  const scores: { wanted: boolean; score: number }[] = [];
  for (const tile of tiles) {
    const heldOut = tile.objects.filter((object) => object.heldOut);
    if (heldOut.length === 0) continue;
    const logits = await shownLogits(model, tile, state);
    for (const { number, wanted } of heldOut) {
      let sum = 0;
      let area = 0;
      tile.labels.forEach((label, i) => {
        if (label !== number) return;
        sum += 1 / (1 + Math.exp(-logits[i]!));
        area++;
      });
      if (area > 0) scores.push({ wanted, score: sum / area });
    }
  }
  return holdOutResult(scores, model.manifest.postprocess.scoreThreshold);
}

/** What a refinement came to, for a person. */
export function verdictOf(before: HoldOutResult, after: HoldOutResult, worse: boolean): string {
  if (after.count === 0)
    return 'in use; too few objects were judged to keep some back as a check: judge at least four of a kind';
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const figures = `of ${after.count} judged objects kept back as a check: ${percent(before.accuracy)} right before, ${percent(after.accuracy)} after (certainty ${before.certainty.toFixed(2)}, then ${after.certainty.toFixed(2)})`;
  return worse ? `not in use, because it is worse; ${figures}` : `in use; ${figures}`;
}
