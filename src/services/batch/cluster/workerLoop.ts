import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { DelayedError, UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import { isBridgeError } from '../../../errors';
import type { Log } from '../../../log';
import type { JobError } from '../jobStore';
import { KEY_PREFIX, RedisLink, refusals } from './redisLink';
import { faultText, queueName, type UnitAnswer, type UnitTask, type WorkKind } from './unitTask';

/** Times a unit is given back by workers that cannot reach its image before that counts as its fault. */
const MOST_RETURNS = 5;
/** How long a worker that could not reach an image leaves the units to the others, ms. */
const STANDS_BACK = 10_000;
/** A unit whose workers were lost so often is set aside: it may be what kills them. */
const MOST_LOST = 2;
/** How often the servers are looked for, ms. */
const LOOK_EVERY = 5000;

/** Thrown when this machine cannot reach an image that another may. */
export class Unreachable extends Error {
  constructor(readonly fault: JobError) {
    super(fault.message);
  }
}

export interface WorkerLoopOptions {
  readonly url: string;
  readonly kind: WorkKind;
  /** Units at a time. */
  readonly units: number;
  /** A worker that is silent for so long is taken for lost, ms. */
  readonly lostAfterMs: number;
  /** How long a unit under way may go on after the request to stop, ms. */
  readonly graceMs: number;
  readonly log: Log;
  /** Searches a unit. @throws BridgeError, `Unreachable` */
  readonly search: (task: UnitTask, signal: AbortSignal) => Promise<UnitAnswer>;
}

/** The worker's side of the queue: takes units, says that it is alive, gives back what it cannot finish. */
export class WorkerLoop {
  readonly #link: RedisLink;
  readonly #worker: Worker<UnitTask, UnitAnswer>;
  readonly #stop = new AbortController();
  readonly #told = new Set<string>();
  #looking: NodeJS.Timeout | undefined;
  #trouble = '';

  constructor(private readonly options: WorkerLoopOptions) {
    const { url, kind, units, lostAfterMs, log } = options;
    this.#link = new RedisLink(url, log);
    this.#worker = new Worker<UnitTask, UnitAnswer>(
      queueName(kind),
      (job, token, signal) => this.#unit(job, token, signal),
      {
        connection: this.#link.main,
        prefix: KEY_PREFIX,
        skipVersionCheck: true,
        autorun: false,
        concurrency: units,
        lockDuration: lostAfterMs,
        stalledInterval: lostAfterMs,
        maxStalledCount: MOST_LOST,
        runRetryDelay: 1000,
      },
    );
    this.#worker.on('error', (error) => {
      // A lost connection is told by the link; what is left are units that were taken from a worker thought lost.
      if (this.#link.trouble === '' && !/ECONN|closed/i.test(error.message))
        log(`the queue: ${error.message}`);
    });
    this.#worker.on('stalled', (id) => log(`unit ${id}: its worker was lost; it is given out again`));
  }

  get address(): string {
    return this.#link.address;
  }

  /** Connects and takes units until `close`. @throws BridgeError `QueueUnavailable` */
  async start(waitMs: number): Promise<void> {
    await this.#link.ready(waitMs);
    const name = `${hostname()}, process ${process.pid}`;
    const { kind } = this.options;
    this.#link.announce('worker', randomUUID(), () => ({ kind, name, trouble: this.#trouble }));
    await this.#lookForServers();
    this.#looking = setInterval(() => void this.#lookForServers().catch(() => undefined), LOOK_EVERY);
    this.#worker.run().catch((error: unknown) => this.options.log(`the queue: ${String(error)}`));
  }

  /** Takes nothing more; a unit under way is finished within the grace, else given back. */
  async close(): Promise<void> {
    clearInterval(this.#looking);
    const { graceMs } = this.options;
    const grace = setTimeout(() => this.#stop.abort(), graceMs);
    // Without Redis a unit can neither be handed in nor be given back: it counts as lost there, and is given out again.
    const late = new Promise((resolve) => setTimeout(resolve, graceMs + 5000).unref());
    await Promise.race([this.#worker.close(), late]);
    clearTimeout(grace);
    await this.#link.close();
  }

  async #unit(
    job: Job<UnitTask, UnitAnswer>,
    token: string | undefined,
    lost: AbortSignal | undefined,
  ): Promise<UnitAnswer> {
    const signal = lost === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, lost]);
    try {
      const answer = await this.options.search(job.data, signal);
      this.#say('');
      return answer;
    } catch (error) {
      if (this.#stop.signal.aborted) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (error instanceof Unreachable) return this.#giveBack(job, token, error);
      throw new Error(faultText(faultOf(error)));
    }
  }

  /** Leaves a unit to a machine that reaches its image. */
  async #giveBack(
    job: Job<UnitTask, UnitAnswer>,
    token: string | undefined,
    { fault }: Unreachable,
  ): Promise<never> {
    this.options.log(`${fault.name}: ${fault.message}; its unit is left to another worker`);
    this.#say(fault.message);
    const returned = job.data.returned + 1;
    if (returned >= MOST_RETURNS) throw new UnrecoverableError(faultText(fault));
    await job.updateData({ ...job.data, returned });
    await job.moveToDelayed(Date.now() + 1000, token);
    if (!this.#worker.isPaused()) {
      void this.#worker.pause(true);
      setTimeout(() => void this.#worker.resume(), STANDS_BACK).unref();
    }
    throw new DelayedError();
  }

  #say(trouble: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#link.renew();
  }

  async #lookForServers(): Promise<void> {
    for (const line of refusals(this.options.kind, await this.#link.present('server'))) {
      if (this.#told.has(line)) continue;
      this.#told.add(line);
      this.options.log(line);
    }
  }
}

function faultOf(error: unknown): JobError {
  const where = `${hostname()}: `;
  if (isBridgeError(error)) return { name: error.errorName, message: `${where}${error.message}` };
  return {
    name: 'InternalError',
    message: `${where}${error instanceof Error ? error.message : String(error)}`,
  };
}
