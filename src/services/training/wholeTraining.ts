import type { Engine } from '../../engine/engine';
import { BridgeError } from '../../errors';
import { holdOutResult, type HoldOutResult } from '../../sampo/holdOut';
import { seededRandom, shuffled, type Random } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import { MINIMUM_OBJECTS, type DataSet, type Entry } from '../labelled/dataset';
import { NucleusModel } from '../models/nucleusModel';
import { startClock } from './clock';
import { defaultsOf, type Objective } from './refinement';
import { readSubjects, subjectScores, type Subject } from './subjects';
import { TrainGraphs } from './trainGraphs';
import { TrainingFolder } from './trainingFolder';
import { trainingTile, type TrainingTile } from './trainingPrompts';
import { trainSteps, type StepProgress, type TrainedSteps } from './trainLoop';
import { TrainRun } from './trainStep';

/** What to train on, and how. */
export interface WholeTrainingOptions {
  readonly data: DataSet;
  /** Share of the images that is used, drawn by the seed, 0..1. */
  readonly fraction: number;
  readonly objective: Objective;
  readonly seed: number;
  readonly steps: number;
  /** For training itself; reading and checking come on top. */
  readonly seconds: number;
  /** Steps between two saves. */
  readonly saveEvery: number;
  /** Folder of the trained model: `model.json` and its files. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((progress: StepProgress) => void) | undefined;
}

/** How training ended; `holdOut` figures are of images that were not trained on. */
export interface WholeTrainingReport {
  readonly images: number;
  readonly heldOutImages: number;
  readonly tiles: number;
  /** In all, with those of an interrupted run that was taken up. */
  readonly steps: number;
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly holdOutBefore: HoldOutResult;
  readonly holdOutAfter: HoldOutResult;
}

/** One image in ten is kept back, one at least where there are two. */
const HELD_OUT_SHARE = 0.1;
/** Engine id of the decoder that is being checked. */
const TRAINED_DECODER = 'training/whole';

/**
 * Trains the decoder for every class of a labelled data set at once, with the steps of a refinement, and writes a model folder:
 * gather, measure, train, keep, check. A run that ended early is taken up where it was last saved (with a fresh optimizer) when it
 * is started again with the same options.
 * @throws BridgeError `JudgementsTooFew` when no image has a class with enough objects, `RequestCancelled`, `FileDamaged`, and what
 * loading and training throw
 */
export async function trainWhole(
  engine: Engine,
  modelFolder: string,
  options: WholeTrainingOptions,
): Promise<WholeTrainingReport> {
  const clock = startClock();
  const settings = settingsOf(options);
  const model = new NucleusModel(engine, modelFolder);
  await model.load();

  const random = seededRandom(options.seed);
  const images = splitImages(options, random);
  const heldOut = await readSubjects(model, images.heldOut, random);
  const taught = await readSubjects(model, images.taught, random);
  const lessons = lessonsOf(model, taught, settings, random);
  const folder = new TrainingFolder(options.out, runKey(model, images, options));
  const saved = await folder.readSaved();

  const measure = async (measured: NucleusModel, decoder: string): Promise<HoldOutResult> =>
    holdOutResult(await subjectScores(measured, heldOut, decoder), model.manifest.postprocess.scoreThreshold);
  const holdOutBefore = await measure(model, model.decoder);

  const graph = await new TrainGraphs(engine, model).get(settings);
  const run = new TrainRun(engine, graph, settings, model.promptLimits, saved?.refinement, false);
  const trained = await trainAndSave(
    { engine, model, run, lessons, settings, folder },
    saved?.steps ?? 0,
    options,
  );

  await folder.writeModel(model, run.parameters);

  const written = new NucleusModel(engine, options.out);
  await engine.load(TRAINED_DECODER, { model: await written.read('decoder') });
  const holdOutAfter = await measure(written, TRAINED_DECODER);
  await engine.release(TRAINED_DECODER);
  return {
    images: images.taught.length,
    heldOutImages: images.heldOut.length,
    tiles: lessons.length,
    ...trained,
    seconds: clock(),
    holdOutBefore,
    holdOutAfter,
  };
}

/** Labels of a data set are taken at their word, other than what is judged in passing; and every nucleus is labelled. */
function settingsOf({ objective, seed }: WholeTrainingOptions): RefineSettings {
  const defaults = defaultsOf(objective);
  return {
    ...defaults,
    objective: { ...defaults.objective, labelSmoothing: 0 },
    seed,
    anchorWeight: 0,
  };
}

/** Images to train on, and those kept back. */
interface ImageSplit {
  readonly taught: readonly Entry[];
  readonly heldOut: readonly Entry[];
}

function splitImages({ data, fraction }: WholeTrainingOptions, random: Random): ImageSplit {
  const count = Math.max(2, Math.round(fraction * data.entries.length));
  const chosen = shuffled(data.entries, random).slice(0, count);
  const kept = Math.max(1, Math.round(HELD_OUT_SHARE * chosen.length));
  return { heldOut: chosen.slice(0, kept), taught: chosen.slice(kept) };
}

/** @throws BridgeError `JudgementsTooFew` */
function lessonsOf(
  model: NucleusModel,
  subjects: readonly Subject[],
  settings: RefineSettings,
  random: Random,
): TrainingTile[] {
  const lessons = subjects.flatMap(({ tiles, examples }) =>
    tiles.map((tile) => trainingTile(tile, examples, undefined, settings, model.promptLimits, random)),
  );
  if (lessons.length === 0)
    throw new BridgeError('JudgementsTooFew', `no class has ${MINIMUM_OBJECTS} objects in any image`);
  return lessons;
}

/** What two runs must have in common for one to take the other up. */
function runKey(
  model: NucleusModel,
  { heldOut, taught }: ImageSplit,
  { fraction, objective, seed }: WholeTrainingOptions,
): string {
  return JSON.stringify({
    model: model.manifest.files.decoder.sha256,
    fraction,
    objective,
    seed,
    images: [...heldOut, ...taught].map(({ name }) => name),
  });
}

/** A training run with all that it works on. */
interface RunningTraining {
  readonly engine: Engine;
  readonly model: NucleusModel;
  readonly run: TrainRun;
  readonly lessons: readonly TrainingTile[];
  readonly settings: RefineSettings;
  readonly folder: TrainingFolder;
}

/** Trains in slices, each saved when it is done. @param stepsBefore of a run that is taken up @returns steps in all */
async function trainAndSave(
  { engine, model, run, lessons, settings, folder }: RunningTraining,
  stepsBefore: number,
  options: WholeTrainingOptions,
): Promise<TrainedSteps> {
  const clock = startClock();
  const reference = { decoder: model.decoder };
  let trained: TrainedSteps = { steps: stepsBefore, metrics: {} };
  while (trained.steps < options.steps && clock() < options.seconds) {
    const before = trained.steps;
    // Each slice draws its own questions, also when the run is taken up in between.
    const sliceSettings = { ...settings, seed: settings.seed + before };
    const slice = await trainSteps({ engine, model }, run, lessons, reference, sliceSettings, {
      steps: Math.min(options.saveEvery, options.steps - before),
      seconds: options.seconds - clock(),
      signal: options.signal,
      onStep: (progress) => {
        const step = before + progress.step;
        options.onStep?.({ ...progress, step, percentage: (100 * step) / options.steps });
      },
    });
    trained = { steps: before + slice.steps, metrics: slice.metrics };
    await folder.save(run, trained.steps);
  }
  return trained;
}
