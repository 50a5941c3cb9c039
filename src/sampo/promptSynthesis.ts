import { normal, shuffled, type Random } from './random';

/** An object the user has confirmed, as a source of clicks; tile px. */
export interface ConfirmedObject {
  readonly x: number;
  readonly y: number;
  /** Radius of a disk of the object's area, px. */
  readonly radius: number;
  /** The embedding's mean over it `[C]`. */
  readonly feature: Float32Array;
  readonly wanted: boolean;
}

/** A click with the feature found under it; what a decoder's point and exemplar inputs are filled from. */
export interface SynthesizedClick {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1;
  readonly feature: Float32Array;
}

/** One prompt for the intent; a higher level says more, and says it more carefully. */
export interface SynthesizedPrompt {
  readonly level: number;
  readonly clicks: readonly SynthesizedClick[];
}

/** How rich each level is; `noise` is the chance that the prompt holds one click with the wrong label. */
const LEVELS = [
  { positives: 1, negatives: 0, jitter: 0.6, noise: 0 },
  { positives: 2, negatives: 1, jitter: 0.5, noise: 0.5 },
  { positives: 3, negatives: 2, jitter: 0.3, noise: 0 },
  { positives: Infinity, negatives: Infinity, jitter: 0.1, noise: 0 },
] as const;

/**
 * Prompts of rising quality out of what the user has confirmed in a tile: 1 to n points, jittered inside their objects, a
 * wrong-class point as noise, fewer or more negatives. One prompt per level; empty when no object is wanted.
 * @param limit most clicks in a prompt
 */
export function synthesizePrompts(
  objects: readonly ConfirmedObject[],
  limit: number,
  random: Random,
): SynthesizedPrompt[] {
  const wanted = objects.filter((object) => object.wanted);
  const others = objects.filter((object) => !object.wanted);
  if (wanted.length === 0) return [];
  return LEVELS.map(({ positives, negatives, jitter, noise }, level) => {
    const click = (object: ConfirmedObject, label: 0 | 1): SynthesizedClick => ({
      x: object.x + normal(random) * object.radius * jitter,
      y: object.y + normal(random) * object.radius * jitter,
      label,
      feature: object.feature,
    });
    const against = shuffled(others, random).slice(0, Math.min(negatives, limit >> 1));
    const noisy = random() < noise ? against.slice(0, 1) : [];
    const room = limit - against.length;
    const clicks = [
      ...shuffled(wanted, random)
        .slice(0, Math.min(positives, room))
        .map((object) => click(object, 1)),
      ...against.map((object) => click(object, noisy.includes(object) ? 1 : 0)),
    ];
    return { level, clicks: shuffled(clicks, random) };
  });
}
