import { hashOf, seededRandom, shuffled } from '../sampo/random';
import { MINIMUM_OBJECTS, type LabelledImage, type TrueObject } from '../services/labelled/dataset';

/** A simulated click, px at the model's scale; label 1 wants this class, 0 does not. */
export interface Click {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1;
}

/** What a trial's randomness depends on: its image, its class and its seed, so no other choice changes it. */
export function trialSeed(image: string, asked: string, seed: number): number {
  return Math.floor(hashOf(`${image}\n${asked}\n${seed}`) * 2 ** 32);
}

/**
 * k centroids of the class and `negatives` of other classes (all there are, when fewer). Nested: the clicks of a smaller k are the
 * first of those of a larger one, and the positives are the same with and without negatives.
 * -> `undefined` when the class has fewer than max(k, 5) objects
 */
export function drawClicks(
  { name, objects }: Pick<LabelledImage, 'name' | 'objects'>,
  asked: string,
  k: number,
  negatives: number,
  seed: number,
): Click[] | undefined {
  const own = objects.filter((object) => object.class === asked);
  if (own.length < Math.max(k, MINIMUM_OBJECTS)) return undefined;
  const others = objects.filter((object) => object.class !== undefined && object.class !== asked);
  const random = seededRandom(trialSeed(name, asked, seed));
  const click =
    (label: 0 | 1) =>
    ({ x, y }: TrueObject): Click => ({ x, y, label });
  const wanted = shuffled(own, random).slice(0, k).map(click(1));
  return [...wanted, ...shuffled(others, random).slice(0, negatives).map(click(0))];
}
