import { BridgeError } from '../../errors';
import { startClock } from './clock';
import { gather } from './gather';
import { checkHoldOut, verdictOf } from './holdOutCheck';
import { keep } from './keep';
import { prepareLessons } from './lessons';
import { calibrate, measure } from './measure';
import { settingsOf, type RefineOutcome, type RefineRequest, type TrainerParts } from './refinement';
import { TrainGraphs } from './trainGraphs';
import { trainSteps, type StepProgress } from './trainLoop';
import { TrainRun } from './trainStep';

/** Time for steps when none is given: with reading and checking, a refinement stays below ten seconds. */
const DEFAULT_SECONDS = 5;
const DEFAULT_STEPS = 120;
/** Engine id of the decoder that is being checked. */
const TRAINED_DECODER = 'training/decoder';

/** What the trainer does now. */
export interface TrainerStatus {
  readonly running: boolean;
  readonly intentId?: string;
  readonly step?: number;
  readonly metrics?: Record<string, unknown>;
  readonly secondsLeft?: number;
}

/** A refinement under way. */
interface Current {
  readonly intentId: string;
  stopped: boolean;
  last?: StepProgress;
}

/** Tunes an intent by what the user has judged; one refinement at a time, others' requests served between its steps. */
export class Trainer {
  readonly #graphs: TrainGraphs;
  #current: Current | undefined;

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
      await this.parts.engine.release(TRAINED_DECODER);
    }
  }

  /** The recipe: gather, measure, train, calibrate, check, keep. */
  async #refine(request: RefineRequest, current: Current): Promise<RefineOutcome> {
    const { parts } = this;
    const { engine, model, checkpoints } = parts;
    const settings = settingsOf(request);
    const clock = startClock();

    const evidence = await gather(parts, request, settings);
    const { tiles, examples, start } = evidence;
    const before = await measure(model, tiles, start);
    const lessons = await prepareLessons(model, evidence, settings);
    const graph = await this.#graphs.get(settings);
    const run = new TrainRun(engine, graph, settings, model.promptLimits, start.refinement);
    const readSeconds = clock();

    const trained = await trainSteps(parts, run, lessons, start, settings, {
      seconds: request.seconds ?? DEFAULT_SECONDS,
      steps: request.steps ?? DEFAULT_STEPS,
      signal: request.signal,
      stopped: () => current.stopped,
      onStep: (progress) => {
        current.last = progress;
        request.onStep?.(progress);
      },
    });
    const trainSeconds = clock() - readSeconds;
    if (current.stopped) return nothingChanged(trained.steps, trained.metrics, clock());

    await checkpoints.loadDecoder(TRAINED_DECODER, run.parameters);
    const after = await calibrate(model, tiles, {
      decoder: TRAINED_DECODER,
      exemplars: [...examples.stored, ...examples.judged],
      tokens: run.tokens,
    });
    const check = checkHoldOut(before, after);
    const { parameters, tokens } = run;
    const refinement = { parameters, tokens, exemplars: examples.judged, scoreThreshold: after.threshold };
    const version = { refinement, trained, settings, check, readSeconds, trainSeconds };
    const kept = await keep(parts, request.intentId, evidence, version);
    return { ...kept, verdict: verdictOf(check), seconds: clock() };
  }
}

/** How a refinement ends that was stopped. */
function nothingChanged(
  steps: number,
  metrics: Readonly<Record<string, number>>,
  seconds: number,
): RefineOutcome {
  return {
    checkpointId: null,
    activated: false,
    verdict: `stopped after ${steps} steps; nothing is changed`,
    metrics: { steps, ...metrics },
    seconds,
  };
}
