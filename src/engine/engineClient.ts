import { SILENT, type Log } from '../log';
import { availableParallelism } from 'node:os';
import { bounded, cancelled, throwIfAborted } from '../abort';
import { BridgeError } from '../errors';
import type { Tensor } from '../tensor';
import { parseDevice } from './devices';
import type { Engine, EngineStatus, Feed, JobOptions, LoadedModel, ModelSource, RunOptions } from './engine';
import type { EngineHandle } from './engineHandle';
import { EngineSupervisor, engineClosed } from './engineSupervisor';
import { RunQueue } from './runQueue';

export interface EngineOptions {
  /** `auto` when absent; anything that is not a device's name is refused. */
  readonly device?: string | undefined;
  /** Threads of one operator; the number of cores when absent. More than that made runs twice as slow. */
  readonly threads?: number | undefined;
  /**
   * Threads wait by spinning: a tenth faster for one session alone, and half as fast for two in turn, whose threads take each
   * other's cores (docs/decisions/0046). False when absent.
   */
  readonly spinning?: boolean;
  /** Hears of each crash and fall-back; what the process prints is kept for its last words (`EngineCrashed`, data.output). */
  readonly log?: Log | undefined;
}

/** A running job that was cancelled may still finish for this long, ms; then its process is killed. */
const CANCEL_GRACE = 300;

interface Model {
  readonly source: ModelSource;
  readonly loaded: LoadedModel;
}

interface Resident {
  /** Absent for a kept output: only the process has it. */
  readonly tensor?: Tensor;
  readonly bytes: number;
}

/**
 * Starts the engine process and resolves once it has chosen its device.
 * @throws BridgeError `DeviceUnavailable`, or `EngineCrashed` when the process cannot start at all.
 */
export async function createEngineClient(options: EngineOptions = {}): Promise<Engine> {
  const log = options.log ?? SILENT;
  const settings = {
    device: parseDevice(options.device ?? 'auto'),
    threads: options.threads ?? availableParallelism(),
    spinning: options.spinning ?? false,
  };
  // Kept outputs go with the process that had them.
  const supervisor = new EngineSupervisor(settings, log, () => client.forgetKept());
  const client = new EngineClient(supervisor, log);
  try {
    await supervisor.started();
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

/** The `Engine` over a supervised process: knows the models and tensors, and gives each new process what a job needs. */
class EngineClient implements Engine {
  readonly #supervisor: EngineSupervisor;
  readonly #log: Log;
  readonly #queue = new RunQueue();
  readonly #models = new Map<string, Model>();
  readonly #residents = new Map<string, Resident>();

  constructor(supervisor: EngineSupervisor, log: Log) {
    this.#supervisor = supervisor;
    this.#log = log;
  }

  load(id: string, source: ModelSource, options: JobOptions = {}): Promise<LoadedModel> {
    return this.#job(options, async (handle) => {
      const loaded = await this.#load(handle, id, source);
      this.#models.set(id, { source, loaded });
      return loaded;
    });
  }

  run(
    id: string,
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions = {},
  ): Promise<Record<string, Tensor>> {
    return this.#job(options, async (handle) => {
      const model = this.#models.get(id);
      if (model === undefined) {
        throw new BridgeError('ModelNotFound', `the model "${id}" is not loaded`, { model: id });
      }
      if (!handle.models.has(id)) await this.#load(handle, id, model.source);
      for (const feed of Object.values(feeds)) {
        if ('resident' in feed) await this.#provide(handle, feed.resident);
      }
      const { fetch, keep = {} } = options;
      const question = {
        kind: 'run',
        model: id,
        feeds,
        keep,
        ...(fetch === undefined ? {} : { fetch }),
      } as const;
      const { outputs, kept } = await handle.ask<'run'>(question);
      for (const [name, bytes] of Object.entries(kept)) {
        handle.residents.add(name);
        this.#residents.set(name, { bytes });
      }
      this.#supervisor.healthy();
      return outputs;
    });
  }

  release(id: string): Promise<void> {
    return this.#job({}, async (handle) => {
      this.#models.delete(id);
      if (handle.models.delete(id)) await handle.ask<'release'>({ kind: 'release', model: id });
    });
  }

  setResident(name: string, tensor: Tensor): Promise<void> {
    return this.#job({}, async (handle) => {
      await handle.ask<'setResident'>({ kind: 'setResident', name, tensor });
      handle.residents.add(name);
      this.#residents.set(name, { tensor, bytes: tensor.data.byteLength });
    });
  }

  getResident(name: string): Promise<Tensor> {
    return this.#job({}, async (handle) => {
      await this.#provide(handle, name);
      return handle.ask<'getResident'>({ kind: 'getResident', name });
    });
  }

  dropResident(name: string): Promise<void> {
    return this.#job({}, async (handle) => {
      this.#residents.delete(name);
      if (handle.residents.delete(name)) await handle.ask<'dropResident'>({ kind: 'dropResident', name });
    });
  }

  async status(): Promise<EngineStatus> {
    return {
      ...this.#supervisor.status(),
      models: [...this.#models.keys()],
      residentBytes: [...this.#residents.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      queue: this.#queue.counts(),
    };
  }

  async close(): Promise<void> {
    if (this.#supervisor.closed) return;
    const closing = this.#supervisor.close();
    this.#queue.clear(engineClosed());
    await closing;
  }

  /** Drops the names of tensors that only the ended process had. */
  forgetKept(): void {
    for (const [name, { tensor }] of this.#residents) if (tensor === undefined) this.#residents.delete(name);
  }

  /** A job in its turn, on a ready process, with the cancel rule of `JobOptions.signal`. */
  #job<T>(options: JobOptions, work: (handle: EngineHandle) => Promise<T>): Promise<T> {
    if (this.#supervisor.closed) return Promise.reject(engineClosed());
    const { priority = 'interactive', signal } = options;
    const onReady = async () => {
      const handle = await this.#supervisor.ready();
      throwIfAborted(signal);
      return work(handle);
    };
    return this.#queue.submit(priority, () => this.#interruptible(signal, onReady), signal);
  }

  /** `work`, which after an abort has `CANCEL_GRACE` to end before its process is killed. */
  async #interruptible<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const onGivenUp = () => this.#supervisor.interrupt();
    try {
      const result = await bounded({ signal, graceMs: CANCEL_GRACE, onGivenUp }, work);
      throwIfAborted(signal);
      return result;
    } catch (error) {
      if (this.#supervisor.closed) throw engineClosed();
      throw signal?.aborted === true ? cancelled() : error;
    }
  }

  async #load(handle: EngineHandle, id: string, { model }: ModelSource): Promise<LoadedModel> {
    const spec = await handle.ask<'load'>({ kind: 'load', model: id, source: model });
    handle.models.add(id);
    if (spec.fallbackReason !== undefined) {
      this.#log(`the model "${id}" runs on cpu: ${spec.fallbackReason}`);
    }
    return { id, ...spec };
  }

  /** Puts a tensor given by value into a process that does not hold it yet; a kept output cannot be brought back. */
  async #provide(handle: EngineHandle, name: string): Promise<void> {
    const tensor = this.#residents.get(name)?.tensor;
    if (handle.residents.has(name) || tensor === undefined) return;
    await handle.ask<'setResident'>({ kind: 'setResident', name, tensor });
    handle.residents.add(name);
  }
}
