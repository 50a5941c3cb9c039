import type { JobOptions } from '../../engine/engine';
import type { Spaces, Tile } from '../../segmentation/coordinates';
import type { Point } from '../../segmentation/geometry';
import { embeddingKey, type CachedTile, type EmbeddingCache } from '../embeddings/embeddingCache';
import type { PromptableModel } from '../models/promptableModel';
import { exampleTile, homeTile, type ExampleTile } from './promptEmbedding';
import { retryOnce } from './retry';
import { TILE_OVERLAP } from './searchPlan';
import { readTile, type SearchImage } from './tilePixels';

/** An image as one model sees it at one scale, within one job. */
export interface EncodedImageParts {
  readonly model: PromptableModel;
  readonly cache: EmbeddingCache;
  readonly image: SearchImage;
  readonly spaces: Spaces;
  readonly job: JobOptions;
}

/** Encoded tiles of one image: from the cache, else read and encoded. */
export class EncodedImage {
  /** Keys of a viewer's tiles, found from their pixels once while the image is searched. */
  readonly #keys = new Map<string, string>();
  readonly #examples = new Map<string, Promise<ExampleTile>>();

  constructor(readonly parts: EncodedImageParts) {}

  get spaces(): Spaces {
    return this.parts.spaces;
  }

  /** A tile's embedding and maps; tried again when the engine ended under it. @throws BridgeError of the image service, the engine or the model */
  encode(tile: Tile): Promise<CachedTile> {
    return retryOnce(() => this.#encode(tile), this.parts.job.signal);
  }

  /** The tile in which a point of model space lies most centrally, split into nuclei once. @throws as `encode` */
  exampleTileAt(point: Point): Promise<ExampleTile> {
    const { manifest, instances } = this.parts.model;
    const tile = homeTile(this.spaces, manifest.tileSize, TILE_OVERLAP, point);
    let example = this.#examples.get(tile.key);
    if (example === undefined) {
      example = this.encode(tile).then((encoded) =>
        exampleTile(tile, encoded.tile, manifest.tileSize, instances),
      );
      this.#examples.set(tile.key, example);
    }
    return example;
  }

  async #encode(tile: Tile): Promise<CachedTile> {
    const { model, cache, image, spaces, job } = this.parts;
    const read = () => readTile(image, spaces, tile, job.signal);
    const place = `${tile.x},${tile.y},${tile.width},${tile.height}`;
    const key =
      image.key === undefined
        ? this.#keys.get(tile.key)
        : embeddingKey(model.id, image.key, spaces.scale, place);
    if (key !== undefined) return cache.get(key, async () => model.encode(await read(), job));
    const pixels = await read();
    const ofPixels = embeddingKey(model.id, pixels.width, pixels.height, pixels.data);
    this.#keys.set(tile.key, ofPixels);
    return cache.get(ofPixels, () => model.encode(pixels, job));
  }
}
