import { throwIfAborted } from '../../abort';
import type { Engine } from '../../engine/engine';
import { lossFeeds } from '../../sampo/objective';
import { seededRandom } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import type { NucleusModel } from '../models/nucleusModel';
import { Answers, type Reference } from './answers';
import { startClock } from './clock';
import { pairsFor } from './pairs';
import { questionDraw } from './questionDraw';
import type { TrainingTile } from './trainingPrompts';
import type { StepMetrics, TrainRun } from './trainStep';

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
  readonly stopped?: (() => boolean) | undefined;
  readonly onStep?: ((progress: StepProgress) => void) | undefined;
}

/** Steps made, and the last one's metrics. */
export interface TrainedSteps {
  readonly steps: number;
  readonly metrics: StepMetrics;
}

/**
 * Trains on questions drawn from the lessons until the budget ends: each step asks one, mines its preference pairs from the answers
 * so far, and moves the parameters.
 * @throws BridgeError `RequestCancelled`, `InferenceFailed` and the engine's
 */
export async function trainSteps(
  { engine, model }: { readonly engine: Engine; readonly model: NucleusModel },
  run: TrainRun,
  lessons: readonly TrainingTile[],
  reference: Reference,
  settings: RefineSettings,
  budget: StepBudget,
): Promise<TrainedSteps> {
  const side = model.manifest.tileSize / model.manifest.limits.maskStride;
  const sizes = { pairs: settings.pairs, height: side, width: side };
  const answers = new Answers(engine, model, lessons, reference);
  const draw = questionDraw(lessons, seededRandom(settings.seed + 1));
  const clock = startClock();
  let steps = 0;
  let metrics: StepMetrics = {};
  try {
    while (goesOn(budget, steps, clock())) {
      const question = draw(steps);
      const { tile, prompt } = question;
      const { prompts, pixels } = lessons[tile]!;
      const referenceAnswer = await answers.referenceTo(question);
      const latest = answers.latestOn(tile);
      const pairs = pairsFor(lessons[tile]!, prompt, latest, settings);
      const supervision = { answer: latest[prompt]!, reference: referenceAnswer, pairs, judged: pixels };
      const feeds = {
        ...prompts[prompt]!.feeds,
        image_embeddings: { resident: answers.embeddingOf(tile) },
        ...lossFeeds(supervision, settings.objective, sizes),
      };
      const done = await run.step(feeds, pairs.length);
      answers.update(question, done.answer);
      steps++;
      metrics = done.metrics;
      budget.onStep?.({ step: steps, metrics, ...progressOf(budget, steps, clock()) });
    }
    return { steps, metrics };
  } finally {
    await answers.release();
  }
}

/** Whether there is another step. @throws BridgeError `RequestCancelled` */
function goesOn(budget: StepBudget, steps: number, seconds: number): boolean {
  throwIfAborted(budget.signal, 'the refinement was cancelled');
  return budget.stopped?.() !== true && steps < budget.steps && seconds < budget.seconds;
}

/** Time and share of a budget, judged by whichever runs out first. */
function progressOf(
  budget: StepBudget,
  steps: number,
  seconds: number,
): Pick<StepProgress, 'secondsLeft' | 'percentage'> {
  const byTime = budget.seconds - seconds;
  const bySteps = (seconds / steps) * (budget.steps - steps);
  return {
    secondsLeft: Math.max(0, Math.min(byTime, bySteps)),
    percentage: Math.min(100, 100 * Math.max(seconds / budget.seconds, steps / budget.steps)),
  };
}
