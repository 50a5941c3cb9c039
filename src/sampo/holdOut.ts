import { hashOf } from './random';

/** A judgement as the hold-out sees it. */
export interface SplitItem {
  readonly id: string;
  readonly wanted: boolean;
}

/** Judgements to train on, and judgements kept back to check the result. */
export interface Split<T> {
  readonly train: readonly T[];
  readonly holdOut: readonly T[];
}

/**
 * Keeps back a share of the wanted and of the unwanted objects each: at least one of a kind once there are four, none below.
 * Which ones depends on their ids and the seed alone, not on their order.
 */
export function splitHoldOut<T extends SplitItem>(
  items: readonly T[],
  share: number,
  seed: number,
): Split<T> {
  const kept = new Set<T>();
  for (const wanted of [true, false]) {
    const kind = items.filter((item) => item.wanted === wanted);
    const count = kind.length < 4 ? 0 : Math.max(1, Math.round(kind.length * share));
    const place = (item: T): number => hashOf(`${seed}:${item.id}`);
    kind
      .toSorted((a, b) => place(a) - place(b))
      .slice(0, count)
      .forEach((item) => kept.add(item));
  }
  return {
    train: items.filter((item) => !kept.has(item)),
    holdOut: items.filter((item) => kept.has(item)),
  };
}

/** A held-out object: what the user said, and the intent's score for it (0..1). */
export interface HeldOutScore {
  readonly wanted: boolean;
  readonly score: number;
}

/** How well an intent's scores agree with held-out judgements. */
export interface HoldOutResult {
  /** Mean over the two kinds of the share on the right side of the threshold. */
  readonly accuracy: number;
  /** Mean over the two kinds of the mean of score − threshold for wanted, threshold − score for unwanted objects. */
  readonly certainty: number;
  readonly count: number;
}

/** Agreement of scores with judgements; accuracy 1 when nothing was kept back. */
export function holdOutResult(scores: readonly HeldOutScore[], threshold: number): HoldOutResult {
  const kinds = [true, false]
    .map((wanted) => scores.filter((item) => item.wanted === wanted))
    .filter((kind) => kind.length > 0);
  const right = ({ wanted, score }: HeldOutScore): boolean => score >= threshold === wanted;
  const share = (kind: readonly HeldOutScore[]): number => kind.filter(right).length / kind.length;
  const signed = ({ wanted, score }: HeldOutScore): number =>
    wanted ? score - threshold : threshold - score;
  const mean = (values: readonly number[], none: number): number =>
    values.length === 0 ? none : values.reduce((sum, value) => sum + value, 0) / values.length;
  const certainty = mean(
    kinds.map((kind) => mean(kind.map(signed), 0)),
    0,
  );
  return { accuracy: mean(kinds.map(share), 1), certainty, count: scores.length };
}

/**
 * Whether a refinement must not be activated. A handful of objects near the threshold change sides by chance, so being less
 * accurate counts only when the scores have moved the wrong way too; without that, they must have moved far.
 */
export function isWorse(before: HoldOutResult, after: HoldOutResult, tolerance = 0.05): boolean {
  if (after.count === 0) return false;
  const lost = before.certainty - after.certainty;
  return after.accuracy < before.accuracy ? lost > 0 : lost > tolerance;
}

/** Judged objects that weigh as much as the threshold that was there before. */
const PRIOR_OBJECTS = 10;
/** A calibrated threshold stays between these. */
const THRESHOLD_RANGE = { least: 0.3, most: 0.8 } as const;

/**
 * The score that best parts wanted from unwanted objects: the middle of where the mean of both kinds' shares on their right side
 * is highest, drawn toward the threshold that was there, the more the fewer objects speak. As it was when one kind is missing.
 * @param before 0..1
 */
export function calibratedThreshold(scores: readonly HeldOutScore[], before: number): number {
  if (scores.every(({ wanted }) => wanted) || !scores.some(({ wanted }) => wanted)) return before;
  const { least, most } = THRESHOLD_RANGE;
  const steps = Array.from({ length: 101 }, (_, i) => least + ((most - least) * i) / 100);
  const accuracies = steps.map((threshold) => holdOutResult(scores, threshold).accuracy);
  const best = Math.max(...accuracies);
  const ties = steps.filter((_, i) => accuracies[i]! > best - 1e-9);
  // Of several stretches that part the judged equally well, the one around the middle tie.
  const middle = ties[ties.length >> 1]!;
  const share = scores.length / (scores.length + PRIOR_OBJECTS);
  return before + share * (middle - before);
}
