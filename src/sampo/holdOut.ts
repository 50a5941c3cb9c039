/** Of a kind, this one is the first to be kept back: fewer are all needed for training. */
const FIRST_KEPT = 4;

/** A judgement as the hold-out sees it. */
export interface SplitItem {
  readonly wanted: boolean;
}

/** Judgements to train on, and judgements kept back to check the result. */
export interface Split<T> {
  readonly train: readonly T[];
  readonly holdOut: readonly T[];
}

/**
 * Keeps back a share of the wanted and of the unwanted objects each: the fourth of a kind, and then one in every 1/share.
 * Objects come oldest first, and what a judgement is for, training or the check, never changes when others follow: were an
 * object trained on in one round and kept back in the next, the version before would know it by heart and seem better.
 */
export function splitHoldOut<T extends SplitItem>(items: readonly T[], share: number): Split<T> {
  const period = share > 0 ? Math.max(FIRST_KEPT, Math.round(1 / share)) : Infinity;
  const counts = { wanted: 0, unwanted: 0 };
  const kept = new Set(
    items.filter(({ wanted }) => counts[wanted ? 'wanted' : 'unwanted']++ % period === FIRST_KEPT - 1),
  );
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
  readonly count: number;
}

/** Agreement of scores with judgements; accuracy 1 when nothing was kept back. */
export function holdOutResult(scores: readonly HeldOutScore[], threshold: number): HoldOutResult {
  const kinds = [true, false]
    .map((wanted) => scores.filter((item) => item.wanted === wanted))
    .filter((kind) => kind.length > 0);
  const right = ({ wanted, score }: HeldOutScore): boolean => score >= threshold === wanted;
  const share = (kind: readonly HeldOutScore[]): number => kind.filter(right).length / kind.length;
  const accuracy = kinds.length === 0 ? 1 : kinds.reduce((sum, kind) => sum + share(kind), 0) / kinds.length;
  return { accuracy, count: scores.length };
}

/** Share of judgements that may be wrong: bounds what a single one can say, log((1 − ε)/ε) = 2.2 nats. */
const LABEL_SMOOTHING = 0.1;
/** Spread of a gain from object to object where too few tell it, in nats, and the objects that this guess weighs. */
const PRIOR_SPREAD = 0.4;
const PRIOR_COUNT = 4;

/** What a refinement brings on the judgements kept back: nats per object, positive when better. */
export interface HoldOutGain {
  readonly mean: number;
  /** Standard error of the mean; infinite without objects. */
  readonly error: number;
}

/** log p(judgement): p = σ(logit score − logit threshold), and a judgement is wrong with probability `LABEL_SMOOTHING`. */
function logLikelihood({ wanted, score }: HeldOutScore, threshold: number): number {
  const logit = (value: number): number => {
    const inside = Math.min(1 - 1e-6, Math.max(1e-6, value));
    return Math.log(inside / (1 - inside));
  };
  const p = 1 / (1 + Math.exp(logit(threshold) - logit(score)));
  return Math.log(LABEL_SMOOTHING + (1 - 2 * LABEL_SMOOTHING) * (wanted ? p : 1 - p));
}

/**
 * Mean gain in log-likelihood of the same objects, one by one; both kinds weigh the same.
 * @param before, after scores of the same objects in the same order, with the threshold each is shown at
 */
export function holdOutGain(
  before: { readonly scores: readonly HeldOutScore[]; readonly threshold: number },
  after: { readonly scores: readonly HeldOutScore[]; readonly threshold: number },
): HoldOutGain {
  const gains = after.scores.map((object, i) => ({
    wanted: object.wanted,
    gain: logLikelihood(object, after.threshold) - logLikelihood(before.scores[i]!, before.threshold),
  }));
  const kinds = [true, false]
    .map((wanted) => gains.filter((object) => object.wanted === wanted).map(({ gain }) => gain))
    .filter((kind) => kind.length > 0);
  if (kinds.length === 0) return { mean: 0, error: Infinity };
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const means = kinds.map((kind) => sum(kind) / kind.length);
  const squares = sum(kinds.flatMap((kind, k) => kind.map((gain) => (gain - means[k]!) ** 2)));
  const free = gains.length - kinds.length;
  const variance = (PRIOR_COUNT * PRIOR_SPREAD ** 2 + squares) / (PRIOR_COUNT + free);
  const error = Math.sqrt(variance * sum(kinds.map((kind) => 1 / kind.length))) / kinds.length;
  return { mean: sum(means) / kinds.length, error };
}

/**
 * Whether a refinement must not be activated: the objects kept back lose more than their number lets happen by chance. Few
 * objects must lose much, many need lose little.
 */
export function isWorse({ mean, error }: HoldOutGain): boolean {
  return mean < -error;
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
