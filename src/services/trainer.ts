import type { Engine } from '../engine/engine';
import { BridgeError } from '../errors';
import { holdOutResult, isWorse, splitHoldOut, type HoldOutResult } from '../sampo/holdOut';
import { lossFeeds } from '../sampo/lossFeeds';
import { rateAnswer, type RatedAnswer } from '../sampo/mining';
import { seededRandom, shuffled } from '../sampo/random';
import { PIXEL_LOSS_DEFAULTS, SAMPO_DEFAULTS, type RefineSettings } from '../sampo/settings';
import { buildPromptFeeds, type Exemplar } from '../segmentation/prompts';
import { bestMask } from '../segmentation/scoring';
import { float32Tensor } from '../tensor';
import type { Checkpoints } from './checkpoints';
import type { EmbeddingCache } from './embeddingCache';
import type { Intents } from './intents';
import { readJudgedTiles, type JudgedTile } from './judgedTiles';
import type { Judgements, StoredJudgement } from './judgements';
import type { NucleusModel } from './nucleusModel';
import type { SearchImage } from './tilePixels';
import { patiently, TrainGraphs, TrainRun, type StepMetrics } from './trainStep';
import { pairsFor, trainingTile, type TrainingTile } from './trainingPrompts';

/** Judged objects without which there is nothing to learn from. */
const LEAST = 3;
/** Time for steps when none is given: with reading and checking, a refinement stays below ten seconds. */
const DEFAULT_SECONDS = 5;
const DEFAULT_STEPS = 120;
const DECODER = 'training/decoder';

/** What a refinement may be told. */
export interface RefineRequest {
  readonly intentId: string;
  readonly seconds?: number | undefined;
  readonly steps?: number | undefined;
  readonly trainable?: RefineSettings['trainable'] | undefined;
  readonly seed?: number | undefined;
  readonly objective?: 'sampo' | 'pixel-loss' | undefined;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: StepProgress) => void;
}

/** How far a refinement is. */
export interface StepProgress {
  readonly step: number;
  readonly metrics: StepMetrics;
  readonly secondsLeft: number;
  /** 0 to 100. */
  readonly percentage: number;
}

/** How a refinement ended. */
export interface RefineOutcome {
  readonly checkpointId: string | null;
  readonly activated: boolean;
  /** For a person. */
  readonly verdict: string;
  readonly metrics: Record<string, unknown>;
  readonly seconds: number;
}

/** What the trainer does now. */
export interface TrainerStatus {
  readonly running: boolean;
  readonly intentId?: string;
  readonly step?: number;
  readonly metrics?: Record<string, unknown>;
  readonly secondsLeft?: number;
}

/** What the trainer works with. */
export interface TrainerParts {
  readonly engine: Engine;
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  readonly intents: Intents;
  readonly judgements: Judgements;
  readonly checkpoints: Checkpoints;
  /** An open image by its URI. */
  readonly image: (uri: string) => SearchImage | undefined;
  /** Of this program, for the provenance. */
  readonly version: string;
}

/** Tunes an intent by what the user has judged; one refinement at a time, others' requests served between its steps. */
export class Trainer {
  readonly #graphs: TrainGraphs;
  #current: { intentId: string; stopped: boolean; last?: StepProgress } | undefined;

  constructor(private readonly parts: TrainerParts) {
    this.#graphs = new TrainGraphs(parts.engine, parts.model);
  }

  status(): TrainerStatus {
    if (this.#current === undefined) return { running: false };
    const { intentId, last } = this.#current;
    if (last === undefined) return { running: true, intentId };
    const { step, metrics, secondsLeft } = last;
    return { running: true, intentId, step, metrics, secondsLeft };
  }

  /** Ends a refinement after the step under way; it changes nothing then. @throws BridgeError `TrainingNotRunning` */
  stop(intentId: string): void {
    if (this.#current?.intentId !== intentId)
      throw new BridgeError('TrainingNotRunning', 'no refinement of this intent is under way', { intentId });
    this.#current.stopped = true;
  }

  /**
   * @throws BridgeError `IntentNotFound`, `TrainingBusy`, `JudgementsTooFew`, `RequestCancelled`, `CheckpointDamaged`, and
   * the engine's
   */
  async refine(request: RefineRequest): Promise<RefineOutcome> {
    const { intentId } = request;
    this.parts.intents.get(intentId);
    if (this.#current)
      throw new BridgeError('TrainingBusy', 'a refinement is under way', {
        intentId: this.#current.intentId,
      });
    const current = { intentId, stopped: false };
    this.#current = current;
    try {
      return await this.#refine(request, current);
    } finally {
      this.#current = undefined;
      await this.parts.engine.release(DECODER);
    }
  }

  async #refine(
    request: RefineRequest,
    current: { stopped: boolean; last?: StepProgress },
  ): Promise<RefineOutcome> {
    const start = performance.now();
    const since = (): number => (performance.now() - start) / 1000;
    const { intentId } = request;
    const { intents, judgements, checkpoints, model } = this.parts;
    const settings = settingsOf(request);
    const all = judgements.list(intentId);
    const objects = all.filter(({ outline }) => outline !== undefined);
    if (objects.length < LEAST)
      throw new BridgeError('JudgementsTooFew', `${objects.length} objects are judged, ${LEAST} are needed`, {
        least: LEAST,
        have: objects.length,
      });
    const active = await checkpoints.active(intentId);
    const { tiles, closed } = await this.#tiles(all, settings, request);
    const known = tiles.flatMap((tile) => tile.objects);
    if (known.length < LEAST)
      throw new BridgeError('JudgementsTooFew', `${closed} judged objects lie in images that are not open`, {
        least: LEAST,
        have: known.length,
        hint: 'open the images in which you judged objects',
      });
    const learned = known
      .filter(({ heldOut }) => !heldOut)
      .map(({ feature, wanted }): Exemplar => ({ feature, label: wanted ? 1 : 0 }));
    const stored = intents.exemplars(intentId).filter(({ modelId }) => modelId === model.id);
    const now = (await checkpoints.apply(intents.forSearch(intentId))).exemplars;
    const random = seededRandom(settings.seed);
    const lessons = tiles
      .map((tile) => trainingTile(tile, { stored, judged: learned }, settings, model.promptLimits, random))
      .filter(
        ({ objects: { verdicts }, tile, prompts }) =>
          prompts.length > 0 && (verdicts.size > 0 || tile.choices.length > 0),
      );
    if (lessons.length === 0)
      throw new BridgeError('JudgementsTooFew', 'no judged object can be asked for', {
        least: LEAST,
        have: known.length,
        hint: 'accept at least one object of the type, or click one',
      });

    const reference = active?.decoder ?? model.decoder;
    const tokens = active?.refinement.tokens;
    const before = await this.#check(tiles, {
      decoder: reference,
      exemplars: now,
      ...(tokens && { tokens }),
    });
    const graph = await this.#graphs.get(settings);
    const run = new TrainRun(this.parts.engine, graph, settings, model.promptLimits, active?.refinement);
    const readSeconds = since();
    const { steps, metrics } = await this.#train(
      run,
      lessons,
      { reference, tokens },
      settings,
      request,
      current,
    );
    const trainSeconds = since() - readSeconds;
    if (current.stopped)
      return {
        checkpointId: null,
        activated: false,
        verdict: `stopped after ${steps} steps; nothing is changed`,
        metrics: { steps, ...metrics },
        seconds: since(),
      };
    await checkpoints.loadDecoder(DECODER, run.parameters);
    const after = await this.#check(tiles, {
      decoder: DECODER,
      exemplars: [...stored, ...learned],
      tokens: run.tokens,
    });
    const worse = isWorse(before, after);
    const counts = { judgements: all.length, heldOut: before.count, closed, tiles: tiles.length };
    const figures = {
      steps,
      ...metrics,
      ...counts,
      holdOutBefore: before,
      holdOutAfter: after,
      readSeconds,
      trainSeconds,
    };
    const refinement = { parameters: run.parameters, tokens: run.tokens, exemplars: learned };
    const { checkpointId } = await checkpoints.save(intentId, refinement, {
      metrics: figures,
      provenance: {
        model: model.id,
        decoderSha256: model.manifest.files.decoder.sha256,
        startedFrom: active ? intents.get(intentId).checkpointId : null,
        judgements: all.map(({ judgementId }) => judgementId),
        settings,
        version: this.parts.version,
      },
    });
    if (!worse) await checkpoints.activate(intentId, checkpointId);
    return {
      checkpointId,
      activated: !worse,
      verdict: verdictOf(before, after, worse),
      metrics: figures,
      seconds: since(),
    };
  }

  #tiles(all: readonly StoredJudgement[], settings: RefineSettings, { signal }: RefineRequest) {
    const items = all.map((judgement) => ({
      id: `${judgement.imageUri}:${judgement.objectId ?? judgement.judgementId}`,
      wanted: judgement.kind !== 'reject',
      judgement,
    }));
    // A choice among candidates cannot be checked against a score: it is always trained on.
    const choices = items.filter(({ judgement }) => judgement.kind === 'better');
    const objects = items.filter(({ judgement }) => judgement.kind !== 'better');
    const split = splitHoldOut(objects, settings.holdOutShare, settings.seed);
    const { model, cache, image } = this.parts;
    return readJudgedTiles(
      {
        train: [...split.train, ...choices].map(({ judgement }) => judgement),
        holdOut: split.holdOut.map(({ judgement }) => judgement),
      },
      { model, cache, image, job: { priority: 'training', ...(signal && { signal }) } },
    );
  }

  /** Steps until time, steps or patience end. */
  async #train(
    run: TrainRun,
    lessons: readonly TrainingTile[],
    reference: { readonly reference: string; readonly tokens: Float32Array | undefined },
    settings: RefineSettings,
    request: RefineRequest,
    current: { stopped: boolean; last?: StepProgress },
  ): Promise<{ steps: number; metrics: StepMetrics }> {
    const { seconds = DEFAULT_SECONDS, steps: most = DEFAULT_STEPS, signal, onStep } = request;
    const { engine, model } = this.parts;
    const { tileSize, limits } = model.manifest;
    const side = tileSize / limits.maskStride;
    const names: string[] = [];
    try {
      const first: RatedAnswer[][] = [];
      for (const [i, { tile, prompts, pixels }] of lessons.entries()) {
        const { data, channels, side: cells } = tile.embedding;
        const name = `training/tile/${i}`;
        await engine.setResident(name, float32Tensor([1, channels, cells, cells], data));
        names.push(name);
        const answers: RatedAnswer[] = [];
        for (const { feeds } of prompts) {
          const { masks, scores } = await patiently(() =>
            model.decode(tile.embedding, withTokens(feeds, reference.tokens), {
              decoder: reference.reference,
              priority: 'training',
            }),
          );
          answers.push(rateAnswer({ masks, scores }, pixels));
        }
        first.push(answers);
      }
      const latest = first.map((answers) => [...answers]);
      const places = lessons.flatMap(({ prompts }, t) => prompts.map((_, p) => ({ t, p })));
      const random = seededRandom(settings.seed + 1);
      const start = performance.now();
      let queue: typeof places = [];
      let step = 0;
      let metrics: StepMetrics = {};
      for (;;) {
        if (signal?.aborted === true)
          throw new BridgeError('RequestCancelled', 'the refinement was cancelled');
        const spent = (performance.now() - start) / 1000;
        if (current.stopped || step >= most || spent >= seconds) return { steps: step, metrics };
        if (queue.length === 0) queue = shuffled(places, random);
        const { t, p } = queue.pop()!;
        const lesson = lessons[t]!;
        const pairs = pairsFor(lesson, p, latest[t]!, settings);
        const supervision = {
          answer: latest[t]![p]!,
          reference: first[t]![p]!,
          pairs,
          judged: lesson.pixels,
        };
        const feeds = {
          ...lesson.prompts[p]!.feeds,
          image_embeddings: { resident: names[t]! },
          ...lossFeeds(supervision, settings.objective, settings.pairs, side, side),
        };
        const done = await run.step(feeds, pairs.length);
        latest[t]![p] = rateAnswer(done.answer, lesson.pixels);
        step++;
        metrics = done.metrics;
        const used = (performance.now() - start) / 1000;
        const secondsLeft = Math.max(0, Math.min(seconds - used, (used / step) * (most - step)));
        const percentage = Math.min(100, 100 * Math.max(used / seconds, step / most));
        current.last = { step, metrics, secondsLeft, percentage };
        onStep?.(current.last);
      }
    } finally {
      await Promise.all(names.map((name) => engine.dropResident(name)));
    }
  }

  /** Scores of the held-out objects, asked for as a search asks. */
  async #check(
    tiles: readonly JudgedTile[],
    ask: {
      readonly decoder: string;
      readonly exemplars: readonly Exemplar[];
      readonly tokens?: Float32Array;
    },
  ): Promise<HoldOutResult> {
    const { model } = this.parts;
    const { decoder, exemplars, tokens } = ask;
    const scores: { wanted: boolean; score: number }[] = [];
    for (const { tile, embedding, labels, objects } of tiles) {
      const heldOut = objects.filter((object) => object.heldOut);
      if (heldOut.length === 0) continue;
      const prompts = { points: [], exemplars, ...(tokens && { tokens }) };
      const feeds = buildPromptFeeds(tile, prompts, model.promptLimits);
      const answer = await patiently(() => model.decode(embedding, feeds, { decoder, priority: 'training' }));
      const from = bestMask(answer.scores) * labels.length;
      for (const { number, wanted } of heldOut) {
        let sum = 0;
        let area = 0;
        labels.forEach((label, i) => {
          if (label !== number) return;
          sum += 1 / (1 + Math.exp(-answer.masks[from + i]!));
          area++;
        });
        if (area > 0) scores.push({ wanted, score: sum / area });
      }
    }
    return holdOutResult(scores, model.manifest.postprocess.scoreThreshold);
  }
}

function withTokens<F extends TrainingTile['prompts'][number]['feeds']>(
  feeds: F,
  tokens: Float32Array | undefined,
) {
  const known = feeds['intent_tokens'];
  return tokens && known ? { ...feeds, intent_tokens: float32Tensor(known.dims, tokens) } : feeds;
}

function settingsOf({ objective, trainable, seed }: RefineRequest): RefineSettings {
  const base = objective === 'pixel-loss' ? PIXEL_LOSS_DEFAULTS : SAMPO_DEFAULTS;
  return { ...base, ...(trainable && { trainable }), ...(seed !== undefined && { seed }) };
}

function verdictOf(before: HoldOutResult, after: HoldOutResult, worse: boolean): string {
  if (after.count === 0)
    return 'in use; too few objects were judged to keep some back as a check: judge at least four of a kind';
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const figures = `of ${after.count} judged objects kept back as a check: ${percent(before.accuracy)} right before, ${percent(after.accuracy)} after (certainty ${before.certainty.toFixed(2)}, then ${after.certainty.toFixed(2)})`;
  return worse ? `not in use, because it is worse; ${figures}` : `in use; ${figures}`;
}
