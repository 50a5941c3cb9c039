import { judgedPixels, type JudgedObjects, type JudgedPixels } from '../../sampo/judgedPixels';
import { synthesizePrompts } from '../../sampo/promptSynthesis';
import { shuffled, type Random } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import type { Point } from '../../segmentation/geometry';
import {
  buildPromptFeeds,
  type Exemplar,
  type PointPrompt,
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
  readonly choice?: JudgedChoice | undefined;
}

/** A tile to train on, and the questions asked about it; the first one is what a search asks. */
export interface TrainingTile {
  readonly tile: JudgedTile;
  readonly objects: JudgedObjects;
  readonly pixels: JudgedPixels;
  readonly prompts: readonly TrainingPrompt[];
}

/** What a tile may be asked with: the intent's own examples, and what its judgements add to them. */
export interface TrainingExamples {
  readonly stored: readonly Exemplar[];
  readonly judged: readonly Exemplar[];
}

/** Random parts of the examples that a tile is asked with, beside all of them. */
const RANDOM_PARTS = 3;

/**
 * A tile with its questions: what a search asks (all of the intent's examples), its clicks alone, random parts of the
 * examples, clicks of rising quality on judged objects, and the clicks whose candidates were compared.
 * @param anchor probabilities of the answer before training, for the nuclei that nobody judged
 */
export function trainingTile(
  tile: JudgedTile,
  examples: TrainingExamples,
  anchor: Float32Array | undefined,
  settings: RefineSettings,
  limits: PromptLimits,
  random: Random,
): TrainingTile {
  const objects = trainingObjects(tile);
  const pixels = judgedPixels(
    objects,
    settings.backgroundWeight,
    anchor && { probabilities: anchor, nuclei: tile.nuclei, weight: settings.anchorWeight },
  );
  const question = (prompts: PromptSet, choice?: JudgedChoice): TrainingPrompt => ({
    feeds: buildPromptFeeds(tile.tile, prompts, limits),
    choice,
  });
  const byExamples = exampleSets(examples, random).map((exemplars) => question({ points: [], exemplars }));
  const confirmed = tile.objects.filter(({ heldOut }) => !heldOut);
  const byClicks = synthesizePrompts(confirmed, limits.points, random).map(({ clicks }) =>
    question({ points: clicks.map((click) => placed(tile, click)) }),
  );
  const byChoices = tile.choices.map((choice) =>
    question({ points: [placed(tile, { ...choice, label: 1 })], exemplars: examples.stored }, choice),
  );
  return { tile, objects, pixels, prompts: [...byExamples, ...byClicks, ...byChoices] };
}

/** All examples, those of the intent alone, and random parts of all; each set with a positive one. */
function exampleSets({ stored, judged }: TrainingExamples, random: Random): (readonly Exemplar[])[] {
  const all = [...stored, ...judged];
  const parts = Array.from({ length: RANDOM_PARTS }, () => randomPart(all, random));
  const sets = [all, ...(judged.length > 0 ? [stored, ...parts] : [])];
  return sets.filter((set) => set.some(({ label }) => label === 1));
}

/** One positive at least, and each of the others with even chance. */
function randomPart(examples: readonly Exemplar[], random: Random): Exemplar[] {
  const positives = examples.filter(({ label }) => label === 1);
  const sure = shuffled(positives, random)[0];
  return examples.filter((example) => example === sure || random() < 0.5);
}

/** A click of a tile as a point prompt of the whole image. */
function placed({ tile }: JudgedTile, { x, y, feature, label }: Point & Exemplar): PointPrompt {
  return { x: x + tile.x, y: y + tile.y, feature, label };
}
