import type { ModelIdentity } from './intentPredictor';
import type { Score } from './judge';
import { alignColumns, deviation, groupBy, MEAN_CLASS, mean, meanScore, round as rounded4 } from './report';

/** The score of one search, after a number of rounds. */
export interface RoundScore {
  readonly method: string;
  readonly class: string;
  readonly round: number;
  /** On the image that was clicked and judged, or on one that was not. */
  readonly where: 'same' | 'unseen';
  /** The clicked image. */
  readonly image: string;
  readonly seed: number;
  readonly score: Score;
}

/** How one refinement ended. */
export interface RefineScore {
  readonly method: string;
  readonly round: number;
  readonly activated: boolean;
  readonly seconds: number;
  readonly steps: number;
}

/** Means over images and seeds; `class` is "mean" for the mean over classes. */
export interface FeedbackRow {
  readonly method: string;
  readonly class: string;
  readonly round: number;
  readonly where: 'same' | 'unseen';
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  /** Standard deviation over seeds of the F1 (mean over images); absent with one seed. */
  readonly f1Sd?: number;
  /** Mean over trials of F1 minus the same trial's F1 before the first round. */
  readonly gain: number;
  /** Standard error of `gain`; absent with one trial. */
  readonly gainSe?: number;
  readonly trials: number;
}

/** How the refinements of one method and round ended. */
export interface RefinementRow {
  readonly method: string;
  readonly round: number;
  readonly refinements: number;
  /** Share that the hold-out kept from being used. */
  readonly refused: number;
  /** Medians. */
  readonly seconds: number;
  readonly steps: number;
}

/** The benchmark's result; with steps instead of seconds the same input gives the same report, but for `seconds`. */
export interface FeedbackReport {
  readonly benchmark: 'feedback';
  readonly data: { readonly name: string; readonly split: string | null; readonly images: number };
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly model: ModelIdentity;
  readonly rows: readonly FeedbackRow[];
  readonly refinements: readonly RefinementRow[];
}

/** Averages the rounds: over images, then seeds, then classes, as the table of clicks does. */
export function summarizeFeedback(
  scores: readonly RoundScore[],
  refinements: readonly RefineScore[],
): { summary: FeedbackRow[]; refinements: RefinementRow[] } {
  const trialKey = (one: RoundScore): string =>
    `${one.method}|${one.class}|${one.where}|${one.image}|${one.seed}`;
  const start = new Map(
    [
      ...groupBy(
        scores.filter(({ round }) => round === 0),
        trialKey,
      ),
    ].map(([key, own]) => [key, mean(own.map(({ score }) => score.f1))]),
  );
  const summary = [...groupBy(scores, (one) => `${one.method}|${one.where}|${one.round}`).values()].flatMap(
    (group) => {
      const { method, where, round } = group[0]!;
      const byClass = [...groupBy(group, (one) => one.class)].sort(([a], [b]) => (a < b ? -1 : 1));
      const describe = (name: string, bySeed: readonly Score[], own: readonly RoundScore[]): FeedbackRow => {
        const { f1, precision, recall } = meanScore(bySeed);
        const spread = deviation(bySeed.map((score) => score.f1));
        const trials = [...groupBy(own, trialKey)];
        const gains = trials.map(([key, some]) => mean(some.map(({ score }) => score.f1)) - start.get(key)!);
        const error = deviation(gains);
        return {
          method,
          class: name,
          round,
          where,
          f1: rounded4(f1),
          precision: rounded4(precision),
          recall: rounded4(recall),
          ...(spread !== undefined && { f1Sd: rounded4(spread) }),
          gain: rounded4(mean(gains)),
          ...(error !== undefined && { gainSe: rounded4(error / Math.sqrt(gains.length)) }),
          trials: trials.length,
        };
      };
      const seeds = byClass.map(([name, own]) => ({ name, own, bySeed: seedMeans(own) }));
      const overall = seeds[0]!.bySeed.map((_, s) =>
        meanScore(seeds.flatMap(({ bySeed }) => bySeed[s] ?? [])),
      );
      return [
        ...seeds.map(({ name, bySeed, own }) => describe(name, bySeed, own)),
        describe(MEAN_CLASS, overall, group),
      ];
    },
  );
  const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
  const ends = [...groupBy(refinements, (one) => `${one.method}|${one.round}`).values()].map((group) => ({
    method: group[0]!.method,
    round: group[0]!.round,
    refinements: group.length,
    refused: rounded4(mean(group.map(({ activated }) => (activated ? 0 : 1)))),
    seconds: Math.round(100 * middle(group.map(({ seconds }) => seconds))) / 100,
    steps: middle(group.map(({ steps }) => steps)),
  }));
  return { summary, refinements: ends };
}

/** The tables of the terminal: F1 by round, then how the refinements ended. */
export function formatFeedback({ rows, refinements }: Pick<FeedbackReport, 'rows' | 'refinements'>): string {
  const rounds = [...new Set(rows.map(({ round }) => round))].sort((a, b) => a - b);
  const classes = [...new Set(rows.map((row) => row.class))].sort(
    (a, b) => Number(b === MEAN_CLASS) - Number(a === MEAN_CLASS),
  );
  const methods = [...new Set(rows.map(({ method }) => method))];
  const blocks = classes.flatMap((name) =>
    (['same', 'unseen'] as const).flatMap((where) => {
      const own = rows.filter((row) => row.class === name && row.where === where);
      if (own.length === 0) return [];
      const place = where === 'same' ? 'the judged image' : 'images never clicked';
      const lines = methods.map((method) => [
        method,
        ...rounds.map((round) => {
          const row = own.find((one) => one.method === method && one.round === round);
          if (row === undefined) return '-';
          return row.f1.toFixed(3) + (row.f1Sd === undefined ? '' : ` ± ${row.f1Sd.toFixed(3)}`);
        }),
      ]);
      const last = own.filter(({ round }) => round === rounds.at(-1));
      const gains = last.map(
        ({ method, gain, gainSe, trials }) =>
          `  gain of ${method}: ${gain >= 0 ? '+' : ''}${gain.toFixed(3)}${gainSe === undefined ? '' : ` ± ${gainSe.toFixed(3)}`} (${trials} trials)`,
      );
      const title = `F1 after rounds of judging, ${name === MEAN_CLASS ? 'mean over classes' : name}, ${place}`;
      const head = ['', ...rounds.map((round) => `round ${round}`)];
      return [[title, alignColumns([head, ...lines]), ...gains].join('\n')];
    }),
  );
  const ends = refinements.map(({ method, round, refused, seconds, steps, refinements: count }) => [
    `${method}, round ${round}`,
    `${Math.round(100 * refused)} % of ${count}`,
    `${steps}`,
    `${seconds.toFixed(1)} s`,
  ]);
  const table = alignColumns([['', 'refused by the hold-out', 'steps', 'time'], ...ends]);
  return `${[...blocks, `Refinements\n${table}`].join('\n\n')}\n`;
}

function seedMeans(scores: readonly RoundScore[]): Score[] {
  const bySeed = [...groupBy(scores, ({ seed }) => String(seed))].sort(([a], [b]) => Number(a) - Number(b));
  return bySeed.map(([, members]) => meanScore(members.map(({ score }) => score)));
}
