import type { Engine } from '../../engine/engine';
import { BridgeError } from '../../errors';
import { lossFeeds } from '../../sampo/lossFeeds';
import { rateAnswer, type RatedAnswer } from '../../sampo/mining';
import { seededRandom, type Random } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import { float32Tensor } from '../../tensor';
import type { NucleusModel } from '../models/nucleusModel';
import { pairsFor, type TrainingTile } from './trainingPrompts';
import { patiently, type StepMetrics, type TrainRun } from './trainStep';

/** How far training is. */
export interface StepProgress {
  readonly step: number;
  readonly metrics: StepMetrics;
  readonly secondsLeft: number;
  /** 0 to 100. */
  readonly percentage: number;
}

/** When training ends. */
export interface StepBudget {
  readonly seconds: number;
  readonly steps: number;
  readonly signal?: AbortSignal | undefined;
  /** Asked before each step. */
  readonly stopped?: () => boolean;
  readonly onStep?: ((progress: StepProgress) => void) | undefined;
}

/** The decoder that margins are taken against. */
export interface Reference {
  /** Its engine id. */
  readonly decoder: string;
  readonly tokens?: Float32Array | undefined;
}

/**
 * Trains on questions drawn from the lessons until the budget ends. @returns steps made, and the last one's metrics
 * @throws BridgeError `RequestCancelled`, `InferenceFailed` and the engine's
 */
export async function trainSteps(
  { engine, model }: { readonly engine: Engine; readonly model: NucleusModel },
  run: TrainRun,
  lessons: readonly TrainingTile[],
  reference: Reference,
  settings: RefineSettings,
  budget: StepBudget,
): Promise<{ steps: number; metrics: StepMetrics }> {
  const { tileSize, limits, postprocess } = model.manifest;
  const side = tileSize / limits.maskStride;
  const reads = postprocess.answer;
  const resident = (lesson: number): string => `training/tile/${lesson}`;
  const first = lessons.map((): (RatedAnswer | undefined)[] => []);
  const latest = lessons.map((): (RatedAnswer | undefined)[] => []);
  const held = new Set<number>();
  /** The reference's answer, computed once per question. */
  const referenceAnswer = async (t: number, p: number): Promise<RatedAnswer> => {
    const { tile, prompts, pixels } = lessons[t]!;
    if (!held.has(t)) {
      const { data, channels, side: cells } = tile.embedding;
      await engine.setResident(resident(t), float32Tensor([1, channels, cells, cells], data));
      held.add(t);
    }
    const { masks, scores } = await patiently(() =>
      model.decode(tile.embedding, withTokens(prompts[p]!.feeds, reference.tokens), {
        decoder: reference.decoder,
        priority: 'training',
      }),
    );
    return rateAnswer({ masks, scores }, pixels, reads);
  };
  const draw = questionDraw(lessons, seededRandom(settings.seed + 1));
  const start = performance.now();
  let metrics: StepMetrics = {};
  try {
    for (let step = 0; ;) {
      if (budget.signal?.aborted === true)
        throw new BridgeError('RequestCancelled', 'the refinement was cancelled');
      const spent = (performance.now() - start) / 1000;
      if (budget.stopped?.() === true || step >= budget.steps || spent >= budget.seconds)
        return { steps: step, metrics };
      const { t, p } = draw(step);
      const lesson = lessons[t]!;
      first[t]![p] ??= await referenceAnswer(t, p);
      latest[t]![p] ??= first[t]![p];
      const pairs = pairsFor(lesson, p, latest[t]!, settings);
      const supervision = {
        answer: latest[t]![p],
        reference: first[t]![p],
        pairs,
        judged: lesson.pixels,
      };
      const feeds = {
        ...lesson.prompts[p]!.feeds,
        image_embeddings: { resident: resident(t) },
        ...lossFeeds(supervision, settings.objective, settings.pairs, side, side),
      };
      const done = await run.step(feeds, pairs.length);
      latest[t]![p] = rateAnswer(done.answer, lesson.pixels, reads);
      step++;
      metrics = done.metrics;
      const used = (performance.now() - start) / 1000;
      const secondsLeft = Math.max(0, Math.min(budget.seconds - used, (used / step) * (budget.steps - step)));
      const percentage = Math.min(100, 100 * Math.max(used / budget.seconds, step / budget.steps));
      budget.onStep?.({ step, metrics, secondsLeft, percentage });
    }
  } finally {
    await Promise.all([...held].map((t) => engine.dropResident(resident(t))));
  }
}

/**
 * Which question comes next. Wanted objects, unwanted ones and choices take turns in naming the tile, so that a few of one kind
 * are not drowned by many of the other; every other question is the one that a search asks.
 */
function questionDraw(
  lessons: readonly TrainingTile[],
  random: Random,
): (step: number) => { t: number; p: number } {
  const kinds = [true, false, 'choice' as const]
    .map((kind) =>
      lessons.flatMap(({ objects, tile }, t) => {
        const count =
          kind === 'choice'
            ? tile.choices.length
            : [...objects.verdicts.values()].filter((wanted) => wanted === kind).length;
        return new Array<number>(count).fill(t);
      }),
    )
    .filter((tiles) => tiles.length > 0);
  return (step) => {
    const tiles = kinds[step % kinds.length]!;
    const t = tiles[Math.floor(random() * tiles.length)]!;
    const { prompts } = lessons[t]!;
    return { t, p: random() < 0.5 ? 0 : Math.floor(random() * prompts.length) };
  };
}

/** Decoder inputs with an intent's tokens. */
export function withTokens<F extends TrainingTile['prompts'][number]['feeds']>(
  feeds: F,
  tokens: Float32Array | undefined,
) {
  const known = feeds['intent_tokens'];
  return tokens && known ? { ...feeds, intent_tokens: float32Tensor(known.dims, tokens) } : feeds;
}
