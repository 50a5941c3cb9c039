import type { SearchExtent, SearchFilters } from '../search/searchRequest';
import type { Warning } from '../warning';

/** Results are for colleagues too; what the user forbids by umask stays forbidden. */
export const RESULT_MODE = 0o666;

/** `stopped`: by a fault that would meet every image (a full disk), or the end of the server; taken up by resuming. */
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'stopped';

/** An image of a job, as it was asked for. */
export interface JobImage {
  readonly path: string;
  /** File name of its results, without an ending. */
  readonly name: string;
  /** Where to look; the whole image when absent. */
  readonly extent?: SearchExtent | undefined;
  /** In place of the image's own, µm/px. */
  readonly pixelSizeMicrons?: number | undefined;
}

/** An intent as it was when the job was made. */
export interface PinnedIntent {
  readonly intentId: string;
  readonly name: string;
  readonly color: readonly [number, number, number];
  /** Of its document in the job's folder. */
  readonly sha256: string;
  readonly round: number;
}

/** Everything that makes a job's result; it never changes. */
export interface JobDocument {
  /** Of this program. */
  readonly version: string;
  readonly modelId: string;
  readonly intents: readonly PinnedIntent[];
  readonly images: readonly JobImage[];
  readonly outputFolder: string;
  readonly filters: SearchFilters;
  /** Search tissue alone, found on a small level. */
  readonly tissue: boolean;
  /** A GeoParquet file beside each GeoJSON. */
  readonly geoParquet?: boolean | undefined;
}

/** How one image is cut into units; lengths in full-resolution px. */
export interface ImagePlan {
  readonly width: number;
  readonly height: number;
  readonly pixelSizeMicrons: number;
  /** Same content, same stamp: units of another content are not kept. */
  readonly stamp: string;
  /** Of the extent, or of the tissue in it, mm². */
  readonly areaMm2: number;
  readonly warnings: readonly Warning[];
}

/** What a unit found. */
export interface UnitOutcome {
  readonly objects: number;
  /** Searched, mm². */
  readonly areaMm2: number;
  readonly seconds: number;
  /** Of the unit's file. */
  readonly sha256: string;
  /** Its file lies beside the results, where other machines see it, not in the state folder. */
  readonly shared?: boolean | undefined;
}

/** What was found of one class in one image. */
export interface ClassFigures {
  readonly name: string;
  readonly count: number;
  readonly meanScore: number;
  /** µm² */
  readonly meanArea: number;
  /** Per mm² of the searched area. */
  readonly density: number;
}

/** What an image came to. */
export interface ImageOutcome {
  readonly file: string;
  readonly objects: number;
  readonly areaMm2: number;
  readonly classes: readonly ClassFigures[];
  readonly failedUnits: number;
}
