import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine';
import { BridgeError } from '../../errors';
import { holdOutResult, type HoldOutResult } from '../../sampo/holdOut';
import { seededRandom, shuffled, type Random } from '../../sampo/random';
import { PIXEL_LOSS_DEFAULTS, SAMPO_DEFAULTS, type RefineSettings } from '../../sampo/settings';
import type { Exemplar } from '../../segmentation/prompts';
import { readFileChecked, sha256, writeFileAtomic } from '../../store/files';
import {
  classesOf,
  MINIMUM_OBJECTS,
  loadEntry,
  type DataSet,
  type Entry,
  type LabelledImage,
} from '../labelled/dataset';
import { readCheckpoint, writeCheckpoint } from '../intents/checkpointFile';
import { decoderWith } from '../intents/decoderFile';
import { EmbeddingCache } from '../embeddings/embeddingCache';
import { judgedScores, type JudgedScore } from './holdOutCheck';
import { readJudgedTiles, type JudgedTile } from './judgedTiles';
import { NucleusModel } from '../models/nucleusModel';
import { memoryImage } from '../search/tilePixels';
import { trainSteps, type StepProgress } from './trainLoop';
import { trainingTile } from './trainingPrompts';
import { TrainGraphs, TrainRun } from './trainStep';

/** What to train on, and how. */
export interface WholeTrainingOptions {
  readonly data: DataSet;
  /** Share of the images that is used, drawn by the seed, 0..1. */
  readonly fraction: number;
  readonly objective: 'sampo' | 'pixel-loss';
  readonly seed: number;
  readonly steps: number;
  /** For training itself; reading and checking come on top. */
  readonly seconds: number;
  /** Steps between two saves. */
  readonly saveEvery: number;
  /** Folder of the trained model: `model.json` and its files. */
  readonly out: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (progress: StepProgress) => void;
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
const HELD_OUT = 0.1;
/** Examples that a question may hold: wanted ones, further wanted ones, unwanted ones. */
const EXAMPLES = { stored: 3, more: 5, unwanted: 3 } as const;
const CHECKPOINT = 'training.sampo';
const PROGRESS = 'training.json';

/** A class of an image: its tiles, and examples of it. */
interface Subject {
  readonly tiles: readonly JudgedTile[];
  readonly stored: readonly Exemplar[];
  readonly more: readonly Exemplar[];
}

/**
 * Trains the decoder for every class of a labelled data set at once, with the steps of a refinement, and writes a model folder. A
 * run that ended early is taken up where it was last saved (with a fresh optimizer) when it is started again with the same options.
 * @throws BridgeError `JudgementsTooFew` when no image has a class with enough objects, `RequestCancelled`, `FileDamaged`, and what
 * loading and training throw
 */
export async function trainWhole(
  engine: Engine,
  modelFolder: string,
  options: WholeTrainingOptions,
): Promise<WholeTrainingReport> {
  const { data, fraction, seed, out, saveEvery } = options;
  const start = performance.now();
  const model = new NucleusModel(engine, modelFolder);
  await model.load();
  const base = options.objective === 'pixel-loss' ? PIXEL_LOSS_DEFAULTS : SAMPO_DEFAULTS;
  // Labels of a data set are taken at their word, other than what is judged in passing.
  const objective = { ...base.objective, wrong: 0 };
  const settings: RefineSettings = { ...base, objective, seed, anchorWeight: 0 };
  const random = seededRandom(seed);
  const count = Math.max(2, Math.round(fraction * data.entries.length));
  const chosen = shuffled(data.entries, random).slice(0, count);
  const kept = Math.max(1, Math.round(HELD_OUT * chosen.length));
  const held = await readSubjects(model, chosen.slice(0, kept), random);
  const taught = await readSubjects(model, chosen.slice(kept), random);
  const lessons = taught.flatMap(({ tiles, stored, more }) =>
    tiles.map((tile) =>
      trainingTile(tile, { stored, judged: more }, undefined, settings, model.promptLimits, random),
    ),
  );
  if (lessons.length === 0)
    throw new BridgeError('JudgementsTooFew', `no class has ${MINIMUM_OBJECTS} objects in any image`);

  mkdirSync(out, { recursive: true });
  const key = JSON.stringify({ model: model.manifest.files.decoder.sha256, fraction, objective: options.objective, seed, images: chosen.map(({ name }) => name) }); // prettier-ignore
  const saved = await readSaved(out, key);
  const threshold = model.manifest.postprocess.scoreThreshold;
  const before = holdOutResult(await scoresOf(model, held, model.decoder), threshold);
  const graph = await new TrainGraphs(engine, model).get(settings);
  const run = new TrainRun(engine, graph, settings, model.promptLimits, saved?.refinement, false);
  let steps = saved?.steps ?? 0;
  let metrics = {};
  const spent = (): number => (performance.now() - start) / 1000;
  const ready = spent();
  while (steps < options.steps && spent() - ready < options.seconds) {
    const from = steps;
    const done = await trainSteps(
      { engine, model },
      run,
      lessons,
      { decoder: model.decoder },
      { ...settings, seed: seed + from },
      {
        // prettier-ignore
        steps: Math.min(saveEvery, options.steps - steps),
        seconds: options.seconds - (spent() - ready),
        signal: options.signal,
        onStep: (progress) =>
        options.onStep?.({ ...progress, step: from + progress.step, percentage: (100 * (from + progress.step)) / options.steps }), // prettier-ignore
      },
    );
    steps += done.steps;
    metrics = done.metrics;
    await writeFileAtomic(
      join(out, CHECKPOINT),
      writeCheckpoint({ parameters: run.parameters, tokens: run.tokens, exemplars: [] }),
    ).then((checksum) =>
      writeFileAtomic(join(out, PROGRESS), Buffer.from(JSON.stringify({ key, steps, checksum }))),
    );
  }
  await writeModel(model, run.parameters, out);
  const trained = new NucleusModel(engine, out);
  const id = 'training/whole';
  await engine.load(id, { model: await trained.read('decoder') });
  const after = holdOutResult(await scoresOf(model, held, id), threshold);
  await engine.release(id);
  return {
    images: chosen.length - kept,
    heldOutImages: kept,
    tiles: lessons.length,
    steps,
    seconds: spent(),
    metrics,
    holdOutBefore: before,
    holdOutAfter: after,
  };
}

/** Every class of the images with its labelled nuclei, tile by tile. */
async function readSubjects(
  model: NucleusModel,
  entries: readonly Entry[],
  random: Random,
): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const entry of entries) {
    const labelled = await loadEntry(entry, model.manifest.micronsPerPixel);
    const cache = new EmbeddingCache();
    for (const asked of classesOf(labelled)) {
      const subject = await readSubject(model, cache, labelled, asked, random);
      if (subject) subjects.push(subject);
    }
    await cache.close();
  }
  return subjects;
}

async function readSubject(
  model: NucleusModel,
  cache: EmbeddingCache,
  { name, image, objects }: LabelledImage,
  asked: string,
  random: Random,
): Promise<Subject | undefined> {
  const { micronsPerPixel } = model.manifest;
  const opened = { ...memoryImage(image, { uri: name, pixelSizeMicrons: micronsPerPixel }), key: name };
  const clicks = objects.flatMap(({ x, y, class: kind }) =>
    kind === undefined ? [] : [{ imageUri: name, x, y, wanted: kind === asked }],
  );
  const { tiles } = await readJudgedTiles({ train: [], holdOut: [] }, clicks, {
    model,
    cache,
    image: () => opened,
    job: { priority: 'batch' },
  });
  const found = shuffled(
    tiles.flatMap((tile) => tile.objects),
    random,
  );
  const wanted = found.filter((object) => object.wanted);
  if (wanted.length < MINIMUM_OBJECTS) return undefined;
  const example = ({ feature, wanted: label }: (typeof found)[number]): Exemplar => ({
    feature,
    label: label ? 1 : 0,
  });
  const { stored, more, unwanted } = EXAMPLES;
  const others = found.filter((object) => !object.wanted).slice(0, unwanted);
  return {
    tiles,
    stored: wanted.slice(0, stored).map(example),
    more: [...wanted.slice(stored, stored + more), ...others].map(example),
  };
}

/** Scores of all labelled nuclei, asked for by three examples. */
async function scoresOf(
  model: NucleusModel,
  subjects: readonly Subject[],
  decoder: string,
): Promise<JudgedScore[]> {
  const scores: JudgedScore[] = [];
  for (const { tiles, stored } of subjects)
    scores.push(...(await judgedScores(model, tiles, { decoder, exemplars: stored })));
  return scores;
}

/** What an interrupted run of the same options has saved. @throws BridgeError `FileDamaged` */
async function readSaved(out: string, key: string) {
  const path = join(out, PROGRESS);
  if (!existsSync(path)) return undefined;
  const saved = JSON.parse(readFileSync(path, 'utf8')) as { key: string; steps: number; checksum: string };
  if (saved.key !== key) return undefined;
  const bytes = await readFileChecked(join(out, CHECKPOINT), saved.checksum);
  return { steps: saved.steps, refinement: readCheckpoint(bytes) };
}

/** The model with its new decoder, as a folder like the one it came from. */
async function writeModel(
  model: NucleusModel,
  parameters: ReadonlyMap<string, Float32Array>,
  out: string,
): Promise<void> {
  const { manifest, folder } = model;
  const { encoder, decoder } = manifest.files;
  const bytes = decoderWith(await model.read('decoder'), parameters);
  copyFileSync(join(folder, encoder.path), join(out, encoder.path));
  await writeFileAtomic(join(out, decoder.path), bytes);
  const files = { encoder, decoder: { ...decoder, sha256: sha256(bytes), bytes: bytes.length } };
  await writeFileAtomic(
    join(out, 'model.json'),
    Buffer.from(`${JSON.stringify({ ...manifest, files }, null, 2)}\n`),
  );
}
