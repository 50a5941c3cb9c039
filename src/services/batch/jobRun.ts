import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { cancelled, throwIfAborted } from '../../abort';
import { BridgeError, isBridgeError, type ErrorName } from '../../errors';
import { writeFileAtomic } from '../../store/files';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { RgbPixels } from '../images/pixels';
import type { Checkpoints } from '../intents/checkpoints';
import type { NucleusModel } from '../models/nucleusModel';
import { assembleImage, outputError } from './assembleImage';
import { QueuedUnits } from './cluster/queuedUnits';
import type { UnitQueue } from './cluster/unitQueue';
import { contactSheet, MOST_EMBEDDED } from './contactSheet';
import { RESULT_MODE, type JobDocument, type JobImage } from './job';
import type { JobError, JobStore, StoredImage, StoredJob, StoredUnit } from './jobStore';
import { inLanes } from './lanes';
import { ResultPicture, maskPicture, writePicture } from './pictures';
import { loadPinnedIntent, sharePinnedIntents } from './pinnedIntents';
import { cutImage, type CutImage } from './planImage';
import { errorsCsv, jobJson, methodsText, summaryCsv, type ErrorRow } from './reports';
import { sharedFolder } from './unitSearch';
import { OwnUnits, type OpenedImage, type UnitWork } from './unitWork';

/** The tables and the page are written again after so long, ms, and after twenty times as long as writing them took. */
const REPORTS_EVERY = 10_000;
const REPORTS_SHARE = 20;
/** Faults that would meet every unit: the job stands still until somebody resumes it. */
const STOPS_JOB: ReadonlySet<ErrorName> = new Set(['DiskFull', 'StoreReadOnly', 'ShuttingDown']);
/** Faults of a whole image: its other units would meet them too. */
const ENDS_IMAGE: ReadonlySet<ErrorName> = new Set(['FileNotFound', 'PathNotAllowed', 'ImageNotOpen']);

/** What carrying out a job needs. */
export interface JobRunParts {
  readonly jobs: JobStore;
  /** Where jobs keep what is not a result; a folder each. */
  readonly folder: string;
  readonly model: NucleusModel;
  readonly checkpoints: Checkpoints;
  /** @throws BridgeError as `ImageRegistry.open` */
  readonly open: (jobId: string, image: JobImage) => Promise<OpenedImage>;
  /** Where units are given to workers of other machines; this process searches them itself when absent. */
  readonly queue?: UnitQueue | undefined;
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
  /** When the reports are due again, ms of `performance.now`. */
  #reportsDue = 0;

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
    const { outputFolder, modelId } = this.#document;
    if (model.id !== modelId)
      throw new BridgeError(
        'IntentModelMismatch',
        `the job was made with the model ${modelId}, this is ${model.id}`,
      );
    makeFolder(outputFolder);
    const work = await this.#work();
    const waiting = jobs.images(this.job.jobId).filter(({ state }) => state === 'waiting');
    await inLanes(
      waiting,
      () => work.images(),
      this.signal,
      async (image, signal) => {
        await this.#image(image, work, signal);
        if (performance.now() >= this.#reportsDue) await this.writeReports();
      },
    );
    throwIfAborted(this.signal);
    await this.#tidy();
  }

  /** Who searches the units. @throws BridgeError what loading or sharing the pinned intents met */
  async #work(): Promise<UnitWork> {
    const { queue, model } = this.parts;
    const { intents: pinned, filters, outputFolder } = this.#document;
    const { jobId } = this.job;
    if (queue === undefined) {
      const intents = await Promise.all(
        pinned.map((intent, position) => loadPinnedIntent(this.#folder, position, intent, this.parts)),
      );
      return new OwnUnits(model, this.cache, { jobFolder: this.#folder, intents, filters });
    }
    const shared = sharedFolder(outputFolder, jobId);
    await sharePinnedIntents(this.#folder, shared, pinned);
    return new QueuedUnits(queue, { jobId, intents: pinned, filters, sharedFolder: shared });
  }

  /** What workers shared is of no use once every image is in its result. */
  async #tidy(): Promise<void> {
    const { jobId } = this.job;
    if (this.parts.jobs.counts(jobId).images.failed > 0) return;
    const shared = sharedFolder(this.#document.outputFolder, jobId);
    await rm(shared, { recursive: true, force: true }).catch(() => undefined);
    await rmdir(dirname(shared)).catch(() => undefined); // other jobs' may lie there
  }

  /** Writes the tables and the page as they are now. @throws BridgeError `DiskFull`, `OutputBlocked` */
  async writeReports(): Promise<void> {
    const { jobs } = this.parts;
    const start = performance.now();
    // Those that come meanwhile need not write them too.
    this.#reportsDue = Infinity;
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
    const now = performance.now();
    this.#reportsDue = now + Math.max(REPORTS_EVERY, REPORTS_SHARE * (now - start));
  }

  /** One image from its file to its results; a fault of its own is stored, and the next image follows. */
  async #image({ position, plan }: StoredImage, work: UnitWork, signal: AbortSignal): Promise<void> {
    const { jobs } = this.parts;
    const { jobId } = this.job;
    const asked = this.#document.images[position]!;
    let opened: OpenedImage;
    try {
      opened = await this.parts.open(jobId, asked);
    } catch (error) {
      return this.#fail(position, error, signal);
    }
    try {
      const cut = await cutImage(opened.image, {
        extent: asked.extent,
        tissue: this.#document.tissue,
        micronsPerPixel: this.parts.model.manifest.micronsPerPixel,
        unitSide: this.parts.unitSide,
        signal,
      });
      if (plan?.stamp !== opened.stamp) {
        // Units of a file that has changed since say nothing of this one.
        await this.#dropUnits(position);
        const { width, height } = opened.image;
        const { pixelSizeMicrons, areaMm2 } = cut;
        const warnings = [...opened.warnings, ...cut.warnings];
        const { stamp } = opened;
        jobs.plan(jobId, position, { width, height, pixelSizeMicrons, stamp, areaMm2, warnings }, cut.units);
      }
      await this.#units(position, opened, cut, work, signal);
      await this.#assemble(position, asked, opened, cut);
    } catch (error) {
      await this.#fail(position, error, signal);
    } finally {
      opened.close();
    }
  }

  /** Searches what is still to be searched, a few units at a time. */
  async #units(
    position: number,
    opened: OpenedImage,
    cut: CutImage,
    work: UnitWork,
    signal: AbortSignal,
  ): Promise<void> {
    const { jobs } = this.parts;
    const waiting = jobs.units(this.job.jobId, position).filter(({ state }) => state === 'waiting');
    await inLanes(
      waiting,
      () => work.lanes(),
      signal,
      (unit, unitSignal) => this.#unit(position, unit, opened, cut, work, unitSignal),
    );
    throwIfAborted(signal);
  }

  async #unit(
    position: number,
    unit: StoredUnit,
    opened: OpenedImage,
    cut: CutImage,
    work: UnitWork,
    signal: AbortSignal,
  ): Promise<void> {
    const { jobs, backOffMs = 1000 } = this.parts;
    const { jobId } = this.job;
    const { within, pixelSizeMicrons } = cut;
    const areaMm2 = cut.areaOf(unit);
    for (let attempt = unit.attempts + 1; ; attempt++) {
      try {
        const outcome = await work.search(
          { position, unit, opened, within, pixelSizeMicrons, areaMm2 },
          signal,
        );
        jobs.unitDone(jobId, position, unit.index, outcome);
        return;
      } catch (error) {
        if (signal.aborted) throw cancelled();
        const fault = jobError(error);
        if (STOPS_JOB.has(fault.name) || (work instanceof OwnUnits && ENDS_IMAGE.has(fault.name)))
          throw error;
        const final = attempt >= work.attempts;
        jobs.unitFailed(jobId, position, unit.index, fault, final);
        if (final) return;
        await wait(backOffMs * attempt, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Removes the files of an image's units. */
  async #dropUnits(position: number): Promise<void> {
    const { outputFolder } = this.#document;
    for (const folder of [this.#folder, sharedFolder(outputFolder, this.job.jobId)])
      await rm(join(folder, 'units', String(position)), { recursive: true, force: true });
  }

  async #assemble(position: number, asked: JobImage, opened: OpenedImage, cut: CutImage): Promise<void> {
    const { jobs, encodePng } = this.parts;
    const { jobId } = this.job;
    const { outputFolder, intents, geoParquet } = this.#document;
    const { name } = asked;
    const plan = jobs.image(jobId, position).plan!;
    const units = jobs.units(jobId, position);
    const picture = new ResultPicture(opened.image, cut.pixelSizeMicrons, intents);
    const outcome = await assembleImage({
      jobId,
      jobFolder: this.#folder,
      position,
      name,
      plan,
      units,
      intents,
      outputFolder,
      geoParquet,
      onObject: (feature) => picture.add(feature),
    });
    await writePicture(outputFolder, `${name}.png`, await encodePng(picture.draw(cut.overview, cut.tissue)));
    if (cut.tissue !== undefined)
      await writePicture(outputFolder, `${name}.tissue.png`, await encodePng(maskPicture(cut.tissue)));
    const failed = units.find(({ state }) => state === 'failed');
    if (failed === undefined) jobs.imageDone(jobId, position, outcome);
    else jobs.imageFailed(jobId, position, partialError(failed, outcome.failedUnits, units.length), outcome);
    // What it was made of is in the result now, and a failed unit is searched again from its own state.
    if (failed === undefined) await this.#dropUnits(position);
  }

  /** @throws what stops the whole job */
  async #fail(position: number, error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    const fault = jobError(error);
    if (STOPS_JOB.has(fault.name)) throw error;
    this.parts.jobs.imageFailed(this.job.jobId, position, fault);
  }

  #errors(images: readonly StoredImage[]): ErrorRow[] {
    const failedUnits = this.parts.jobs.failedUnits(this.job.jobId);
    return images.flatMap(({ position, error }) => {
      const image = this.#document.images[position]!.path;
      const units = (failedUnits.get(position) ?? []).map(({ x, y, error }) => ({ image, x, y, ...error! }));
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
