import { columnScale, standardize } from './columnScale';
import { NO_PROTOTYPES, prototypes, prototypeSimilarity, type Prototypes } from './prototypes';
import { fitSoftLogistic, headLogit, logit, sigmoid, type LogisticHead } from './softLogistic';

/** What one nucleus looks like, whatever the intent. */
export interface NucleusLooks {
  /** Mean embedding inside, [channels]. */
  readonly embedding: ArrayLike<number>;
  /** `measureObject`'s values. */
  readonly measurements: ArrayLike<number>;
}

/** What is known about one image and one intent. */
export interface AnswerEvidence {
  /** Every nucleus that is known, in an order that does not depend on when it was found. */
  readonly nuclei: readonly NucleusLooks[];
  /** The decoder's score of each nucleus, 0..1, on a scale where 0.5 is its threshold. */
  readonly decoder: ArrayLike<number>;
  /** Nuclei that the user has shown, by index: 1 wanted, 0 not. */
  readonly shown: ReadonlyMap<number, 0 | 1>;
  /** Nuclei that the user has judged among the answers, by index: learned from and scored as said, but no prototypes. */
  readonly judged?: ReadonlyMap<number, 0 | 1> | undefined;
  /** Examples that are no nucleus of this list: embeddings with their label. */
  readonly elsewhere?: readonly { readonly feature: ArrayLike<number>; readonly label: 0 | 1 }[];
}

/** The numbers that fit the answer to a model; stored in its manifest, chosen on a validation split. */
export interface AnswerCalibration {
  /** Where the answer ends, as a logit: base + oneClick / clicks + clicked · (mean logit of the clicked). */
  readonly cut: {
    readonly base: number;
    readonly oneClick: number;
    readonly clicked: number;
  };
  /** Steepness of the score around the cut. */
  readonly slope: number;
}

/** Parts of the answer, to be left out one at a time in a benchmark. */
export const ANSWER_PARTS = [
  'embedding prototypes',
  'measurement prototypes',
  'embedding head',
  'measurement head',
  'decoder in the mean',
  'scale of the image',
  'cut by the clicked',
  'weight by clicks',
  'shown as said',
] as const;
export type AnswerPart = (typeof ANSWER_PARTS)[number];

/** What was shown counts this many times as much as another nucleus when a head is fitted. */
const SHOWN_WEIGHT = 5;
/** On rows of length about 1; from 0.01 to 1 nothing changes. */
const RIDGE = 0.1;
/** Most nuclei that scales and heads are fitted to; of more, some are taken. */
const FITTED_NUCLEI = 2000;
/** With so many nuclei, what the image's own tell counts half; with few it is mostly noise. */
const ENOUGH_NUCLEI = 50;
/** The cut stays within these logits (probabilities 0.27 and 0.73). */
const CUT_LIMIT = 1;

/** Share of the prototypes in the ranking: a single click says little about its kind, many say more. */
function prototypeShare(clicks: number): number {
  return (0.6 * clicks) / (clicks + 2);
}

/**
 * Scores of an intent for every nucleus of an image, 0..1: 0.5 is where the answer ends, and about half of the nuclei scored 0.5
 * are of the type; what was shown is scored as the user said. The same evidence gives the same scores.
 * @param leftOut a part to do without, for the benchmark -> [nuclei]
 */
export function answerScores(
  evidence: AnswerEvidence,
  calibration: AnswerCalibration,
  leftOut?: AnswerPart,
): Float64Array {
  const { nuclei, decoder } = evidence;
  const said = saidOf(evidence);
  const score = fitAnswer(evidence, calibration, leftOut);
  return Float64Array.from(nuclei, (looks, i) => {
    const known = leftOut === 'shown as said' ? undefined : said.get(i);
    return known ?? score(looks, decoder[i]!);
  });
}

/** What the user has said of nuclei, by index; a judgement is newer than a click. */
export function saidOf({
  shown,
  judged,
}: Pick<AnswerEvidence, 'shown' | 'judged'>): ReadonlyMap<number, 0 | 1> {
  return judged === undefined ? shown : new Map([...shown, ...judged]);
}

/** Score of one nucleus, 0..1, of those that were known when it was fitted or of one found later. @param decoder its own score */
export type FittedAnswer = (looks: NucleusLooks, decoder: number) => number;

/** The decoder's own score on the calibrated scale: 0.5 stays 0.5. */
export function decoderAnswer(decoder: number, slope: number): number {
  return sigmoid(slope * logit(decoder));
}

/** Fits the scores to what is known. Where nothing wanted was shown in the image, they are the decoder's on the calibrated scale. */
export function fitAnswer(
  evidence: AnswerEvidence,
  { cut, slope }: AnswerCalibration,
  leftOut?: AnswerPart,
): FittedAnswer {
  const standing = fitStanding(evidence, leftOut);
  if (standing === undefined) return (_, decoder) => decoderAnswer(decoder, slope);
  const { clicks, clicked, of } = standing;
  const wanted = cut.base + cut.oneClick / clicks + cut.clicked * clicked;
  const end = leftOut === 'cut by the clicked' ? 0 : Math.max(-CUT_LIMIT, Math.min(CUT_LIMIT, wanted));
  return (looks, decoder) => sigmoid(slope * (of(looks, decoder) - end));
}

/** Where nuclei stand for an intent, before it is said where the answer ends. */
export interface Standing {
  /** Wanted examples. */
  readonly clicks: number;
  /** Mean logit of the wanted nuclei of this image. */
  readonly clicked: number;
  /** A nucleus's own, as a logit. */
  readonly of: (looks: NucleusLooks, decoder: number) => number;
}

/**
 * Ranks nuclei. How many belong is told by three classifiers (the decoder, and logistic regressions on embeddings and on
 * measurements that learn from the decoder and from what was shown); which ones, by these and by likeness to what was shown, both
 * on the scale of the image's own nuclei. -> `undefined` where nothing wanted was shown in the image: the regressions would learn
 * the decoder's mistakes with nothing to right them
 */
export function fitStanding(evidence: AnswerEvidence, leftOut?: AnswerPart): Standing | undefined {
  const { nuclei, decoder, shown, elsewhere = [] } = evidence;
  const has = (part: AnswerPart): boolean => part !== leftOut;
  const wanted = [...shown].flatMap(([i, label]) => (label === 1 ? [i] : []));
  if (wanted.length === 0) return undefined;

  const said = saidOf(evidence);
  const fitted = fittedNuclei(nuclei.length, said);
  const trust = nuclei.length / (nuclei.length + ENOUGH_NUCLEI);
  const embeddings = tableOf(nuclei, ({ embedding }) => embedding, fitted, has('scale of the image'));
  const measurements = tableOf(nuclei, (one) => one.measurements, fitted, true);

  const embeddingHead = has('embedding head') ? headOf(embeddings, decoder, said, fitted) : undefined;
  const measurementHead = has('measurement head') ? headOf(measurements, decoder, said, fitted) : undefined;
  const decoderWeight = has('decoder in the mean') ? 1 : 0;
  const heads = Number(embeddingHead !== undefined) + Number(measurementHead !== undefined);
  const meanLogit = (score: number, row: Float64Array, measured: Float64Array): number => {
    const head = embeddingHead === undefined ? 0 : headLogit(embeddingHead, row);
    const other = measurementHead === undefined ? 0 : headLogit(measurementHead, measured);
    return (decoderWeight * logit(score) + trust * (head + other)) / (decoderWeight + trust * heads);
  };

  const prototypesOf = ({ rows }: Table, examples: readonly Example[]): Prototypes => {
    const ofLabel = (label: 0 | 1): Float64Array[] => [
      ...[...shown].flatMap(([i, said]) => (said === label ? [rows.get(i)!] : [])),
      ...examples.flatMap((example) => (example.label === label ? [example.row] : [])),
    ];
    return prototypes(ofLabel(1), ofLabel(0));
  };
  const foreign = elsewhere.map(({ feature, label }) => ({ row: embeddings.scaled(feature), label }));
  const byEmbedding = has('embedding prototypes') ? prototypesOf(embeddings, foreign) : NO_PROTOTYPES;
  const byMeasurement = has('measurement prototypes') ? prototypesOf(measurements, []) : NO_PROTOTYPES;
  const likenessOf = (row: Float64Array, measured: Float64Array): number =>
    prototypeSimilarity(row, byEmbedding) + prototypeSimilarity(measured, byMeasurement);

  const logits = new Map<number, number>();
  const likenesses = new Map<number, number>();
  for (const i of fitted) {
    const [row, measured] = [embeddings.rows.get(i)!, measurements.rows.get(i)!];
    logits.set(i, meanLogit(decoder[i]!, row, measured));
    likenesses.set(i, likenessOf(row, measured));
  }
  const clicks = wanted.length + foreign.filter(({ label }) => label === 1).length;
  const share = has('weight by clicks') ? trust * prototypeShare(clicks) : 0.5;
  const logitSpread = spreadOf(logits);
  const likenessSpread = spreadOf(likenesses);
  const rankOf = (likeness: number, value: number): number =>
    share * inSpreads(likeness, likenessSpread) + (1 - share) * inSpreads(value, logitSpread);
  const ranks = Float64Array.from(fitted, (i) => rankOf(likenesses.get(i)!, logits.get(i)!)).sort();
  const values = Float64Array.from(fitted, (i) => logits.get(i)!).sort();
  const standings = new Map<NucleusLooks, number>();
  for (const i of fitted) {
    const rank = rankOf(likenesses.get(i)!, logits.get(i)!);
    standings.set(nuclei[i]!, sameStanding(rank, ranks, values));
  }
  return {
    clicks,
    clicked: wanted.reduce((total, i) => total + logits.get(i)!, 0) / wanted.length,
    of: (looks, score) => {
      const known = standings.get(looks);
      if (known !== undefined) return known;
      const row = embeddings.scaled(looks.embedding);
      const measured = measurements.scaled(looks.measurements);
      const rank = rankOf(likenessOf(row, measured), meanLogit(score, row, measured));
      return sameStanding(rank, ranks, values);
    },
  };
}

interface Example {
  readonly row: Float64Array;
  readonly label: 0 | 1;
}

/** Columns on the scale of the fitted nuclei. */
interface Table {
  /** Of the fitted nuclei, by index. */
  readonly rows: ReadonlyMap<number, Float64Array>;
  readonly scaled: (row: ArrayLike<number>) => Float64Array;
}

function tableOf(
  nuclei: readonly NucleusLooks[],
  read: (nucleus: NucleusLooks) => ArrayLike<number>,
  fitted: readonly number[],
  withinImage: boolean,
): Table {
  const columns = read(nuclei[0]!).length;
  const scale = withinImage
    ? columnScale(fitted.map((i) => read(nuclei[i]!)))
    : { centre: new Float64Array(columns), spread: new Float64Array(columns).fill(1) };
  const scaled = (row: ArrayLike<number>): Float64Array => standardize(row, scale);
  return { rows: new Map(fitted.map((i) => [i, scaled(read(nuclei[i]!))])), scaled };
}

/** A regression that learns what the decoder says of all nuclei, and the user of some. */
function headOf(
  { rows }: Table,
  decoder: ArrayLike<number>,
  said: ReadonlyMap<number, 0 | 1>,
  fitted: readonly number[],
): LogisticHead {
  return fitSoftLogistic(
    fitted.map((i) => ({
      row: rows.get(i)!,
      target: said.get(i) ?? decoder[i]!,
      weight: said.has(i) ? SHOWN_WEIGHT : 1,
    })),
    RIDGE,
  );
}

/** Indices of all nuclei, or of some that are spread evenly (by the golden ratio, so no pattern is met) and those that were shown. */
function fittedNuclei(count: number, shown: ReadonlyMap<number, 0 | 1>): number[] {
  const share = Math.min(1, FITTED_NUCLEI / count);
  const indices: number[] = [];
  for (let i = 0; i < count; i++)
    if ((Math.imul(i, 0x9e3779b1) >>> 0) / 2 ** 32 < share || shown.has(i)) indices.push(i);
  return indices;
}

interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

function spreadOf(values: ReadonlyMap<number, number>): Spread {
  let total = 0;
  for (const value of values.values()) total += value;
  const mean = total / values.size;
  let squares = 0;
  for (const value of values.values()) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.size) || 1 };
}

function inSpreads(value: number, { mean, deviation }: Spread): number {
  return (value - mean) / deviation;
}

/** The entry of `values` that stands where `rank` stands among `ranks`, both sorted and of one length. */
function sameStanding(rank: number, ranks: Float64Array, values: Float64Array): number {
  const place = placeIn(ranks, rank);
  const below = Math.floor(place);
  const above = Math.min(values.length - 1, below + 1);
  return values[below]! + (place - below) * (values[above]! - values[below]!);
}

/** Where a value stands in a sorted list, between two entries linearly, equal entries at their middle. -> 0..length - 1 */
function placeIn(sorted: Float64Array, value: number): number {
  const below = countBelow(sorted, value, false);
  const upTo = countBelow(sorted, value, true);
  if (upTo > below) return (below + upTo - 1) / 2;
  if (below === 0) return 0;
  if (below === sorted.length) return sorted.length - 1;
  const left = sorted[below - 1]!;
  return below - 1 + (value - left) / (sorted[below]! - left);
}

/** Entries less than a value, or not greater. */
function countBelow(sorted: Float64Array, value: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
