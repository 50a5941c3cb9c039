import { throwIfAborted } from '../abort';
import { basename } from 'node:path';
import { BridgeError } from '../errors';
import { seededRandom, shuffled, type Random } from '../sampo/random';
import { selectObjects } from '../segmentation/thresholds';
import { nextToReview } from '../services/intents/review';
import type { SearchResult } from '../services/search/searchResult';
import { drawClicks, trialSeed } from './clicks';
import {
  classesOf,
  MINIMUM_OBJECTS,
  loadEntry,
  type DataSet,
  type Entry,
  type LabelledImage,
} from '../services/labelled/dataset';
import { summarizeFeedback, type FeedbackReport, type RefineScore, type RoundScore } from './feedbackReport';
import { FEEDBACK_METHODS, type FeedbackMethod, type FeedbackProduct, type Verdict } from './feedbackProduct';
import { trueVerdicts, withMistakes } from './feedbackUser';
import { Judge, labelObjects, type Score } from './judge';

/** What to run. */
export interface FeedbackOptions {
  readonly data: DataSet;
  readonly split?: string;
  /** Positive clicks before the first round. */
  readonly clicks: number;
  readonly seeds: number;
  readonly rounds: number;
  /** Objects judged in each round. */
  readonly judgements: number;
  /** Share of the judgements that are wrong, 0..1. */
  readonly wrong: number;
  /** Images of the same split, never clicked or judged, to find the class in as well. */
  readonly unseen: number;
  readonly methods: readonly string[];
  /** Images that are clicked at most; all when absent. */
  readonly maxImages?: number;
  readonly signal?: AbortSignal;
  /** Hears of each image, class and seed that is done. */
  readonly onTrial?: (done: {
    readonly index: number;
    readonly image: string;
    readonly class: string;
    readonly seed: number;
    readonly rounds: readonly RoundScore[];
  }) => void;
}

/** What one image, class and seed gives. */
interface TrialResult {
  readonly rounds: RoundScore[];
  readonly refinements: RefineScore[];
}

/**
 * The feedback benchmark: for each image, class and seed, clicks, then rounds in which a user judges the most uncertain objects
 * and the intent is refined; scored on the judged image and on unseen ones. The first method's review order says what is judged,
 * and every method learns from those same judgements. @throws BridgeError NotAvailable for an unknown method, RequestCancelled,
 * JudgementsTooFew when no class can be asked for, and what loading and refining throw
 */
export async function runFeedbackBenchmark(
  product: FeedbackProduct,
  options: FeedbackOptions,
): Promise<FeedbackReport> {
  const { data, clicks, seeds, rounds, judgements, wrong, unseen, maxImages } = options;
  const methods = options.methods.map(feedbackMethod);
  const entries = data.entries.slice(0, maxImages);
  const trials: TrialResult[] = [];
  const scale = product.model.micronsPerPixel;
  const loaded = new Map<string, Promise<LabelledImage>>();
  const load = (entry: Entry): Promise<LabelledImage> => {
    const image = loaded.get(entry.name) ?? loadEntry(entry, scale);
    loaded.set(entry.name, image);
    return image;
  };
  for (const entry of entries) {
    const image = await load(entry);
    for (const asked of classesOf(image))
      for (let seed = 0; seed < seeds; seed++) {
        const drawn = drawClicks(image, asked, clicks, 0, seed);
        if (drawn === undefined) continue;
        const random = seededRandom(trialSeed(`${entry.name}\nfeedback`, asked, seed));
        const others = unseenEntries(data, entry, asked, unseen, random);
        const images = { image, unseen: await Promise.all(others.map(load)) };
        const trial = new FeedbackTrial(product, options, images, { asked, seed, random });
        const result = await trial.run(drawn, methods);
        trials.push(result);
        const about = { image: entry.name, class: asked, seed, rounds: result.rounds };
        options.onTrial?.({ index: trials.length, ...about });
      }
  }
  if (trials.length === 0)
    throw new BridgeError('JudgementsTooFew', `no class has ${MINIMUM_OBJECTS} objects in any image`);
  const { summary, refinements } = summarizeFeedback(
    trials.flatMap((trial) => trial.rounds),
    trials.flatMap((trial) => trial.refinements),
  );
  return {
    benchmark: 'feedback',
    data: { name: basename(data.folder), split: options.split ?? null, images: entries.length },
    configuration: { clicks, seeds, rounds, judgements, wrong, unseen, methods, trials: trials.length },
    model: product.model,
    rows: summary,
    refinements,
  };
}

/** One image, class and seed, from the clicks to the last round. */
class FeedbackTrial {
  readonly #result: TrialResult = { rounds: [], refinements: [] };

  constructor(
    private readonly product: FeedbackProduct,
    private readonly options: FeedbackOptions,
    private readonly images: { readonly image: LabelledImage; readonly unseen: readonly LabelledImage[] },
    private readonly about: { readonly asked: string; readonly seed: number; readonly random: Random },
  ) {}

  async run(
    clicks: Parameters<FeedbackProduct['find']>[2],
    methods: readonly FeedbackMethod[],
  ): Promise<TrialResult> {
    const { asked, seed } = this.about;
    const { product } = this;
    const intents = new Map(methods.map((method) => [method, product.begin(asked)]));
    try {
      let shown: SearchResult | undefined;
      for (const [method, intentId] of intents) {
        const result = await this.#measure(method, intentId, 0, clicks);
        shown ??= result;
      }
      const judged = new Set<string>();
      for (let round = 1; round <= this.options.rounds; round++) {
        const verdicts = this.#judge(shown!, intents.get(methods[0]!)!, judged);
        let next: SearchResult | undefined;
        for (const [method, intentId] of intents) {
          throwIfAborted(this.options.signal, 'the benchmark was interrupted');
          if (verdicts.length > 0) product.judge(intentId, shown!, verdicts);
          const { activated, seconds, metrics } = await product.refine(intentId, method, seed + 1);
          this.#result.refinements.push({
            method,
            round,
            activated,
            seconds,
            steps: Number(metrics['steps']),
          });
          const result = await this.#measure(method, intentId, round, []);
          next ??= result;
        }
        shown = next;
      }
      return this.#result;
    } finally {
      for (const intentId of intents.values()) await product.end(intentId);
    }
  }

  /** The user's verdicts on the objects that the review offers next. */
  #judge(result: SearchResult, intentId: string, judged: Set<string>): Verdict[] {
    const { judgements, wrong } = this.options;
    const { asked, random } = this.about;
    const { objects } = nextToReview(result, intentId, judged, judgements);
    const truth = trueVerdicts(this.#referee(this.images.image, result), result.objects, asked);
    const wanted = new Map(result.ids.map((id, i) => [id, truth[i]!]));
    const ids = objects.map(({ id }) => String(id));
    for (const id of ids) judged.add(id);
    const verdicts = ids.map((objectId) => ({ objectId, wanted: wanted.get(objectId)! }));
    return withMistakes(verdicts, wrong, random);
  }

  /** Scores an intent on the judged and on the unseen images. -> its result on the judged one */
  async #measure(
    method: FeedbackMethod,
    intentId: string,
    round: number,
    clicks: Parameters<FeedbackProduct['find']>[2],
  ): Promise<SearchResult> {
    const { asked, seed } = this.about;
    const { image, unseen } = this.images;
    const common = { method, class: asked, round, image: image.name, seed };
    const result = await this.product.find(intentId, image, clicks);
    this.#result.rounds.push({ ...common, where: 'same', score: this.#score(image, result) });
    for (const other of unseen) {
      const found = await this.product.find(intentId, other, []);
      this.#result.rounds.push({ ...common, where: 'unseen', score: this.#score(other, found) });
    }
    return result;
  }

  #score(image: LabelledImage, result: SearchResult): Score {
    const { objects, setting } = result;
    const selected = selectObjects(objects, result.filter(), setting.micronsPerPixel);
    return this.#referee(image, result).score(
      selected.map(({ index }) => index),
      this.about.asked,
    );
  }

  #referee(image: LabelledImage, { objects }: SearchResult): Judge {
    return new Judge(image, { objects, labels: labelObjects(objects, image.image) });
  }
}

/** Images of the split with enough objects of the class, without the clicked one; drawn by `random`. */
export function unseenEntries(
  { entries }: DataSet,
  clicked: Entry,
  asked: string,
  count: number,
  random: Random,
): Entry[] {
  const fit = entries.filter((entry) => entry !== clicked && objectsOf(entry, asked) >= MINIMUM_OBJECTS);
  return shuffled(fit, random).slice(0, count);
}

function objectsOf({ truth }: Entry, asked: string): number {
  const names =
    truth.kind === 'points' ? truth.points.map((one) => one.class) : Object.values(truth.instances);
  return names.filter((name) => name === asked).length;
}

function feedbackMethod(name: string): FeedbackMethod {
  const method = FEEDBACK_METHODS.find((one) => one === name);
  if (method !== undefined) return method;
  throw new BridgeError('NotAvailable', `no method "${name}" learns from feedback`, {
    hint: `methods with --rounds are ${FEEDBACK_METHODS.join(', ')}`,
  });
}
