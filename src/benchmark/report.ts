import type { Score } from './judge';

/** One answer to one set of clicks. */
export interface TrialScore {
  readonly method: string;
  readonly class: string;
  readonly clicks: number;
  /** Negative clicks that were asked for: 0 or as many as positive ones. */
  readonly negatives: number;
  readonly image: string;
  readonly seed: number;
  readonly score: Score;
}

/** Means over images and seeds; `class` is "mean" for the mean over classes. */
export interface ReportRow {
  readonly method: string;
  readonly class: string;
  readonly clicks: number;
  readonly negatives: number;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  readonly dice?: number;
  readonly aji?: number;
  /** Standard deviation over seeds of the F1 (mean over images); absent with one seed. */
  readonly f1Sd?: number;
  readonly images: number;
}

const MEASURES = ['f1', 'precision', 'recall', 'dice', 'aji'] as const;

/** Name of the rows that are means over classes. */
export const MEAN_CLASS = 'mean';

/** Averages trials: over images, then seeds, then classes. Rows in the order in which their trials first came. */
export function summarize(trials: readonly TrialScore[]): ReportRow[] {
  const groups = groupBy(trials, ({ method, clicks, negatives }) => `${method}|${clicks}|${negatives}`);
  return [...groups.values()].flatMap((group) => {
    const { method, clicks, negatives } = group[0]!;
    const classes = [...groupBy(group, (trial) => trial.class)].sort(([a], [b]) => (a < b ? -1 : 1));
    const rows = classes.map(([name, members]) => ({
      class: name,
      images: new Set(members.map(({ image }) => image)).size,
      bySeed: seedMeans(members),
    }));
    const overall = {
      class: MEAN_CLASS,
      images: new Set(group.map(({ image }) => image)).size,
      // Every class has every seed: whether a class is asked for does not depend on the seed.
      bySeed: rows[0]!.bySeed.map((_, s) => meanScore(rows.map(({ bySeed }) => bySeed[s]!))),
    };
    return [...rows, overall].map(({ class: name, images, bySeed }) => {
      const f1Sd = deviation(bySeed.map(({ f1 }) => f1));
      const means = meanScore(bySeed);
      return {
        method,
        class: name,
        clicks,
        negatives,
        ...rounded(means),
        ...(f1Sd === undefined ? {} : { f1Sd: round(f1Sd) }),
        images,
      };
    });
  });
}

/** The F1 table of the terminal: means over classes, then each class; one column per number of clicks. */
export function formatTable(rows: readonly ReportRow[]): string {
  const clicks = [...new Set(rows.map((row) => row.clicks))].sort((a, b) => a - b);
  const classes = [...new Set(rows.map((row) => row.class))].sort(
    (a, b) => Number(b === MEAN_CLASS) - Number(a === MEAN_CLASS),
  );
  const blocks = classes.flatMap((name) =>
    [false, true].flatMap((withNegatives) => {
      const own = rows.filter((row) => row.class === name && row.negatives > 0 === withNegatives);
      if (own.length === 0) return [];
      const title = `F1, ${name === MEAN_CLASS ? 'mean over classes' : name}, ${withNegatives ? 'k positive + k negative' : 'k positive'} clicks`;
      const head = ['', ...clicks.map((k) => `k = ${k}`)];
      const lines = [...new Set(own.map(({ method }) => method))].map((method) => [
        method,
        ...clicks.map((k) => {
          const row = own.find((one) => one.method === method && one.clicks === k);
          if (row === undefined) return '-';
          return row.f1.toFixed(3) + (row.f1Sd === undefined ? '' : ` ± ${row.f1Sd.toFixed(3)}`);
        }),
      ]);
      return [`${title}\n${alignColumns([head, ...lines])}`];
    }),
  );
  return `${blocks.join('\n\n')}\n`;
}

/** Rows of cells as lines with aligned columns: the first to the left, the others to the right. */
export function alignColumns(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, c) => Math.max(...table.map((line) => line[c]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  ');
  return table.map((cells) => `  ${line(cells)}`).join('\n');
}

/** Mean of every measure that is there. */
export function meanScore(scores: readonly Score[]): Score {
  const entries = MEASURES.flatMap((measure) => {
    const values = scores.flatMap((score) => score[measure] ?? []);
    return values.length === 0 ? [] : [[measure, mean(values)] as const];
  });
  return Object.fromEntries(entries) as unknown as Score;
}

/** Four digits: what a benchmark of this size can tell apart. */
export function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** Every measure with four digits. */
export function rounded(score: Score): Score {
  return Object.fromEntries(
    Object.entries(score).map(([name, value]) => [name, round(value as number)]),
  ) as unknown as Score;
}

function seedMeans(trials: readonly TrialScore[]): Score[] {
  const bySeed = [...groupBy(trials, ({ seed }) => String(seed))].sort(([a], [b]) => Number(a) - Number(b));
  return bySeed.map(([, members]) => meanScore(members.map(({ score }) => score)));
}

/** Sample standard deviation; `undefined` for fewer than two values. */
export function deviation(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** Arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Items by their key, in the order in which keys first came. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
