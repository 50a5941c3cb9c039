import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cancelled, throwIfAborted } from '../../abort';
import { BridgeError, isBridgeError, type ErrorName } from '../../errors';
import { writeFileAtomic } from '../../store/files';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { RgbPixels } from '../images/pixels';
import type { Checkpoints } from '../intents/checkpoints';
import type { NucleusModel } from '../models/nucleusModel';
import { Search } from '../search/search';
import type { SearchIntent } from '../search/searchRequest';
import type { SearchImage } from '../search/tilePixels';
import type { Warning } from '../warning';
import { assembleImage, outputError } from './assembleImage';
import { contactSheet, MOST_EMBEDDED } from './contactSheet';
import type { JobDocument, JobImage } from './job';
import type { JobError, JobStore, StoredImage, StoredJob, StoredUnit } from './jobStore';
import { RESULT_MODE, ResultPicture, maskPicture, writePicture } from './pictures';
import { loadPinnedIntent } from './pinnedIntents';
import { cutImage, type CutImage } from './planImage';
import { errorsCsv, jobJson, methodsText, summaryCsv, type ErrorRow } from './reports';
import { searchUnit, unitPath, writeUnit } from './unitSearch';

/** Units under way at a time: while one waits for its last tiles, the other keeps the engine busy. */
const LANES = 2;
/** Times a unit is tried before it is set aside. */
const ATTEMPTS = 3;
/** Faults that would meet every unit: the job stands still until somebody resumes it. */
const STOPS_JOB: ReadonlySet<ErrorName> = new Set(['DiskFull', 'StoreReadOnly', 'ShuttingDown']);
/** Faults of a whole image: its other units would meet them too. */
const ENDS_IMAGE: ReadonlySet<ErrorName> = new Set(['FileNotFound', 'PathNotAllowed', 'ImageNotOpen']);

/** An image opened for a job. */
export interface OpenedImage {
  readonly image: SearchImage;
  /** The same for the same content. */
  readonly stamp: string;
  readonly warnings: readonly Warning[];
  close(): void;
}

/** What carrying out a job needs. */
export interface JobRunParts {
  readonly jobs: JobStore;
  /** Where jobs keep what is not a result; a folder each. */
  readonly folder: string;
  readonly model: NucleusModel;
  readonly checkpoints: Checkpoints;
  /** @throws BridgeError as `ImageRegistry.open` */
  readonly open: (jobId: string, image: JobImage) => Promise<OpenedImage>;
  readonly encodePng: (pixels: RgbPixels) => Promise<Uint8Array>;
  /** Side of a unit, model px; 2048 when absent. */
  readonly unitSide?: number | undefined;
  /** How long a failed unit waits before it is tried again, ms, times the attempt. */
  readonly backOffMs?: number | undefined;
}

/** One way through a job's images. */
export class JobRun {
  readonly #document: JobDocument;
  readonly #folder: string;
  #search: Search | undefined;
  #intents: readonly SearchIntent[] = [];

  constructor(
    private readonly parts: JobRunParts,
    private readonly job: StoredJob,
    private readonly cache: EmbeddingCache,
    private readonly signal: AbortSignal,
  ) {
    this.#document = job.document;
    this.#folder = join(parts.folder, job.jobId);
  }

  /** @throws BridgeError what stops the whole job */
  async everyImage(): Promise<void> {
    const { model, jobs } = this.parts;
    const { outputFolder, intents, modelId } = this.#document;
    if (model.id !== modelId)
      throw new BridgeError(
        'IntentModelMismatch',
        `the job was made with the model ${modelId}, this is ${model.id}`,
      );
    makeFolder(outputFolder);
    this.#search = new Search(model, this.cache);
    this.#intents = await Promise.all(
      intents.map((pinned, position) => loadPinnedIntent(this.#folder, position, pinned, this.parts)),
    );
    for (const image of jobs.images(this.job.jobId)) {
      throwIfAborted(this.signal);
      if (image.state !== 'waiting') continue;
      await this.#image(image);
      await this.writeReports();
    }
  }

  /** Writes the tables and the page as they are now. @throws BridgeError `DiskFull`, `OutputBlocked` */
  async writeReports(): Promise<void> {
    const { jobs } = this.parts;
    const job = jobs.get(this.job.jobId);
    const images = jobs.images(job.jobId);
    const { outputFolder } = this.#document;
    const write = async (name: string, text: string): Promise<void> => {
      const path = join(outputFolder, name);
      await writeFileAtomic(path, Buffer.from(text), RESULT_MODE).catch((error: unknown) => {
        throw outputError(error, path);
      });
    };
    await write('summary.csv', summaryCsv(job.document, images));
    await write('errors.csv', errorsCsv(this.#errors(images)));
    await write('methods.txt', methodsText(job, images));
    await write('job.json', jobJson(job, images));
    const embed = images.length <= MOST_EMBEDDED;
    const pictureOf = ({ position }: StoredImage): string | undefined => {
      const name = `${this.#document.images[position]!.name}.png`;
      const path = join(outputFolder, 'pictures', name);
      if (!existsSync(path)) return undefined;
      if (!embed) return `pictures/${encodeURIComponent(name)}`;
      return `data:image/png;base64,${readFileSync(path).toString('base64')}`;
    };
    await write('index.html', contactSheet(job, images, jobs.counts(job.jobId), pictureOf));
  }

  /** One image from its file to its results; a fault of its own is stored, and the next image follows. */
  async #image({ position, plan }: StoredImage): Promise<void> {
    const { jobs } = this.parts;
    const { jobId } = this.job;
    const asked = this.#document.images[position]!;
    let opened: OpenedImage;
    try {
      opened = await this.parts.open(jobId, asked);
    } catch (error) {
      return this.#fail(position, error);
    }
    try {
      const cut = await cutImage(opened.image, {
        extent: asked.extent,
        tissue: this.#document.tissue,
        micronsPerPixel: this.parts.model.manifest.micronsPerPixel,
        unitSide: this.parts.unitSide,
        signal: this.signal,
      });
      if (plan?.stamp !== opened.stamp) {
        // Units of a file that has changed since say nothing of this one.
        await rm(join(this.#folder, 'units', String(position)), { recursive: true, force: true });
        const { width, height } = opened.image;
        const { pixelSizeMicrons, areaMm2 } = cut;
        const warnings = [...opened.warnings, ...cut.warnings];
        const { stamp } = opened;
        jobs.plan(jobId, position, { width, height, pixelSizeMicrons, stamp, areaMm2, warnings }, cut.units);
      }
      await this.#units(position, opened, cut);
      await this.#assemble(position, asked, opened, cut);
    } catch (error) {
      await this.#fail(position, error);
    } finally {
      opened.close();
    }
  }

  /** Searches what is still to be searched, a few units at a time. */
  async #units(position: number, opened: OpenedImage, cut: CutImage): Promise<void> {
    const waiting = this.parts.jobs
      .units(this.job.jobId, position)
      .filter(({ state }) => state === 'waiting');
    const ending = new AbortController();
    const signal = AbortSignal.any([this.signal, ending.signal]);
    const lane = async (): Promise<void> => {
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift())
        await this.#unit(position, unit, opened, cut, signal);
    };
    const lanes = await Promise.allSettled(
      Array.from({ length: LANES }, () =>
        lane().catch((error: unknown) => {
          ending.abort();
          throw error;
        }),
      ),
    );
    const faults = lanes.flatMap((settled) =>
      settled.status === 'rejected' ? [settled.reason as unknown] : [],
    );
    throwIfAborted(this.signal);
    // The lane that failed first ended the others, which then say only that they were ended.
    const first = faults.find((fault) => !(isBridgeError(fault) && fault.errorName === 'RequestCancelled'));
    if (faults.length > 0) throw first ?? faults[0];
  }

  async #unit(
    position: number,
    unit: StoredUnit,
    { image }: OpenedImage,
    cut: CutImage,
    signal: AbortSignal,
  ): Promise<void> {
    const { jobs, backOffMs = 1000 } = this.parts;
    const { jobId } = this.job;
    for (let attempt = unit.attempts + 1; ; attempt++) {
      const start = performance.now();
      try {
        const features = await searchUnit(
          {
            search: this.#search!,
            image,
            intents: this.#intents,
            filters: this.#document.filters,
            pixelSizeMicrons: cut.pixelSizeMicrons,
            signal,
          },
          unit,
        );
        const sha256 = await writeUnit(unitPath(this.#folder, position, unit.index), features);
        const seconds = (performance.now() - start) / 1000;
        jobs.unitDone(jobId, position, unit.index, {
          objects: features.length,
          areaMm2: cut.areaOf(unit),
          seconds,
          sha256,
        });
        return;
      } catch (error) {
        if (signal.aborted) throw cancelled();
        const fault = jobError(error);
        if (STOPS_JOB.has(fault.name) || ENDS_IMAGE.has(fault.name)) throw error;
        const final = attempt >= ATTEMPTS;
        jobs.unitFailed(jobId, position, unit.index, fault, final);
        if (final) return;
        await wait(backOffMs * attempt, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #assemble(position: number, asked: JobImage, opened: OpenedImage, cut: CutImage): Promise<void> {
    const { jobs, encodePng } = this.parts;
    const { jobId } = this.job;
    const { outputFolder, intents } = this.#document;
    const { name } = asked;
    const plan = jobs.images(jobId)[position]!.plan!;
    const units = jobs.units(jobId, position);
    const picture = new ResultPicture(opened.image, cut.pixelSizeMicrons, intents);
    const outcome = await assembleImage({
      jobFolder: this.#folder,
      position,
      name,
      plan,
      units,
      intents,
      outputFolder,
      onObject: (feature) => picture.add(feature),
    });
    await writePicture(outputFolder, `${name}.png`, await encodePng(picture.draw(cut.overview, cut.tissue)));
    if (cut.tissue !== undefined)
      await writePicture(outputFolder, `${name}.tissue.png`, await encodePng(maskPicture(cut.tissue)));
    const failed = units.find(({ state }) => state === 'failed');
    if (failed === undefined) jobs.imageDone(jobId, position, outcome);
    else jobs.imageFailed(jobId, position, partialError(failed, outcome.failedUnits, units.length), outcome);
    // What it was made of is in the result now, and a failed unit is searched again from its own state.
    if (failed === undefined)
      await rm(join(this.#folder, 'units', String(position)), { recursive: true, force: true });
  }

  /** @throws what stops the whole job */
  async #fail(position: number, error: unknown): Promise<void> {
    if (this.signal.aborted) throw cancelled();
    const fault = jobError(error);
    if (STOPS_JOB.has(fault.name)) throw error;
    this.parts.jobs.imageFailed(this.job.jobId, position, fault);
  }

  #errors(images: readonly StoredImage[]): ErrorRow[] {
    return images.flatMap(({ position, error }) => {
      const image = this.#document.images[position]!.path;
      const units = this.parts.jobs
        .units(this.job.jobId, position)
        .flatMap((unit) =>
          unit.state === 'failed' ? [{ image, x: unit.x, y: unit.y, ...unit.error! }] : [],
        );
      return error === undefined ? units : [{ image, ...error }, ...units];
    });
  }
}

/** @throws BridgeError `OutputBlocked`, `DiskFull` */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw outputError(error, path);
  }
}

function partialError({ error }: StoredUnit, failed: number, total: number): JobError {
  const { name, message } = error!;
  return { name, message: `${failed} of ${total} units could not be searched; the first: ${message}` };
}

function jobError(error: unknown): JobError {
  if (isBridgeError(error)) return { name: error.errorName, message: error.message };
  return { name: 'InternalError', message: error instanceof Error ? error.message : String(error) };
}
