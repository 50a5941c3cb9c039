import type { Outline } from '../../segmentation/geometry';
import type { NucleusModel } from '../models/nucleusModel';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import { Search } from '../search/search';
import type { SearchFilters, SearchIntent } from '../search/searchRequest';
import type { SearchImage } from '../search/tilePixels';
import type { Warning } from '../warning';
import type { SharedImage } from './cluster/unitTask';
import type { UnitOutcome } from './job';
import type { StoredUnit } from './jobStore';
import { searchUnit, unitPath, writeUnit } from './unitSearch';

/** Units of this process under way at a time: while one waits for its last tiles, the other keeps the engine busy. */
const LANES = 2;
/** Times a unit is tried here before it is set aside. */
const ATTEMPTS = 3;

/** An image opened for a job. */
export interface OpenedImage {
  readonly image: SearchImage;
  /** The same for the same content. */
  readonly stamp: string;
  readonly warnings: readonly Warning[];
  /** How another machine opens it. */
  readonly elsewhere?: SharedImage | undefined;
  close(): void;
}

/** A unit that is to be searched. */
export interface WaitingUnit {
  readonly position: number;
  readonly unit: StoredUnit;
  readonly opened: OpenedImage;
  /** Used for the search, µm/px. */
  readonly pixelSizeMicrons: number;
  /** Only objects in it, image px; all of the unit's when absent. */
  readonly within: Outline | undefined;
  /** Searched, mm². */
  readonly areaMm2: number;
}

/** Who searches the units of a job: this process, or other machines. */
export interface UnitWork {
  /** Images under way at a time. */
  images(): number;
  /** Units of one image under way at a time. */
  lanes(): number;
  /** Times a unit is given out before it is set aside. */
  readonly attempts: number;
  /** The unit's objects are in its file when this returns. @throws BridgeError what searching the unit met, `RequestCancelled` */
  search(waiting: WaitingUnit, signal: AbortSignal): Promise<UnitOutcome>;
}

/** Searches units in this process's engine. */
export class OwnUnits implements UnitWork {
  readonly attempts = ATTEMPTS;
  readonly #search: Search;

  constructor(
    model: NucleusModel,
    cache: EmbeddingCache,
    private readonly asked: {
      readonly jobFolder: string;
      readonly intents: readonly SearchIntent[];
      readonly filters: SearchFilters;
    },
  ) {
    this.#search = new Search(model, cache);
  }

  images(): number {
    return 1;
  }

  lanes(): number {
    return LANES;
  }

  async search(
    { position, unit, opened, within, pixelSizeMicrons, areaMm2 }: WaitingUnit,
    signal: AbortSignal,
  ): Promise<UnitOutcome> {
    const { jobFolder, intents, filters } = this.asked;
    const start = performance.now();
    const features = await searchUnit(
      { search: this.#search, image: opened.image, intents, filters, within, pixelSizeMicrons, signal },
      unit,
    );
    const sha256 = await writeUnit(unitPath(jobFolder, position, unit.index), features);
    return { objects: features.length, areaMm2, seconds: (performance.now() - start) / 1000, sha256 };
  }
}
