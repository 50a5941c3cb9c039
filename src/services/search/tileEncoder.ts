import type { JobOptions } from '../../engine/engine';
import type { Spaces, Tile } from '../../segmentation/coordinates';
import { embeddingKey, type CachedTile, type EmbeddingCache } from '../embeddings/embeddingCache';
import type { PromptableModel } from '../models/promptableModel';
import { readTile, type SearchImage } from './tilePixels';

/** Encoded tiles of one image at one scale: from the cache, else read and encoded. */
export class TileEncoder {
  /** Keys of a viewer's tiles, found from their pixels once while the image is searched. */
  readonly #keys = new Map<string, string>();

  constructor(
    private readonly model: PromptableModel,
    private readonly cache: EmbeddingCache,
    private readonly image: SearchImage,
    private readonly spaces: Spaces,
  ) {}

  /** @throws BridgeError of the image service, the engine or the model */
  async encode(tile: Tile, options: JobOptions = {}): Promise<CachedTile> {
    const { image, spaces, model } = this;
    if (image.key !== undefined) {
      const place = `${tile.x},${tile.y},${tile.width},${tile.height}`;
      const key = embeddingKey(model.id, image.key, spaces.scale, place);
      return this.cache.get(key, async () =>
        model.encode(await readTile(image, spaces, tile, options.signal), options),
      );
    }
    const known = this.#keys.get(tile.key);
    if (known !== undefined)
      return this.cache.get(known, async () =>
        model.encode(await readTile(image, spaces, tile, options.signal), options),
      );
    const pixels = await readTile(image, spaces, tile, options.signal);
    const key = embeddingKey(model.id, pixels.width, pixels.height, pixels.data);
    this.#keys.set(tile.key, key);
    return this.cache.get(key, () => model.encode(pixels, options));
  }
}
