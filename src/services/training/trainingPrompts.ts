import { candidatePairs, mineInterPrompt, mineIntraPrompt, strongestPairs } from '../../sampo/mining';
import type { PreferencePair, RatedAnswer } from '../../sampo/mining';
import {
  judgedPixels,
  verdictDirections,
  type Anchor,
  type JudgedObjects,
  type JudgedPixels,
} from '../../sampo/judgedPixels';
import { synthesizePrompts } from '../../sampo/promptSynthesis';
import { shuffled, type Random } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import {
  buildPromptFeeds,
  type Exemplar,
  type PromptLimits,
  type PromptSet,
} from '../../segmentation/prompts';
import type { Tensor } from '../../tensor';
import { trainingObjects, type JudgedChoice, type JudgedTile } from './judgedTiles';

/** A question about a tile, to train on. */
export interface TrainingPrompt {
  /** Decoder inputs without embedding. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** The user's pick among the masks of this very prompt. */
  readonly choice?: JudgedChoice;
}

/** A tile to train on, and the questions asked about it; the first one is what a search asks. */
export interface TrainingTile {
  readonly tile: JudgedTile;
  readonly objects: JudgedObjects;
  readonly pixels: JudgedPixels;
  readonly prompts: readonly TrainingPrompt[];
}

/** Random parts of the examples that a tile is asked with, beside all of them. */
const PARTS = 3;

/**
 * The questions asked about a tile: what a search asks (all of the intent's examples), its clicks alone, random parts of the
 * examples, clicks of rising quality on judged objects, and the clicks whose candidates were compared.
 * @param anchor probabilities of the answer before training, for the nuclei that nobody judged
 */
export function trainingTile(
  tile: JudgedTile,
  examples: { readonly stored: readonly Exemplar[]; readonly judged: readonly Exemplar[] },
  anchor: Anchor['probabilities'] | undefined,
  settings: RefineSettings,
  limits: PromptLimits,
  random: Random,
): TrainingTile {
  const objects = trainingObjects(tile);
  const { stored, judged } = examples;
  const all = [...stored, ...judged];
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
  const parts = Array.from({ length: PARTS }, () => somePart(all, random));
  const sets: readonly (readonly Exemplar[])[] = [all, ...(judged.length > 0 ? [stored, ...parts] : [])];
  const confirmed = tile.objects.filter(({ heldOut }) => !heldOut);
  return {
    tile,
    objects,
    pixels: judgedPixels(
      objects,
      settings.backgroundWeight,
      anchor && { probabilities: anchor, nuclei: tile.nuclei, weight: settings.anchorWeight },
    ),
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

/** One positive at least, and each of the others with even chance. */
function somePart(examples: readonly Exemplar[], random: Random): Exemplar[] {
  const sure = shuffled(
    examples.filter(({ label }) => label === 1),
    random,
  )[0];
  return examples.filter((one) => one === sure || random() < 0.5);
}

/** The pairs of one prompt, from the answers to prompts of its tile: the user's first, then the largest gaps. */
export function pairsFor(
  { objects, pixels, prompts }: TrainingTile,
  index: number,
  answers: readonly (RatedAnswer | undefined)[],
  settings: RefineSettings,
): PreferencePair[] {
  const answer = answers[index]!;
  const known = answers.flatMap((one, at) => (one ? [{ one, at }] : []));
  const { utilityThreshold } = settings;
  const choice = prompts[index]!.choice;
  const mined = mineInterPrompt(
    known.map(({ one }) => one),
    pixels,
    utilityThreshold,
  );
  return strongestPairs(
    [
      ...verdictPairs(objects, answer, index),
      ...(choice
        ? candidatePairs(answer, index, choice.chosen).filter(({ rank }) =>
            choice.rejected.includes(rank!.loser),
          )
        : []),
      ...mined
        .map((pair) => ({ ...pair, prompt: known[pair.prompt]!.at }))
        .filter(({ prompt }) => prompt === index),
      ...mineIntraPrompt(answer, index, pixels, utilityThreshold),
    ],
    settings.pairs,
  );
}

/** One pair per judged object; wanted and unwanted ones weigh the same in sum. */
function verdictPairs(objects: JudgedObjects, answer: RatedAnswer, prompt: number): PreferencePair[] {
  const verdicts = [...objects.verdicts.values()];
  const wanted = verdicts.filter(Boolean).length;
  const unwanted = verdicts.length - wanted;
  const balanced = wanted > 0 && unwanted > 0;
  return verdictDirections(objects).map(({ object, direction }): PreferencePair => {
    const own = objects.verdicts.get(object) === true ? wanted : unwanted;
    const weight = balanced ? verdicts.length / (2 * own) : 1;
    return { source: 'verdict', prompt, head: answer.shown, direction, gap: 1, weight };
  });
}
