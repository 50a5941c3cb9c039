import type { JobOptions } from '../../engine/engine';
import type { SeenTile } from '../../segmentation/answering/nucleusLooks';
import type { Spaces, Tile } from '../../segmentation/coordinates';
import type { Point } from '../../segmentation/geometry';
import type { RgbImage } from '../../segmentation/preprocess';
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
  /** Tiles that nuclei may still have to be read from. */
  readonly #seen = new Map<string, { encoded?: CachedTile; pixels?: RgbImage }>();
  readonly #examples = new Map<string, Promise<ExampleTile>>();

  constructor(readonly parts: EncodedImageParts) {}

  get spaces(): Spaces {
    return this.parts.spaces;
  }

  /** The tile in which a point of model space lies most centrally. */
  homeTile(point: Point): Tile {
    return homeTile(this.spaces, this.parts.model.manifest.tileSize, TILE_OVERLAP, point);
  }

  /** A tile's embedding and maps; tried again when the engine ended under it. @throws BridgeError of the image service, the engine or the model */
  async encode(tile: Tile): Promise<CachedTile> {
    const encoded = await retryOnce(() => this.#encode(tile), this.parts.job.signal);
    this.#seenOf(tile).encoded = encoded;
    return encoded;
  }

  /** A tile's embedding and pixels, those that were read to encode it while it is not forgotten. @throws as `encode` */
  async see(tile: Tile): Promise<SeenTile> {
    const { encoded, pixels } = this.#seenOf(tile);
    const { embedding } = (encoded ?? (await this.encode(tile))).tile;
    return { tile, embedding, pixels: pixels ?? (await this.#read(tile)) };
  }

  /** Lets go of what is held of a tile. */
  forget(tile: Tile): void {
    this.#seen.delete(tile.key);
  }

  /** The tile in which a point of model space lies most centrally, split into nuclei once. @throws as `encode` */
  exampleTileAt(point: Point): Promise<ExampleTile> {
    const { manifest, instances } = this.parts.model;
    const tile = this.homeTile(point);
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
    const read = () => this.#read(tile);
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

  async #read(tile: Tile): Promise<RgbImage> {
    const { image, spaces, job } = this.parts;
    const pixels = await readTile(image, spaces, tile, job.signal);
    this.#seenOf(tile).pixels = pixels;
    return pixels;
  }

  #seenOf({ key }: Tile): { encoded?: CachedTile; pixels?: RgbImage } {
    let seen = this.#seen.get(key);
    if (seen === undefined) this.#seen.set(key, (seen = {}));
    return seen;
  }
}
