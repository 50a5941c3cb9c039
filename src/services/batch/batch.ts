import { createHash, randomUUID } from 'node:crypto';
import { basename, extname, join } from 'node:path';
import { BridgeError } from '../../errors';
import type { IntentDocument } from '../intents/intentDocument';
import type { Intents } from '../intents/intents';
import type { SearchFilters } from '../search/searchRequest';
import { BatchRunner, type BatchRunnerParts } from './batchRunner';
import type { JobDocument, JobImage, JobState, PinnedIntent } from './job';
import type { JobCounts, StoredJob } from './jobStore';
import { pinIntent } from './pinnedIntents';

/** “These intents, over these images.” */
export interface BatchRequest {
  readonly intentIds: readonly string[];
  readonly images: readonly Omit<JobImage, 'name'>[];
  readonly outputFolder: string;
  readonly filters?: SearchFilters | undefined;
  /** Search tissue alone; false when absent. */
  readonly tissue?: boolean | undefined;
  /** A GeoParquet file beside each GeoJSON; false when absent. */
  readonly geoParquet?: boolean | undefined;
}

/** How far a job is. */
export interface JobReport {
  readonly jobId: string;
  readonly state: JobState;
  readonly message: string;
  readonly createdAt: string;
  readonly outputFolder: string;
  readonly intents: readonly string[];
  readonly counts: JobCounts;
  /** Guessed from the images and units that are finished; undefined before the first. */
  readonly etaSeconds: number | undefined;
}

/** What batches work with. */
export interface BatchParts extends BatchRunnerParts {
  readonly intents: Intents;
  readonly exportIntent: (intentId: string) => Promise<IntentDocument>;
  /** Of this program. */
  readonly version: string;
}

/** States in which a job may still write into its folder. */
const UNFINISHED: ReadonlySet<JobState> = new Set(['queued', 'running', 'stopped']);
/** States from which the same request goes on. */
const RESUMABLE: ReadonlySet<JobState> = new Set(['queued', 'running', 'stopped', 'cancelled', 'failed']);

/** Jobs over many images: durable, resumable, one at a time. */
export class Batch {
  readonly #runner: BatchRunner;

  constructor(private readonly parts: BatchParts) {
    this.#runner = new BatchRunner(parts);
  }

  /**
   * Begins a job, or goes on with the unfinished one of the same request.
   * @throws BridgeError `IntentNotFound`, `NoPositiveClick`, `IntentModelMismatch`, `InvalidParams`, `JobConflict`, `DiskFull`
   */
  async start(request: BatchRequest): Promise<JobReport> {
    const { jobs, folder } = this.parts;
    const key = requestKey(request);
    const stored = jobs.list();
    const same = stored.findLast((job) => job.requestKey === key && RESUMABLE.has(job.state));
    if (same !== undefined) return this.resume(same.jobId);
    const other = stored.find(
      (job) => UNFINISHED.has(job.state) && job.document.outputFolder === request.outputFolder,
    );
    if (other !== undefined)
      throw new BridgeError('JobConflict', `the job ${other.jobId} writes into ${request.outputFolder}`, {
        jobId: other.jobId,
        state: other.state,
      });
    for (const intentId of request.intentIds) this.#requireExamples(intentId);
    const jobId = randomUUID();
    const intents: PinnedIntent[] = [];
    for (const [position, intentId] of request.intentIds.entries())
      intents.push(await this.#pin(join(folder, jobId), position, intentId));
    const document: JobDocument = {
      version: this.parts.version,
      modelId: this.parts.model.id,
      intents,
      images: named(request.images),
      outputFolder: request.outputFolder,
      filters: request.filters ?? {},
      tissue: request.tissue ?? false,
      ...(request.geoParquet === true && { geoParquet: true }),
    };
    jobs.create(jobId, key, document);
    this.#runner.enqueue(jobId);
    return this.status(jobId);
  }

  /** @throws BridgeError `JobNotFound` */
  status(jobId: string): JobReport {
    return this.#report(this.parts.jobs.get(jobId));
  }

  /** Oldest first. */
  list(): JobReport[] {
    return this.parts.jobs.list().map((job) => this.#report(job));
  }

  /** What is finished stays; a job that has ended already is answered as it is. @throws BridgeError `JobNotFound` */
  async cancel(jobId: string): Promise<JobReport> {
    if (UNFINISHED.has(this.parts.jobs.get(jobId).state)) await this.#runner.cancel(jobId);
    return this.status(jobId);
  }

  /** Goes on where the job was; what had failed is tried again. @throws BridgeError `JobNotFound` */
  resume(jobId: string): JobReport {
    const { state } = this.parts.jobs.get(jobId);
    if (state !== 'done' && state !== 'running' && state !== 'queued') this.parts.jobs.retryFailed(jobId);
    if (state !== 'done') this.#runner.enqueue(jobId);
    return this.status(jobId);
  }

  /** Takes up what a server that ended left: jobs that ran or waited. */
  goOn(): void {
    for (const { jobId, state } of this.parts.jobs.list())
      if (UNFINISHED.has(state)) this.#runner.enqueue(jobId);
  }

  /** Resolves when no job runs or waits. */
  idle(): Promise<void> {
    return this.#runner.idle();
  }

  close(): Promise<void> {
    return this.#runner.close();
  }

  /** A batch clicks nothing: an intent must have learned something this model can use. */
  #requireExamples(intentId: string): void {
    const { intents, model } = this.parts;
    const { name } = intents.get(intentId);
    const examples = intents.exemplars(intentId);
    if (examples.some(({ label, modelId }) => label === 1 && modelId === model.id)) return;
    if (examples.some(({ label }) => label === 1))
      throw new BridgeError('IntentModelMismatch', `the examples of "${name}" belong to another model`, {
        intentId,
        modelId: model.id,
        hint: 'segment an image that holds its examples first: they are embedded again then',
      });
    throw new BridgeError('NoPositiveClick', `the intent "${name}" has no positive example`, { intentId });
  }

  async #pin(folder: string, position: number, intentId: string): Promise<PinnedIntent> {
    const { intents, exportIntent } = this.parts;
    const { name, color } = intents.get(intentId);
    const { round } = intents.forSearch(intentId);
    const sha256 = await pinIntent(folder, position, await exportIntent(intentId));
    return { intentId, name, color, sha256, round };
  }

  /** Units under way at a time. */
  #atATime(): number {
    const { queue } = this.parts;
    // A worker has two under way at a time, as this process has.
    return 2 * Math.max(1, queue?.view().workers.filter(({ fits }) => fits).length ?? 1);
  }

  #report({ jobId, state, message, createdAt, document }: StoredJob): JobReport {
    const counts = this.parts.jobs.counts(jobId);
    const { outputFolder, intents } = document;
    return {
      jobId,
      state,
      message: state === 'running' && message === '' ? (this.parts.queue?.trouble() ?? '') : message,
      createdAt,
      outputFolder,
      intents: intents.map(({ name }) => name),
      counts,
      etaSeconds: timeLeft(counts, this.#atATime()),
    };
  }
}

/** Units of images not yet planned are taken for as many as those of the planned ones. */
function timeLeft({ images, units, unitSeconds }: JobCounts, atATime: number): number | undefined {
  const finished = images.done + images.failed;
  if (units.done === 0) return undefined;
  const planned = Math.max(1, finished + (units.total > units.done + units.failed ? 1 : 0));
  const perImage = units.total / planned;
  const open = units.total - units.done - units.failed + perImage * Math.max(0, images.total - planned);
  return (open * unitSeconds) / units.done / atATime;
}

/** The same for the same request; the intents count as they are named, so that an unfinished job keeps its pinned versions. */
function requestKey(request: BatchRequest): string {
  const { intentIds, images, outputFolder, filters = {}, tissue = false, geoParquet = false } = request;
  return (
    createHash('sha256')
      // Keys of jobs that an earlier version left have no such member.
      .update(
        JSON.stringify([
          intentIds,
          images,
          outputFolder,
          filters,
          tissue,
          ...(geoParquet ? ['geoParquet'] : []),
        ]),
      )
      .digest('hex')
  );
}

/** Names for the results: those of the files, told apart by a number where several are alike. */
function named(images: BatchRequest['images']): JobImage[] {
  const taken = new Set<string>();
  return images.map((image) => {
    const stem = basename(image.path, extname(image.path));
    let name = stem;
    // File systems of Windows and macOS do not tell capitals apart.
    for (let i = 2; taken.has(name.toLowerCase()); i++) name = `${stem}-${i}`;
    taken.add(name.toLowerCase());
    return { ...image, name };
  });
}
