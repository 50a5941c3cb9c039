import type { NucleusLooks } from '../../segmentation/answering/answerScores';
import { nucleusLooks, type SeenTile } from '../../segmentation/answering/nucleusLooks';
import type { Tile } from '../../segmentation/coordinates';
import type { Outline } from '../../segmentation/geometry';
import type { FoundObject } from '../../segmentation/stitch';
import type { EncodedImage } from './encodedImage';
import { canGoOn } from './searchFaults';

/** A nucleus with what it looks like. */
export interface LookedAt {
  readonly object: FoundObject;
  /** Absent when the tile that shows it most centrally could not be computed. */
  readonly looks: NucleusLooks | undefined;
}

/** Looks of nuclei by their outline, which a later search over the same tiles has again. */
export type KnownLooks = WeakMap<Outline, NucleusLooks>;

/**
 * Reads what nuclei look like, each from the one tile in which its highest pixel lies most centrally: the same tile in whatever
 * order tiles come and wherever the extent lies.
 */
export class NucleusReader {
  readonly #lost = new Set<string>();

  constructor(
    private readonly encoded: EncodedImage,
    private readonly known: KnownLooks,
  ) {}

  /** Says that a tile could not be computed: nothing is read from it. */
  lose({ key }: Tile): void {
    this.#lost.add(key);
  }

  /** @throws what ends a whole search; a tile that cannot be read again is lost */
  async look(objects: readonly FoundObject[]): Promise<LookedAt[]> {
    const { micronsPerPixel } = this.encoded.parts.model.manifest;
    const tiles = new Map<string, SeenTile>();
    const looked: LookedAt[] = [];
    for (const object of objects) {
      let looks = this.known.get(object.outline);
      const tile = this.encoded.homeTile(object.anchor);
      if (looks === undefined && !this.#lost.has(tile.key)) {
        const seen = tiles.get(tile.key) ?? (await this.#see(tile));
        if (seen !== undefined) {
          tiles.set(tile.key, seen);
          looks = nucleusLooks(object.outline, seen, micronsPerPixel);
          this.known.set(object.outline, looks);
        }
      }
      looked.push({ object, looks });
    }
    return looked;
  }

  async #see(tile: Tile): Promise<SeenTile | undefined> {
    try {
      return await this.encoded.see(tile);
    } catch (error) {
      if (!canGoOn(error)) throw error;
      this.lose(tile);
      return undefined;
    }
  }
}
