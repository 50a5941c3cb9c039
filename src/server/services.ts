import type { DeviceReport, Limits } from '../protocol/types.gen';
import type { Checkpoints } from '../services/intents/checkpoints';
import type { Graphs } from '../services/models/graphs';
import type { ImageRegistry } from '../services/images/images';
import type { Intents } from '../services/intents/intents';
import type { Judgements } from '../services/intents/judgements';
import type { Models } from '../services/models/models';
import type { NucleusModel } from '../services/models/nucleusModel';
import type { RgbPixels } from '../services/images/pixels';
import type { PromptableModel } from '../services/models/promptableModel';
import type { Republisher } from '../services/verbs/republish';
import type { Search } from '../services/search/search';
import type { SearchResults } from '../services/search/searchResult';
import type { Trainer } from '../services/training/trainer';

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
  readonly images: ImageRegistry;
  readonly intents: Intents;
  readonly judgements: Judgements;
  readonly checkpoints: Checkpoints;
  readonly trainer: Trainer;
  readonly republisher: Republisher;
  readonly model: NucleusModel;
  readonly models: Models;
  readonly results: SearchResults;
  readonly limits: Limits;
  readonly openrpc: object;
  readonly version: string;
  readonly startedAt: number;
  /** Methods that have a handler. */
  readonly available: readonly string[];
  /** How long a viewer may take to send pixels, ms. */
  readonly viewerTimeoutMs: number;
  /** A search with a model. */
  searchWith(model: PromptableModel): Search;
  encodePng(pixels: RgbPixels): Promise<Uint8Array>;
  /** The real path of a file in an allowed folder. @throws BridgeError PathNotAllowed, FileNotFound */
  allowedPath(path: string): Promise<string>;
  /** The same of a folder. @throws BridgeError PathNotAllowed, FileNotFound */
  allowedFolder(path: string): Promise<string>;
  engineReport(): Promise<{ engine: EngineReport; device: DeviceReport }>;
  clientCount(): number;
  /** Asks the process to end in an orderly way. */
  stop(): void;
}
