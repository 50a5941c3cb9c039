import type { Tensor } from '../tensor';

/** Devices a user may ask for; `auto` tries the GPU providers of the platform and falls back to `cpu` with a reason. */
export const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type Device = (typeof DEVICES)[number];

/** Lower runs first: a click overtakes a train step, a train step overtakes a batch tile. */
export type Priority = 'interactive' | 'training' | 'batch';

/** A run's input: a tensor by value, or the name of a tensor resident in the engine. */
export type Feed = Tensor | { readonly resident: string };

export interface RunOptions {
  readonly priority?: Priority;
  readonly signal?: AbortSignal;
  /** Output names to return; all of them when absent. */
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
}

export interface EngineStatus {
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly device: {
    readonly requested: Device;
    readonly used: Device;
    readonly tried: readonly { device: Device; ok: boolean; reason?: string }[];
  };
  readonly models: readonly string[];
  readonly residentBytes: number;
  /** Resident set size of the engine process, bytes. */
  readonly rssBytes: number;
  readonly queue: Readonly<Record<Priority, number>>;
}

/**
 * Runs ONNX graphs in a process of its own. Every method rejects with `BridgeError` (`EngineCrashed`, `ModelInvalid`,
 * `OutOfMemory`, `DeviceUnavailable`, `RequestCancelled`, …).
 */
export interface Engine {
  load(id: string, source: ModelSource): Promise<LoadedModel>;
  run(
    id: string,
    feeds: Readonly<Record<string, Feed>>,
    options?: RunOptions,
  ): Promise<Record<string, Tensor>>;
  release(id: string): Promise<void>;
  /** Put a tensor into the engine under a name, to be fed as `{ resident: name }`. */
  setResident(name: string, tensor: Tensor): Promise<void>;
  getResident(name: string): Promise<Tensor>;
  dropResident(name: string): Promise<void>;
  status(): Promise<EngineStatus>;
  close(): Promise<void>;
}
