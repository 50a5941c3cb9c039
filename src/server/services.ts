import type { DeviceReport, Limits } from '../protocol/types.gen';
import type { Graphs } from '../services/graphs';

/** What the server says of its engine. */
export interface EngineReport {
  readonly pid: number | null;
  readonly restarts: number;
  readonly rssBytes: number;
  readonly residentBytes: number;
  readonly models: string[];
  readonly queue: { readonly interactive: number; readonly training: number; readonly batch: number };
}

/** What the handlers may use: built once by the composition root. */
export interface Services {
  readonly graphs: Graphs;
  readonly limits: Limits;
  readonly openrpc: object;
  readonly version: string;
  readonly startedAt: number;
  /** Methods that have a handler. */
  readonly available: readonly string[];
  /** Folders whose files may be read by path. */
  readonly allowedPath: (path: string) => string;
  engineReport(): Promise<{ engine: EngineReport; device: DeviceReport }>;
  clientCount(): number;
  /** Asks the process to end in an orderly way. */
  stop(): void;
}
