import { candidatePairs, mineInterPrompt, mineIntraPrompt, strongestPairs } from '../sampo/mining';
import type { PreferencePair, RatedAnswer } from '../sampo/mining';
import {
  judgedPixels,
  verdictDirections,
  type JudgedObjects,
  type JudgedPixels,
} from '../sampo/judgedPixels';
import { synthesizePrompts } from '../sampo/promptSynthesis';
import { shuffled, type Random } from '../sampo/random';
import type { RefineSettings } from '../sampo/settings';
import { buildPromptFeeds, type Exemplar, type PromptLimits, type PromptSet } from '../segmentation/prompts';
import type { Tensor } from '../tensor';
import { trainingObjects, type JudgedChoice, type JudgedTile } from './judgedTiles';

/** A question about a tile, to train on. */
export interface TrainingPrompt {
  /** Decoder inputs without embedding. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** The user's pick among the masks of this very prompt. */
  readonly choice?: JudgedChoice;
}

/** A tile to train on, and the questions asked about it. */
export interface TrainingTile {
  readonly tile: JudgedTile;
  readonly objects: JudgedObjects;
  readonly pixels: JudgedPixels;
  readonly prompts: readonly TrainingPrompt[];
}

/**
 * The questions asked about a tile: what a search asks (the intent's examples, with and without half of those learned by
 * judging), clicks of rising quality on judged objects, and the clicks whose candidates were compared.
 */
export function trainingTile(
  tile: JudgedTile,
  examples: { readonly stored: readonly Exemplar[]; readonly judged: readonly Exemplar[] },
  settings: RefineSettings,
  limits: PromptLimits,
  random: Random,
): TrainingTile {
  const objects = trainingObjects(tile);
  const { stored, judged } = examples;
  const ask = (prompts: PromptSet, choice?: JudgedChoice): TrainingPrompt => ({
    feeds: buildPromptFeeds(tile.tile, prompts, limits),
    ...(choice && { choice }),
  });
  const here = ({ x, y, feature, label }: { x: number; y: number } & Exemplar) => ({
    x: x + tile.tile.x,
    y: y + tile.tile.y,
    feature,
    label,
  });
  const half = shuffled(judged, random).slice(0, judged.length >> 1);
  const sets: readonly (readonly Exemplar[])[] = [stored, [...stored, ...half]];
  const confirmed = tile.objects.filter(({ heldOut }) => !heldOut);
  return {
    tile,
    objects,
    pixels: judgedPixels(objects, settings.backgroundWeight),
    prompts: [
      ...sets
        .filter((set) => set.some(({ label }) => label === 1))
        .map((exemplars) => ask({ points: [], exemplars })),
      ...synthesizePrompts(confirmed, limits.points, random).map(({ clicks }) =>
        ask({ points: clicks.map(here) }),
      ),
      ...tile.choices.map((choice) =>
        ask({ points: [here({ ...choice, label: 1 })], exemplars: stored }, choice),
      ),
    ],
  };
}

/** The pairs of one prompt, from the answers of all prompts of its tile: the user's first, then the largest gaps. */
export function pairsFor(
  { objects, pixels, prompts }: TrainingTile,
  index: number,
  answers: readonly RatedAnswer[],
  settings: RefineSettings,
): PreferencePair[] {
  const answer = answers[index]!;
  const { utilityThreshold } = settings;
  const choice = prompts[index]!.choice;
  return strongestPairs(
    [
      ...verdictDirections(objects).map(({ direction }): PreferencePair => ({
        source: 'verdict',
        prompt: index,
        head: answer.shown,
        direction,
        gap: 1,
      })),
      ...(choice
        ? candidatePairs(answer, index, choice.chosen).filter(({ head }) => choice.rejected.includes(head))
        : []),
      ...mineInterPrompt(answers, pixels, utilityThreshold).filter(({ prompt }) => prompt === index),
      ...mineIntraPrompt(answer, index, pixels, utilityThreshold),
    ],
    settings.pairs,
  );
}
