import type { NucleusLooks } from '../../segmentation/answering/answerScores';
import { nucleusLooks, type SeenTile } from '../../segmentation/answering/nucleusLooks';
import type { Outline } from '../../segmentation/geometry';
import type { FoundObject } from '../../segmentation/stitch';
import type { EncodedImage } from './encodedImage';

/** A nucleus with what it looks like. */
export interface LookedAt {
  readonly object: FoundObject;
  readonly looks: NucleusLooks;
}

/** Looks of nuclei by their outline, which a later search over the same tiles has again. */
export type KnownLooks = WeakMap<Outline, NucleusLooks>;

/**
 * Reads what nuclei look like, each from the one tile in which its highest pixel lies most centrally: the same tile in whatever
 * order tiles come and wherever the extent lies.
 */
export class NucleusReader {
  constructor(
    private readonly encoded: EncodedImage,
    private readonly known: KnownLooks,
  ) {}

  /** @throws as `EncodedImage.encode` when a tile has to be read again */
  async look(objects: readonly FoundObject[]): Promise<LookedAt[]> {
    const { micronsPerPixel } = this.encoded.parts.model.manifest;
    const tiles = new Map<string, SeenTile>();
    const looked: LookedAt[] = [];
    for (const object of objects) {
      let looks = this.known.get(object.outline);
      if (looks === undefined) {
        const tile = this.encoded.homeTile(object.anchor);
        let seen = tiles.get(tile.key);
        if (seen === undefined) tiles.set(tile.key, (seen = await this.encoded.see(tile)));
        looks = nucleusLooks(object.outline, seen, micronsPerPixel);
        this.known.set(object.outline, looks);
      }
      looked.push({ object, looks });
    }
    return looked;
  }
}
