import type { Tensor } from '../tensor';

/** Devices a user may ask for; `auto` tries the GPU providers of the platform and falls back to `cpu` with a reason. */
export const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type Device = (typeof DEVICES)[number];

/** A click overtakes a train step, a train step overtakes a batch tile. */
export type Priority = 'interactive' | 'training' | 'batch';

/** A run's input: a tensor by value, or the name of a tensor resident in the engine. */
export type Feed = Tensor | { readonly resident: string };

export interface JobOptions {
  /** `interactive` when absent. */
  readonly priority?: Priority | undefined;
  /** Aborting answers with `RequestCancelled` within 0.5 s; a run that does not end by then costs an engine restart. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunOptions extends JobOptions {
  /** Output names to return; all that are not kept when absent. */
  readonly fetch?: readonly string[];
  /** Output name → resident name: keep this output inside the engine instead of sending it back. */
  readonly keep?: Readonly<Record<string, string>>;
}

export interface ModelSource {
  /** Path of an ONNX file, or its bytes. */
  readonly model: string | Uint8Array;
}

export interface TensorSpec {
  readonly name: string;
  readonly type: string;
  /** Static dimensions as numbers, symbolic ones as their name. */
  readonly dims: readonly (number | string)[];
}

export interface LoadedModel {
  readonly id: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly device: Device;
  /** Why this model runs on `cpu` although the engine's device is another one. */
  readonly fallbackReason?: string;
}

export interface EngineStatus {
  /** `starting` and `backing-off` (it crashed at every attempt) take requests too, and answer them late or with the crash. */
  readonly state: 'ready' | 'starting' | 'backing-off' | 'closed';
  readonly pid: number | undefined;
  /** Processes started after the first one, for a crash or a cancelled run. */
  readonly restarts: number;
  /** Crashes since the last answered run. */
  readonly crashes: number;
  /** How the last process ended; absent while the first one lives. */
  readonly lastEnd?: string;
  readonly device: {
    readonly requested: Device;
    readonly used: Device;
    readonly tried: readonly { device: Device; ok: boolean; reason?: string }[];
  };
  readonly models: readonly string[];
  /** Bytes of the named tensors. */
  readonly residentBytes: number;
  /** Resident set size of the engine process at its last answer, bytes. */
  readonly rssBytes: number;
  /** Jobs waiting; the running one is not counted. */
  readonly queue: Readonly<Record<Priority, number>>;
}

/**
 * Runs ONNX graphs in a process of its own, one job at a time. Every method rejects with `BridgeError`: `EngineCrashed`
 * (send it again), `ModelInvalid`, `ModelNotFound`, `ModelInputInvalid`, `ResidentMissing`, `InferenceFailed`, `OutOfMemory`,
 * `RequestCancelled`, `ShuttingDown`. Models and tensors given by value survive a restart of the process; kept outputs
 * do not, and feeding one then says `ResidentMissing`.
 */
export interface Engine {
  /** Loads a model under `id`, replacing the one that was there. */
  load(id: string, source: ModelSource, options?: JobOptions): Promise<LoadedModel>;
  run(
    id: string,
    feeds: Readonly<Record<string, Feed>>,
    options?: RunOptions,
  ): Promise<Record<string, Tensor>>;
  /** Forgets a model; unknown ids are no error. */
  release(id: string): Promise<void>;
  /** Puts a tensor into the engine under a name, to be fed as `{ resident: name }`. The array is referenced, not copied. */
  setResident(name: string, tensor: Tensor): Promise<void>;
  getResident(name: string): Promise<Tensor>;
  /** Forgets a tensor; unknown names are no error. */
  dropResident(name: string): Promise<void>;
  /** Never waits for the engine, so it answers while a run is going on. */
  status(): Promise<EngineStatus>;
  /** Ends the process; what waits is answered with `ShuttingDown`. */
  close(): Promise<void>;
}
