import type { Engine } from '../../engine/engine';
import { BridgeError } from '../../errors';
import { calibratedThreshold, splitHoldOut } from '../../sampo/holdOut';
import { seededRandom } from '../../sampo/random';
import { PIXEL_LOSS_DEFAULTS, SAMPO_DEFAULTS, type RefineSettings } from '../../sampo/settings';
import type { Exemplar } from '../../segmentation/prompts';
import type { Checkpoints } from '../intents/checkpoints';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import { checkHoldOut, judgedScores, shownProbabilities, verdictOf, type IntentState } from './holdOutCheck';
import type { Intents } from '../intents/intents';
import { readJudgedTiles, type JudgedTile, type KnownClick } from './judgedTiles';
import type { Judgements, StoredJudgement } from '../intents/judgements';
import type { NucleusModel } from '../models/nucleusModel';
import type { Example } from '../search/example';
import type { SearchImage } from '../search/tilePixels';
import { trainSteps, type StepProgress } from './trainLoop';
import { TrainGraphs, TrainRun } from './trainStep';
import { trainingTile, type TrainingTile } from './trainingPrompts';

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
    const { intentId, signal } = request;
    const { engine, intents, judgements, checkpoints, model } = this.parts;
    const settings = settingsOf(request);
    const all = judgements.list(intentId);
    requireEnough(all.filter(({ outline }) => outline !== undefined).length, 'objects are judged');
    const active = await checkpoints.active(intentId);
    const stored = intents.exemplars(intentId).filter(({ modelId }) => modelId === model.id);
    const { tiles, closed } = await this.#tiles(all, stored.flatMap(knownClick), settings, signal);
    const known = tiles.flatMap((tile) => tile.objects).filter((one) => one.judgementId !== undefined);
    requireEnough(known.length, `judged objects lie in open images, and ${closed} in closed ones`);
    // What was rejected is trained on but not shown: near the threshold it looks much like what is wanted, and in the prompt it
    // took half of that away (docs/decisions/0022).
    const learned = known
      .filter(({ heldOut, wanted }) => wanted && !heldOut)
      .map(({ feature }): Exemplar => ({ feature, label: 1 }));
    const shown = await checkpoints.apply(intents.forSearch(intentId));
    const before: IntentState = {
      decoder: active?.decoder ?? model.decoder,
      // An imported model's have another length.
      exemplars: shown.exemplars.filter(({ modelId }) => modelId === model.id),
      tokens: active?.refinement.tokens,
    };
    const lessons = await this.#lessons(tiles, { stored, judged: learned }, before, settings);
    const threshold = shown.scoreThreshold ?? model.manifest.postprocess.scoreThreshold;
    const was = { scores: await judgedScores(model, tiles, before), threshold };
    const graph = await this.#graphs.get(settings);
    const run = new TrainRun(engine, graph, settings, model.promptLimits, active?.refinement);
    const readSeconds = since();
    const { steps, metrics } = await trainSteps(this.parts, run, lessons, before, settings, {
      seconds: request.seconds ?? DEFAULT_SECONDS,
      steps: request.steps ?? DEFAULT_STEPS,
      signal,
      stopped: () => current.stopped,
      onStep: (progress) => {
        current.last = progress;
        request.onStep?.(progress);
      },
    });
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
    const scores = await judgedScores(model, tiles, {
      decoder: DECODER,
      exemplars: [...stored, ...learned],
      tokens: run.tokens,
    });
    const trained = scores.filter(({ heldOut }) => !heldOut);
    const scoreThreshold = calibratedThreshold(trained, model.manifest.postprocess.scoreThreshold);
    const check = checkHoldOut(was, { scores, threshold: scoreThreshold });
    const counts = { judgements: all.length, heldOut: check.after.count, closed, tiles: tiles.length };
    const checks = {
      holdOutBefore: check.before,
      holdOutAfter: check.after,
      ...(check.after.count > 0 && { holdOutGain: check.gain }),
      scoreThreshold,
      readSeconds,
      trainSeconds,
    };
    const figures = { steps, ...metrics, ...counts, ...checks };
    const refinement = { parameters: run.parameters, tokens: run.tokens, exemplars: learned, scoreThreshold };
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
    if (!check.worse) await checkpoints.activate(intentId, checkpointId);
    return {
      checkpointId,
      activated: !check.worse,
      verdict: verdictOf(check),
      metrics: figures,
      seconds: since(),
    };
  }

  #tiles(
    all: readonly StoredJudgement[],
    clicks: readonly KnownClick[],
    settings: RefineSettings,
    signal: AbortSignal | undefined,
  ) {
    const items = all.map((judgement) => ({
      wanted: judgement.kind !== 'reject',
      judgement,
    }));
    // A choice among candidates cannot be checked against a score: it is always trained on.
    const choices = items.filter(({ judgement }) => judgement.kind === 'better');
    const objects = items.filter(({ judgement }) => judgement.kind !== 'better');
    const split = splitHoldOut(objects, settings.holdOutShare);
    const { model, cache, image } = this.parts;
    return readJudgedTiles(
      {
        train: [...split.train, ...choices].map(({ judgement }) => judgement),
        holdOut: split.holdOut.map(({ judgement }) => judgement),
      },
      clicks,
      { model, cache, image, job: { priority: 'training', ...(signal && { signal }) } },
    );
  }

  /** The tiles with the questions asked about them. @throws BridgeError `JudgementsTooFew` when there is none */
  async #lessons(
    tiles: readonly JudgedTile[],
    examples: { readonly stored: readonly Exemplar[]; readonly judged: readonly Exemplar[] },
    before: IntentState,
    settings: RefineSettings,
  ): Promise<TrainingTile[]> {
    const { model } = this.parts;
    const random = seededRandom(settings.seed);
    const lessons: TrainingTile[] = [];
    for (const tile of tiles) {
      const anchored = settings.anchorWeight > 0 && settings.objective.lambdaSegment > 0;
      const anchor = anchored ? await shownProbabilities(model, tile, before) : undefined;
      const lesson = trainingTile(tile, examples, anchor, settings, model.promptLimits, random);
      const taught = lesson.objects.verdicts.size > 0 || tile.choices.length > 0;
      if (lesson.prompts.length > 0 && taught) lessons.push(lesson);
    }
    if (lessons.length === 0)
      throw new BridgeError('JudgementsTooFew', 'no judged object can be asked for', {
        least: LEAST,
        have: 0,
        hint: 'accept at least one object of the type, or click one',
      });
    return lessons;
  }
}

/** @throws BridgeError `JudgementsTooFew` */
function requireEnough(have: number, what: string): void {
  if (have < LEAST)
    throw new BridgeError('JudgementsTooFew', `${have} ${what}, ${LEAST} are needed`, {
      least: LEAST,
      have,
      hint: 'judge more objects, in images that are open',
    });
}

/** What is known from a click, where it was made. */
function knownClick({ place, label }: Example): KnownClick[] {
  return place ? [{ ...place, wanted: label === 1 }] : [];
}

function settingsOf({ objective, trainable, seed }: RefineRequest): RefineSettings {
  const base = objective === 'pixel-loss' ? PIXEL_LOSS_DEFAULTS : SAMPO_DEFAULTS;
  return { ...base, ...(trainable && { trainable }), ...(seed !== undefined && { seed }) };
}
