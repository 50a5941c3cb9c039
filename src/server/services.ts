import type { DeviceReport, Limits, RpcDiscoverResult } from '../protocol/types.gen';
import type { Batch } from '../services/batch/batch';
import type { UnitQueue } from '../services/batch/cluster/unitQueue';
import type { ImageRegistry } from '../services/images/images';
import type { RgbPixels } from '../services/images/pixels';
import type { Graphs } from '../services/models/graphs';
import type { Models } from '../services/models/models';
import type { Product } from '../services/verbs/product';
import type { Sessions } from './sessions';

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
export interface Services extends Product {
  readonly batch: Batch;
  /** Absent where batches are searched in this process. */
  readonly queue: Pick<UnitQueue, 'view'> | undefined;
  readonly sessions: Sessions;
  readonly graphs: Graphs;
  readonly images: ImageRegistry;
  readonly models: Models;
  readonly limits: Limits;
  readonly openrpc: RpcDiscoverResult;
  /** Folders whose images may be opened by path. */
  readonly roots: readonly string[];
  readonly version: string;
  readonly startedAt: number;
  /** How long a viewer may take to send pixels, ms. */
  readonly viewerTimeoutMs: number;
  encodePng(pixels: RgbPixels): Promise<Uint8Array>;
  /** The real path of a file in an allowed folder. @throws BridgeError PathNotAllowed, FileNotFound */
  allowedPath(path: string): Promise<string>;
  /** The same of a folder. @throws BridgeError PathNotAllowed, FileNotFound */
  allowedFolder(path: string): Promise<string>;
  /** A folder to write results into, which may not be there yet. @throws BridgeError PathNotAllowed */
  allowedOutput(path: string): Promise<string>;
  engineReport(): Promise<{ engine: EngineReport; device: DeviceReport }>;
  /** Asks the process to end in an orderly way. */
  stop(): void;
}
