import { BridgeError } from '../../errors';
import type { Log } from '../../log';
import { EmbeddingCache } from '../embeddings/embeddingCache';
import { JobRun, type JobRunParts } from './jobRun';

/** Embeddings of a batch are not needed twice: enough for the tiles that neighbouring units share. */
const CACHE_BYTES = 64 << 20;

/** What running jobs needs. */
export interface BatchRunnerParts extends JobRunParts {
  readonly log: Log;
}

/** Carries jobs out, one after the other, in the background and below interactive work. */
export class BatchRunner {
  readonly #queue: string[] = [];
  #current: { readonly jobId: string; readonly abort: AbortController; done: Promise<void> } | undefined;
  #closed = false;

  constructor(private readonly parts: BatchRunnerParts) {}

  /** Puts a job at the end of the queue, unless it is there already. */
  enqueue(jobId: string): void {
    if (this.#closed) throw new BridgeError('ShuttingDown', 'the server is shutting down');
    if (this.#queue.includes(jobId) || this.#current?.jobId === jobId) return;
    this.parts.jobs.setState(jobId, 'queued');
    this.#queue.push(jobId);
    this.#next();
  }

  /** Takes a job out of the queue, or ends the unit under way; what is finished stays. */
  async cancel(jobId: string): Promise<void> {
    const waiting = this.#queue.indexOf(jobId);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    const current = this.#current;
    if (current?.jobId === jobId) {
      current.abort.abort();
      await current.done;
    }
    this.parts.jobs.setState(jobId, 'cancelled');
  }

  /** Resolves when no job runs or waits. */
  async idle(): Promise<void> {
    while (this.#current !== undefined) await this.#current.done;
  }

  /** Ends the work; jobs that ran or waited are taken up again by the next server. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.length = 0;
    this.#current?.abort.abort();
    await this.#current?.done;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const jobId = this.#queue.shift();
    if (jobId === undefined) return;
    const abort = new AbortController();
    const done = this.#runJob(jobId, abort.signal).finally(() => {
      this.#current = undefined;
      if (!this.#closed) this.#next();
    });
    this.#current = { jobId, abort, done };
  }

  /** Never rejects: how a job ended is in the store. */
  async #runJob(jobId: string, signal: AbortSignal): Promise<void> {
    const { jobs, log } = this.parts;
    const cache = new EmbeddingCache({ memoryBytes: CACHE_BYTES });
    try {
      jobs.setState(jobId, 'running');
      const run = new JobRun(this.parts, jobs.get(jobId), cache, signal);
      try {
        await run.everyImage();
        const { images } = jobs.counts(jobId);
        jobs.setState(jobId, images.failed > 0 ? 'failed' : 'done');
      } catch (error) {
        this.#ended(jobId, error, signal);
        // They say what is finished, and how it ended; where they cannot be written, that is what it ended by, or will be told next.
        await run.writeReports().catch((fault: unknown) => log(`batch job ${jobId}: ${String(fault)}`));
        return;
      }
      await run.writeReports();
    } catch (error) {
      this.#ended(jobId, error, signal);
    } finally {
      await cache.close();
    }
  }

  /** Stores how a job ended that did not reach its end. */
  #ended(jobId: string, error: unknown, signal: AbortSignal): void {
    const { jobs, log } = this.parts;
    if (signal.aborted) return jobs.setState(jobId, this.#closed ? 'stopped' : 'cancelled');
    const message = error instanceof Error ? error.message : String(error);
    log(`batch job ${jobId} stands still: ${message}`);
    jobs.setState(jobId, 'stopped', message);
  }
}
