import { priorityQueue } from 'async';
import { cancelled } from '../abort';
import type { BridgeError } from '../errors';
import type { Priority } from './engine';

const ORDER: Readonly<Record<Priority, number>> = { interactive: 0, training: 1, batch: 2 };

interface Job {
  readonly priority: Priority;
  /** Runs the work and settles the submitter's promise; never rejects. */
  readonly execute: () => Promise<void>;
  readonly reject: (error: BridgeError) => void;
}

/**
 * One job at a time, lowest priority number first, first come first served within a priority. A queued job whose signal
 * aborts leaves the queue at once and rejects with `RequestCancelled`; a running one is its own work's business.
 */
export class RunQueue {
  readonly #waiting = new Set<Job>();
  readonly #queue = priorityQueue<Job>((job, done) => {
    void job.execute().then(() => done());
  }, 1);

  /** Resolves or rejects with what `work` does once its turn came. */
  submit<T>(priority: Priority, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted === true) return Promise.reject(cancelled());
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(job);
        this.#queue.remove(({ data }) => data === job);
        reject(cancelled());
      };
      const job: Job = {
        priority,
        reject,
        execute: async () => {
          this.#waiting.delete(job);
          signal?.removeEventListener('abort', leave);
          await work().then(resolve, reject);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(job);
      void this.#queue.push(job, ORDER[priority]);
    });
  }

  /** Jobs waiting, by priority; the running one is not counted. */
  counts(): Record<Priority, number> {
    const counts: Record<Priority, number> = { interactive: 0, training: 0, batch: 0 };
    for (const job of this.#waiting) counts[job.priority] += 1;
    return counts;
  }

  /** Rejects everything that waits with `error`. */
  clear(error: BridgeError): void {
    this.#queue.remove(() => true);
    for (const job of this.#waiting) job.reject(error);
    this.#waiting.clear();
  }
}
