import { throwIfAborted } from '../abort';
import { basename } from 'node:path';
import { BridgeError } from '../errors';
import { drawClicks, trialSeed } from './clicks';
import {
  classesOf,
  MINIMUM_OBJECTS,
  loadEntry,
  MATCH_MICRONS,
  type DataSet,
  type LabelledImage,
} from '../services/labelled/dataset';
import type { IntentPredictor, ModelIdentity, PreparedImage } from './intentPredictor';
import { Judge } from './judge';
import { CEILINGS, ceilingScores } from './ceilings';
import { ABLATIONS, measureAll, METHODS, MISSING_METHODS, type Method, type Trial } from './methods';
import { perturbations, type PerturbationKind } from './perturb';
import { reliabilityOf, type JudgedScore, type Reliability } from './reliability';
import { deviation, MEAN_CLASS, round, summarize, type ReportRow, type TrialScore } from './report';

const ALL_METHODS: Readonly<Record<string, Method>> = { ...METHODS, ...ABLATIONS };

/** What to run. */
export interface IntentBenchmarkOptions {
  readonly data: DataSet;
  readonly split?: string;
  readonly clicks: readonly number[];
  readonly seeds: number;
  readonly methods: readonly string[];
  /** Adds the answer without each of its parts. */
  readonly ablate?: boolean;
  /** Adds what would be if one thing were perfect. */
  readonly ceilings?: boolean;
  /** Repeats everything on changed images. */
  readonly perturb?: readonly PerturbationKind[];
  readonly signal?: AbortSignal;
  /** Hears of each image that is done. */
  readonly onImage?: (done: {
    readonly name: string;
    readonly index: number;
    readonly count: number;
    readonly objects: number;
  }) => void;
  /** Shown each prepared image while it is there, e.g. to draw its sheet. */
  readonly visit?: (image: LabelledImage, prepared: PreparedImage, judge: Judge) => Promise<void>;
}

/** How a change of the images moves the mean F1 of a method. */
export interface RobustnessRow {
  readonly perturb: PerturbationKind;
  readonly method: string;
  readonly clicks: number;
  readonly negatives: number;
  /** Mean over classes, on unchanged images. */
  readonly unchanged: number;
  /** The same on each variant. */
  readonly variants: Readonly<Record<string, number>>;
  /** Standard deviation over the unchanged images and all variants. */
  readonly spread: number;
}

/** The benchmark's result; the same input gives the same report. */
export interface IntentReport {
  readonly benchmark: 'intent';
  readonly data: { readonly name: string; readonly split: string | null; readonly images: number };
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly model: ModelIdentity;
  readonly rows: readonly ReportRow[];
  readonly robustness?: readonly RobustnessRow[];
  /** Scores of found nuclei that carry a label, against the share that is of the asked class. */
  readonly reliability: readonly Reliability[];
  readonly notes: readonly string[];
}

/**
 * The intent benchmark: for each image, class and seed, k clicks, one answer per method, scored by the matching rule.
 * @throws BridgeError NotAvailable for an unknown method, RequestCancelled, and what loading throws
 */
export async function runIntentBenchmark(
  predictor: IntentPredictor,
  options: IntentBenchmarkOptions,
): Promise<IntentReport> {
  const { data, clicks, seeds, methods } = options;
  const runnable = [
    ...methods.filter((name) => name in METHODS),
    ...(options.ablate === true ? Object.keys(ABLATIONS) : []),
  ];
  const judged = new Map<string, Map<string, JudgedScore[]>>();
  const unknown = methods.find((name) => !(name in METHODS) && !(name in MISSING_METHODS));
  if (unknown !== undefined)
    throw new BridgeError('NotAvailable', `no method "${unknown}"`, {
      hint: `methods are ${[...Object.keys(METHODS), ...Object.keys(MISSING_METHODS)].join(', ')}`,
    });
  const trials: TrialScore[] = [];
  const changed = new Map<string, { kind: PerturbationKind; trials: TrialScore[] }>();
  for (const [index, entry] of data.entries.entries()) {
    const image = await loadEntry(entry, predictor.model.micronsPerPixel);
    const prepared = await predictor.prepare(image.image);
    const judge = new Judge(image, prepared);
    trials.push(...(await runTrials(predictor, image, prepared, judge, runnable, options, judged)));
    await options.visit?.(image, prepared, judge);
    await prepared.release();
    for (const { kind, name, apply } of perturbations(options.perturb ?? [])) {
      const other = await apply(image);
      const preparedOther = await predictor.prepare(other.image);
      const slot = changed.get(name) ?? { kind, trials: [] };
      changed.set(name, slot);
      slot.trials.push(
        ...(await runTrials(
          predictor,
          other,
          preparedOther,
          new Judge(other, preparedOther),
          runnable,
          options,
        )),
      );
      await preparedOther.release();
    }
    options.onImage?.({
      name: entry.name,
      index,
      count: data.entries.length,
      objects: prepared.objects.length,
    });
  }
  if (trials.length === 0)
    throw new BridgeError(
      'JudgementsTooFew',
      `no class has ${MINIMUM_OBJECTS} objects in any image of ${data.folder}`,
    );
  const order = runnable.flatMap((name) => [name, ...CEILINGS.map((ceiling) => `${name}: ${ceiling}`)]);
  const rows = summarize(trials.sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method)));
  return {
    benchmark: 'intent',
    data: { name: basename(data.folder), split: options.split ?? null, images: data.entries.length },
    configuration: {
      clicks,
      seeds,
      methods: runnable,
      minimumObjects: MINIMUM_OBJECTS,
      matching: { points: `centres at most ${MATCH_MICRONS} µm apart`, masks: 'IoU of at least 0.5' },
    },
    model: predictor.model,
    rows,
    reliability: [...judged].map(([method, groups]) => reliabilityOf(method, groups)),
    ...(changed.size === 0 ? {} : { robustness: robustnessRows(rows, changed) }),
    notes: methods.flatMap((name) => (name in MISSING_METHODS ? [`${name}: ${MISSING_METHODS[name]}`] : [])),
  };
}

async function runTrials(
  predictor: IntentPredictor,
  image: LabelledImage,
  prepared: PreparedImage,
  judge: Judge,
  methods: readonly string[],
  { clicks, seeds, ceilings, signal }: IntentBenchmarkOptions,
  judged?: Map<string, Map<string, JudgedScore[]>>,
): Promise<TrialScore[]> {
  const { micronsPerPixel, scoreThreshold } = predictor.model;
  let table: Float64Array[] | undefined;
  const measurements = (): Float64Array[] => (table ??= measureAll(prepared, image.image, micronsPerPixel));
  const trials: TrialScore[] = [];
  const known = judge.classes();
  for (const asked of classesOf(image))
    for (const k of clicks)
      for (const negatives of [0, k])
        for (let seed = 0; seed < seeds; seed++) {
          throwIfAborted(signal, 'the benchmark was interrupted');
          const drawn = drawClicks(image, asked, k, negatives, seed);
          if (drawn === undefined) continue;
          const trial: Trial = {
            prepared,
            clicks: drawn,
            scoreThreshold,
            measurements,
            seed: trialSeed(image.name, asked, seed),
          };
          for (const method of methods) {
            const answer = await ALL_METHODS[method]!(trial);
            const about = { class: asked, clicks: k, negatives, image: image.name, seed };
            trials.push({ ...about, method, score: judge.score(answer.objects, asked) });
            const { scores } = answer;
            if (scores === undefined || method in ABLATIONS) continue;
            if (ceilings === true)
              for (const [name, score] of Object.entries(ceilingScores(judge, { ...answer, scores }, asked)))
                trials.push({ ...about, method: `${method}: ${name}`, score });
            if (judged !== undefined)
              noteScores(judged, method, negatives === 0 ? `${k}` : `${k} + ${k}`, known, scores, asked);
          }
        }
  return trials;
}

/** Notes the scores of nuclei whose class is known. */
function noteScores(
  judged: Map<string, Map<string, JudgedScore[]>>,
  method: string,
  clicks: string,
  known: ReadonlyMap<number, string>,
  scores: ArrayLike<number>,
  asked: string,
): void {
  const groups = judged.get(method) ?? new Map<string, JudgedScore[]>();
  judged.set(method, groups);
  const group = groups.get(clicks) ?? [];
  groups.set(clicks, group);
  for (const [object, name] of known) group.push({ score: scores[object]!, wanted: name === asked });
}

function robustnessRows(
  rows: readonly ReportRow[],
  changed: ReadonlyMap<string, { readonly kind: PerturbationKind; readonly trials: readonly TrialScore[] }>,
): RobustnessRow[] {
  const variants = [...changed].map(([name, { kind, trials }]) => ({ name, kind, rows: summarize(trials) }));
  const kinds = [...new Set(variants.map(({ kind }) => kind))];
  return kinds.flatMap((perturb) =>
    rows
      .filter((row) => row.class === MEAN_CLASS)
      .map(({ method, clicks, negatives, f1 }) => {
        const others = variants
          .filter(({ kind }) => kind === perturb)
          .flatMap(({ name, rows: own }) => {
            const match = own.find(
              (row) =>
                row.class === MEAN_CLASS &&
                row.method === method &&
                row.clicks === clicks &&
                row.negatives === negatives,
            );
            return match === undefined ? [] : [[name, match.f1] as const];
          });
        return {
          perturb,
          method,
          clicks,
          negatives,
          unchanged: f1,
          variants: Object.fromEntries(others),
          spread: round(deviation([f1, ...others.map(([, value]) => value)]) ?? 0),
        };
      }),
  );
}
