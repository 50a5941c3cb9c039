import type { Log } from '../log';
import { BridgeError, isBridgeError } from '../errors';
import type { Device, EngineStatus } from './engine';
import { EngineHandle } from './engineHandle';

/** Before restart n of a crash loop it waits 0, 1, 3, 7, … times this, ms, up to the limit. */
const BACKOFF_STEP = 250;
const BACKOFF_LIMIT = 30_000;
/** From this many crashes without a finished run on, requests are answered with the crash instead of waiting. */
const CRASH_LOOP = 4;

export interface ProcessSettings {
  readonly device: Device;
  readonly threads: number;
  readonly spinning: boolean;
}

/** Keeps one engine process alive: starts it, restarts it after a crash or an interrupted run, backs off when it keeps crashing. */
export class EngineSupervisor {
  readonly #settings: ProcessSettings;
  readonly #log: Log;
  readonly #onEnd: () => void;
  /** Devices an earlier process died on. */
  readonly #excluded: Record<string, string> = {};
  #device: EngineStatus['device'];
  #handle: EngineHandle | undefined;
  #ready: Promise<EngineHandle>;
  #state: EngineStatus['state'] = 'starting';
  #restarts = 0;
  #crashes = 0;
  #lastEnd: string | undefined;
  #lastCrash: BridgeError | undefined;
  #interrupted = false;
  #wake: (() => void) | undefined;

  /** @param onEnd called each time the process ended, before its open question is rejected */
  constructor(settings: ProcessSettings, log: Log, onEnd: () => void) {
    this.#settings = settings;
    this.#log = log;
    this.#onEnd = onEnd;
    this.#device = { requested: settings.device, used: 'cpu', tried: [] };
    this.#ready = this.#start(0);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** The first process that gets ready. @throws BridgeError when none does. */
  async started(): Promise<void> {
    for (;;) {
      try {
        await this.#ready;
        return;
      } catch (error) {
        // A device that kills the process is left out of the next attempt.
        if (!isBridgeError(error) || error.errorName !== 'EngineCrashed' || this.#crashes >= CRASH_LOOP)
          throw error;
      }
    }
  }

  /** The process to ask. @throws BridgeError `EngineCrashed` in a crash loop. */
  async ready(): Promise<EngineHandle> {
    if (this.closed) throw engineClosed();
    if (this.#state === 'backing-off' && this.#crashes >= CRASH_LOOP) {
      throw new BridgeError('EngineCrashed', `the engine process crashed ${this.#crashes} times in a row`, {
        ...this.#lastCrash?.data,
        hint: 'it is tried again at growing intervals; `output` is the last thing it said',
        retryable: true,
      });
    }
    const handle = await this.#ready;
    if (!handle.killed) return handle;
    await handle.ended;
    return this.ready();
  }

  /** A run finished: what came before is no crash loop. */
  healthy(): void {
    this.#crashes = 0;
  }

  /** Kills a process that is in the middle of a question; a new one starts. Not counted as a crash. */
  interrupt(): void {
    if (this.#handle?.busy !== true || this.#state !== 'ready') return;
    this.#interrupted = true;
    this.#handle.kill();
  }

  status(): Omit<EngineStatus, 'models' | 'residentBytes' | 'queue'> {
    return {
      state: this.#state,
      pid: this.#handle?.pid,
      restarts: this.#restarts,
      crashes: this.#crashes,
      ...(this.#lastEnd === undefined ? {} : { lastEnd: this.#lastEnd }),
      device: this.#device,
      rssBytes: this.#handle?.rssBytes ?? 0,
    };
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#wake?.();
    this.#handle?.kill();
    await this.#handle?.ended;
    await this.#ready.catch(() => undefined);
  }

  /** A new process after `delay` ms. When it dies before it is ready, `#ended` has the next attempt under way. */
  async #start(delay: number): Promise<EngineHandle> {
    if (delay > 0) await this.#pause(delay);
    if (this.closed) throw engineClosed();
    this.#state = 'starting';
    const handle = new EngineHandle((ended, how) => this.#ended(ended, how));
    this.#handle = handle;
    try {
      const choice = await handle.ask<'start'>({
        kind: 'start',
        excluded: this.#excluded,
        ...this.#settings,
      });
      this.#report(choice);
      this.#state = 'ready';
      return handle;
    } catch (error) {
      if (isBridgeError(error)) this.#lastCrash = error;
      throw this.closed ? engineClosed() : error;
    }
  }

  #report(choice: Omit<EngineStatus['device'], 'requested'>): void {
    if (this.#device.tried.length === 0) {
      for (const { device, ok, reason = '' } of choice.tried) {
        if (!ok) this.#log(`device ${device} does not work: ${reason.split('\n')[0]}`);
      }
    }
    this.#device = { requested: this.#settings.device, ...choice };
  }

  #ended(handle: EngineHandle, how: string): void {
    this.#lastEnd = how;
    this.#onEnd();
    if (this.closed) return;
    if (handle.trying !== undefined)
      this.#excluded[handle.trying] = `the engine process died trying it (${how})`;
    if (!this.#interrupted) {
      this.#crashes += 1;
      this.#log(`the engine process ended (${how}), crash ${this.#crashes} since the last finished run`);
    }
    this.#interrupted = false;
    this.#restarts += 1;
    const delay = Math.min(BACKOFF_LIMIT, BACKOFF_STEP * Math.max(0, 2 ** (this.#crashes - 1) - 1));
    this.#state = delay > 0 ? 'backing-off' : 'starting';
    this.#ready = this.#start(delay);
    // Whoever asks next waits on it; with nobody waiting, a failed start is no unhandled rejection.
    this.#ready.catch(() => undefined);
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The answer to whatever asks after `close`. */
export function engineClosed(): BridgeError {
  return new BridgeError('ShuttingDown', 'the engine is closed: the server is shutting down');
}
