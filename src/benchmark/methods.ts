import { ANSWER_PARTS } from '../segmentation/answering/answerScores';
import { seededRandom, shuffled } from '../sampo/random';
import { forestProbability, growForest, DEFAULT_FOREST_OPTIONS } from '../segmentation/forest';
import { measureObject } from '../segmentation/measurements';
import type { RgbImage } from '../segmentation/preprocess';
import type { Click } from './clicks';
import type { LeftOut, PreparedImage } from './intentPredictor';

/** Everything a method may look at. */
export interface Trial {
  readonly prepared: PreparedImage;
  readonly clicks: readonly Click[];
  readonly scoreThreshold: number;
  /** One row per object; measured when first asked for. */
  readonly measurements: () => readonly Float64Array[];
  readonly seed: number;
}

/** What a method says of a trial. */
export interface Answer {
  /** Indices of the objects that are of the class. */
  readonly objects: readonly number[];
  /** Of every object, 0..1 with the decision at 0.5, where the method has scores that can be read so. */
  readonly scores?: ArrayLike<number>;
}

export type Method = (trial: Trial) => Promise<Answer> | Answer;

/** The product: clicks → scores → objects over the threshold. @param without what its answer does without */
function product(without?: LeftOut): Method {
  return async ({ prepared, clicks, scoreThreshold }) => {
    const scores = await prepared.scores(clicks, without);
    const objects = [...prepared.objects.keys()].filter((i) => scores[i]! >= scoreThreshold);
    // A server tells what passes, not by how much.
    return prepared.evidence === undefined ? { objects } : { objects, scores };
  };
}

/** The methods of the benchmark, in the order of its tables. */
export const METHODS = {
  sampo: product(),
  /** The decoder's own scores, without what the image's other nuclei add. */
  decoder: product('answering'),
  /** (a) Only the objects under the positive clicks. */
  'one-per-click': ({ prepared, clicks }: Trial): Answer => ({
    objects: [...new Set(clicks.flatMap((click) => (click.label === 1 ? objectUnder(prepared, click) : [])))],
  }),
  /** (b) Every nucleus. */
  'all-nuclei': ({ prepared }: Trial): Answer => ({ objects: [...prepared.objects.keys()] }),
  /** (c) A random forest on per-object measurements. */
  forest: (trial: Trial): Answer => ({ objects: forestAnswer(trial) }),
} satisfies Record<string, Method>;

/** Each part of the answer left out once, by what `--ablate` calls it. */
export const ABLATIONS: Readonly<Record<string, Method>> = Object.fromEntries(
  ANSWER_PARTS.map((part) => [`sampo without ${part}`, product(part)]),
);

/** Methods of the design that this build cannot run, and why: told in the report instead of a row. */
export const MISSING_METHODS: Readonly<Record<string, string>> = {
  'pixel-loss': 'learning from judgements, by the pixel loss alone or by SAMPO, is measured with --rounds',
};

/** Measurements of every object; `image` is what the objects were found in. */
export function measureAll(
  { objects }: PreparedImage,
  image: RgbImage,
  micronsPerPixel: number,
): Float64Array[] {
  return objects.map(({ outline }) => measureObject(outline, image, micronsPerPixel));
}

function objectUnder({ labels }: PreparedImage, { x, y }: Click): number[] {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= labels.width || row >= labels.height) return [];
  const label = labels.labels[row * labels.width + column]!;
  return label === 0 ? [] : [label - 1];
}

function nearestObject({ objects }: PreparedImage, { x, y }: Click): number {
  let best = -1;
  let least = Infinity;
  objects.forEach(({ centroid }, i) => {
    const distance = Math.hypot(centroid.x - x, centroid.y - y);
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

/** How many other objects stand in for negatives at least when nobody clicked one. */
const STAND_INS = 10;

/**
 * Trained on the clicked objects (the nearest one where a click hit none). With positive clicks alone, other objects drawn at
 * random count as negatives, as many as clicks and ten at least: a forest needs two classes.
 */
function forestAnswer({ prepared, clicks, measurements, seed }: Trial): number[] {
  const examples = new Map<number, 0 | 1>();
  for (const click of clicks) {
    const object = objectUnder(prepared, click)[0] ?? nearestObject(prepared, click);
    if (object >= 0 && !examples.has(object)) examples.set(object, click.label);
  }
  if (examples.size === 0) return [];
  if (clicks.every(({ label }) => label === 1)) {
    const others = [...prepared.objects.keys()].filter((i) => !examples.has(i));
    const count = Math.max(STAND_INS, clicks.length);
    for (const i of shuffled(others, seededRandom(seed)).slice(0, count)) examples.set(i, 0);
  }
  const table = measurements();
  const rows = [...examples.keys()].map((i) => table[i]!);
  const forest = growForest(rows, [...examples.values()], { ...DEFAULT_FOREST_OPTIONS, seed: seed | 0 });
  return [...table.keys()].filter((i) => forestProbability(forest, table[i]!) >= 0.5);
}
