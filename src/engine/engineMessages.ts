import type { ErrorName } from '../errors';
import type { Tensor } from '../tensor';
import type { Device, Feed, TensorSpec } from './engine';

/** What the client asks of the engine process; one question is outstanding at a time. */
export type EngineQuestion =
  | {
      readonly kind: 'start';
      readonly device: Device;
      /** Devices that killed an earlier process while being tried → what happened. */
      readonly excluded: Readonly<Record<string, string>>;
      readonly threads: number;
      readonly spinning: boolean;
    }
  | { readonly kind: 'load'; readonly model: string; readonly source: string | Uint8Array }
  | {
      readonly kind: 'run';
      readonly model: string;
      readonly feeds: Readonly<Record<string, Feed>>;
      readonly fetch?: readonly string[];
      readonly keep: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'release'; readonly model: string }
  | { readonly kind: 'setResident'; readonly name: string; readonly tensor: Tensor }
  | { readonly kind: 'getResident'; readonly name: string }
  | { readonly kind: 'dropResident'; readonly name: string };

/** One device tried, in order; `reason` says why not. */
export interface DeviceTrial {
  readonly device: Device;
  readonly ok: boolean;
  readonly reason?: string;
}

/** The value of each answer, by the question's kind. */
export interface EngineAnswers {
  start: { readonly used: Device; readonly tried: readonly DeviceTrial[] };
  load: {
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
    readonly device: Device;
    /** Why this model runs on `cpu` although the engine's device is another one. */
    readonly fallbackReason?: string;
  };
  run: {
    readonly outputs: Record<string, Tensor>;
    /** Resident name → bytes, for the outputs kept. */
    readonly kept: Readonly<Record<string, number>>;
  };
  release: null;
  setResident: null;
  getResident: Tensor;
  dropResident: null;
}

/** What the engine process sends: an answer, or the device it is about to try (a crash then has a name). */
export type EngineReply =
  | { readonly kind: 'trying'; readonly device: Device }
  | { readonly kind: 'answer'; readonly rssBytes: number; readonly value: unknown }
  | {
      readonly kind: 'failure';
      readonly rssBytes: number;
      readonly errorName: ErrorName;
      readonly message: string;
      readonly data: Readonly<Record<string, unknown>>;
    };
