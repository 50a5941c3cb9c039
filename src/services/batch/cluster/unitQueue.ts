import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Queue, QueueEvents, type Job } from 'bullmq';
import { cancelled, onAbort } from '../../../abort';
import { BridgeError } from '../../../errors';
import type { Log } from '../../../log';
import { KEY_PREFIX, RedisLink, type Notice } from './redisLink';
import {
  mismatch,
  queueName,
  readFault,
  taskId,
  type UnitAnswer,
  type UnitTask,
  type WorkKind,
} from './unitTask';

/** Times a unit is given to a worker that answers with a fault; a lost worker is not one of them. */
const ATTEMPTS = 3;
/** Pause before the second attempt, ms; twice as long before the third. */
const BACK_OFF = 1000;
/** What nobody has fetched is kept for so long, s: a server that ended finds the answers when it is started again. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** What an open unit waits for. */
interface Open {
  readonly task: UnitTask;
  /** The queue has been looked into since it was asked for: what it says from then on is about this asking. */
  looked: boolean;
  readonly resolve: (answer: UnitAnswer) => void;
  readonly reject: (error: BridgeError) => void;
}

/** What a server sees of its queue. */
export interface QueueView {
  readonly address: string;
  readonly connected: boolean;
  readonly workers: readonly (Notice & { readonly fits: boolean })[];
}

export interface UnitQueueOptions {
  readonly url: string;
  readonly kind: WorkKind;
  readonly log: Log;
  /** How often what is open is looked after, ms. */
  readonly sweepMs?: number | undefined;
}

/**
 * The server's side of the queue: gives units out and hears what came of them. Events make it quick; what they miss (Redis
 * was away, or came back empty) a sweep finds: a unit that the queue no longer knows is put into it again.
 */
export class UnitQueue {
  readonly #link: RedisLink;
  readonly #queue: Queue<UnitTask, UnitAnswer>;
  readonly #events: QueueEvents;
  readonly #open = new Map<string, Open>();
  readonly #sweeping: NodeJS.Timeout;
  #workers: readonly Notice[] = [];
  #busy = false;
  #closed = false;

  /** @throws BridgeError `InvalidParams` for an address that is none */
  constructor(private readonly options: UnitQueueOptions) {
    const { url, kind, log, sweepMs = 3000 } = options;
    this.#link = new RedisLink(url, log);
    const name = queueName(kind);
    const own = { prefix: KEY_PREFIX, skipVersionCheck: true };
    this.#queue = new Queue(name, { ...own, connection: this.#link.main });
    this.#events = new QueueEvents(name, { ...own, connection: this.#link.another() });
    // Told by the link.
    this.#queue.on('error', () => undefined);
    this.#events.on('error', () => undefined);
    this.#events.on('completed', ({ jobId, returnvalue }) =>
      this.#finished(jobId, returnvalue as unknown as UnitAnswer),
    );
    this.#events.on('failed', ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
    this.#link.announce('server', randomUUID(), () => ({
      kind,
      name: `${hostname()}, process ${process.pid}`,
      trouble: '',
    }));
    this.#sweeping = setInterval(() => void this.#sweep(), sweepMs);
    this.#sweeping.unref();
    void this.#sweep();
  }

  /** As of the last sweep. */
  view(): QueueView {
    const { kind } = this.options;
    return {
      address: this.#link.address,
      connected: this.#link.trouble === '',
      workers: this.#workers.map((notice) => ({
        ...notice,
        fits: mismatch(notice.kind, kind) === undefined,
      })),
    };
  }

  /** Why nothing moves, for people; empty when something does. */
  trouble(): string {
    const { address, connected, workers } = this.view();
    if (!connected)
      return `${address} cannot be reached (${this.#link.trouble}); the job goes on when it is back`;
    if (workers.some(({ fits, trouble }) => fits && trouble === '')) return '';
    const why = workers.map(
      ({ kind, name, trouble }) =>
        `${name}: ${mismatch(kind, this.options.kind) === undefined ? trouble : `of sampo ${kind.version} with ${kind.modelId}`}`,
    );
    return why.length === 0
      ? `no worker is there; start some with: sampo worker --queue ${address}`
      : `no worker takes its units (${why.join('; ')})`;
  }

  /**
   * Gives a unit out and waits for its answer, however long Redis is away.
   * @throws BridgeError what the workers met in the end, `WorkerLost`, `RequestCancelled`, `ShuttingDown`
   */
  submit(task: UnitTask, signal: AbortSignal): Promise<UnitAnswer> {
    const id = taskId(task);
    return new Promise<UnitAnswer>((resolve, reject) => {
      if (this.#closed || signal.aborted) return reject(cancelled());
      const stop = onAbort(signal, () => {
        this.#open.delete(id);
        // One that a worker has begun cannot be taken back; its answer waits for the next start of the job.
        if (!this.#closed) this.#queue.remove(id).catch(() => undefined);
        reject(cancelled());
      });
      const once =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          stop();
          settle(value);
        };
      this.#open.set(id, { task, looked: false, resolve: once(resolve), reject: once(reject) });
      void this.#look(id).catch(() => undefined); // the sweep looks again
    });
  }

  /** Forgets an answer that has been taken, or that turned out to be of no use. */
  async forget(task: UnitTask): Promise<void> {
    if (!this.#closed) await this.#queue.remove(taskId(task)).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeping);
    for (const { reject } of [...this.#open.values()]) reject(cancelled('the server is shutting down'));
    this.#open.clear();
    // Closing waits for Redis, which may be away.
    const soon = new Promise((resolve) => setTimeout(resolve, 500).unref());
    await Promise.race([Promise.allSettled([this.#events.close(), this.#queue.close()]), soon]);
    await this.#link.close();
  }

  async #sweep(): Promise<void> {
    if (this.#busy || this.#closed || this.#link.trouble !== '') return;
    this.#busy = true;
    try {
      this.#workers = await this.#link.present('worker');
      for (const id of [...this.#open.keys()]) await this.#look(id);
    } catch {
      // Redis went away meanwhile: the next sweep looks again.
    } finally {
      this.#busy = false;
    }
  }

  /** Finds out how an open unit stands, and puts it into the queue when it is not there. */
  async #look(id: string): Promise<void> {
    const job = (await this.#queue.getJob(id)) as Job<UnitTask, UnitAnswer> | undefined;
    const open = this.#open.get(id);
    if (open === undefined) return;
    const state = job === undefined ? 'unknown' : await job.getState();
    if (state === 'completed') {
      // It may have been finished between the two questions, and the first saw no answer yet.
      const answer = job!.returnvalue ?? (await this.#queue.getJob(id))?.returnvalue;
      return answer === null || answer === undefined ? undefined : this.#finished(id, answer);
    }
    if (state === 'failed') {
      if (open.looked) return this.#failed(id, await this.#reasonOf(id, job!));
      // What had failed before somebody resumed the job is tried anew.
      await this.#queue.remove(id);
    }
    open.looked = true;
    if ((state !== 'unknown' && state !== 'failed') || !this.#open.has(id)) return;
    await this.#queue.add('unit', open.task, {
      jobId: id,
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: BACK_OFF },
      removeOnComplete: { age: KEPT_SECONDS },
      removeOnFail: { age: KEPT_SECONDS },
    });
  }

  /** As above: the job was asked for before its state. */
  async #reasonOf(id: string, job: Job<UnitTask, UnitAnswer>): Promise<string> {
    return (
      job.failedReason ?? (await this.#queue.getJob(id))?.failedReason ?? 'it failed for no known reason'
    );
  }

  #finished(id: string, answer: UnitAnswer): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.resolve(answer);
  }

  #failed(id: string, reason: string): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    const { name, message } = readFault(reason);
    void this.forget(open.task);
    open.reject(new BridgeError(name, message));
  }
}
