/** How a forest is grown. */
export interface ForestOptions {
  readonly trees: number;
  readonly seed: number;
  readonly maxDepth: number;
  readonly minLeaf: number;
}

/** Like QuPath's default object classifier (random trees). */
export const DEFAULT_FOREST_OPTIONS: ForestOptions = { trees: 100, seed: 1, maxDepth: 12, minLeaf: 1 };

/** A leaf holds the share of positives; a branch sends `row[feature] <= threshold` to `low`. */
type Node =
  | { readonly share: number }
  | { readonly feature: number; readonly threshold: number; readonly low: Node; readonly high: Node };

/** A trained random forest of two classes. */
export interface Forest {
  readonly trees: readonly Node[];
}

/**
 * Grows a random forest (Breiman 2001): each tree from a bootstrap sample drawn per class, so that few positives are not drowned,
 * √features tried per split, Gini impurity. Equal input and seed give the equal forest.
 * @param rows one feature vector per example @param labels 0 or 1 per row @throws RangeError without rows
 */
export function growForest(
  rows: readonly ArrayLike<number>[],
  labels: readonly number[],
  options: ForestOptions = DEFAULT_FOREST_OPTIONS,
): Forest {
  if (rows.length === 0) throw new RangeError('a forest needs at least one example');
  const random = mulberry32(options.seed);
  const classes = [0, 1].map((label) => labels.flatMap((value, i) => (value === label ? [i] : [])));
  const trees = Array.from({ length: options.trees }, () => {
    const sample = classes.flatMap((members) =>
      members.map(() => members[Math.floor(random() * members.length)]!),
    );
    return growNode(rows, labels, sample, options, random, 0);
  });
  return { trees };
}

/** Probability that a row is positive: the mean over the trees' leaves, 0..1. */
export function forestProbability(forest: Forest, row: ArrayLike<number>): number {
  let sum = 0;
  for (let node of forest.trees) {
    while ('low' in node) node = row[node.feature]! <= node.threshold ? node.low : node.high;
    sum += node.share;
  }
  return sum / forest.trees.length;
}

function growNode(
  rows: readonly ArrayLike<number>[],
  labels: readonly number[],
  sample: readonly number[],
  options: ForestOptions,
  random: () => number,
  depth: number,
): Node {
  const positives = sample.reduce((sum, i) => sum + labels[i]!, 0);
  const share = positives / sample.length;
  if (share === 0 || share === 1 || depth >= options.maxDepth) return { share };
  const split = bestSplit(rows, labels, sample, options.minLeaf, random);
  if (split === undefined) return { share };
  const { feature, threshold } = split;
  const side = (low: boolean): Node =>
    growNode(
      rows,
      labels,
      sample.filter((i) => rows[i]![feature]! <= threshold === low),
      options,
      random,
      depth + 1,
    );
  return { feature, threshold, low: side(true), high: side(false) };
}

/** The split of least Gini impurity among √features drawn at random; features that do not vary are drawn past. */
function bestSplit(
  rows: readonly ArrayLike<number>[],
  labels: readonly number[],
  sample: readonly number[],
  minLeaf: number,
  random: () => number,
): { feature: number; threshold: number } | undefined {
  const features = Array.from({ length: rows[0]!.length }, (_, i) => i);
  const wanted = Math.max(1, Math.round(Math.sqrt(features.length)));
  let best: { feature: number; threshold: number } | undefined;
  let least = Infinity;
  let tried = 0;
  while (features.length > 0 && tried < wanted) {
    const [feature = 0] = features.splice(Math.floor(random() * features.length), 1);
    const sorted = sample.map((i) => [rows[i]![feature]!, labels[i]!] as const).sort((a, b) => a[0] - b[0]);
    const total = sorted.reduce((sum, [, label]) => sum + label, 0);
    if (sorted[0]![0] === sorted.at(-1)![0]) continue;
    tried++;
    let positives = 0;
    for (let n = 1; n < sorted.length; n++) {
      positives += sorted[n - 1]![1];
      if (sorted[n]![0] === sorted[n - 1]![0] || n < minLeaf || sorted.length - n < minLeaf) continue;
      const rest = sorted.length - n;
      // n * Gini / 2 of both sides.
      const impurity =
        (positives * (n - positives)) / n + ((total - positives) * (rest - total + positives)) / rest;
      if (impurity < least) {
        least = impurity;
        const middle = (sorted[n]![0] + sorted[n - 1]![0]) / 2;
        // Between neighbouring floats the middle may round up to the higher one.
        best = { feature, threshold: middle < sorted[n]![0] ? middle : sorted[n - 1]![0] };
      }
    }
  }
  return best;
}

/** Seeded uniform numbers in [0, 1) (mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
