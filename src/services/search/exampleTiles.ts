import type { JobOptions } from '../../engine/engine';
import { relateSpaces, toModelSpace, type Spaces } from '../../segmentation/coordinates';
import type { Point } from '../../segmentation/geometry';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { PromptableModel } from '../models/promptableModel';
import { exampleTile, homeTile, placeClick, type ExampleTile } from './promptEmbedding';
import { retryOnce } from './retry';
import { TILE_OVERLAP } from './searchPlan';
import { TileEncoder } from './tileEncoder';
import type { SearchImage } from './tilePixels';

/** The tiles of one image that show its examples, each encoded and split once. */
export class ExampleTiles {
  readonly #tiles = new Map<string, Promise<ExampleTile>>();

  constructor(
    private readonly model: PromptableModel,
    private readonly encoder: TileEncoder,
    private readonly spaces: Spaces,
    private readonly job: JobOptions,
  ) {}

  /** The tile around a point of model space. @throws BridgeError of the image service, the engine or the model */
  at(point: Point): Promise<ExampleTile> {
    const { manifest, instances } = this.model;
    const tile = homeTile(this.spaces, manifest.tileSize, TILE_OVERLAP, point);
    let example = this.#tiles.get(tile.key);
    if (example === undefined) {
      example = retryOnce(() => this.encoder.encode(tile, this.job), this.job.signal).then((encoded) =>
        exampleTile(tile, encoded.tile, manifest.tileSize, instances),
      );
      this.#tiles.set(tile.key, example);
    }
    return example;
  }
}

/** Embeds places of images that are open but not searched, where a stored example names them. */
export class OpenExamples {
  readonly #images = new Map<string, { tiles: ExampleTiles; spaces: Spaces }>();

  /** @param openImage an open image of this uri */
  constructor(
    private readonly model: PromptableModel,
    private readonly cache: EmbeddingCache,
    private readonly job: JobOptions,
    private readonly openImage: (uri: string) => SearchImage | undefined,
  ) {}

  /** The feature at a place, full-resolution px; undefined when no open image holds it. @throws as `ExampleTiles.at` */
  async feature(uri: string, { x, y }: Point): Promise<Float32Array | undefined> {
    const image = this.openImage(uri);
    if (image === undefined || x >= image.width || y >= image.height || x < 0 || y < 0) return undefined;
    let known = this.#images.get(uri);
    if (known === undefined) {
      const { micronsPerPixel } = this.model.manifest;
      const spaces = relateSpaces(image, image.pixelSizeMicrons ?? micronsPerPixel, micronsPerPixel);
      const encoder = new TileEncoder(this.model, this.cache, image, spaces);
      known = { spaces, tiles: new ExampleTiles(this.model, encoder, spaces, this.job) };
      this.#images.set(uri, known);
    }
    const { spaces, tiles } = known;
    const home = await tiles.at(toModelSpace(spaces, { x, y }));
    return placeClick(home, spaces, { x, y }, true).feature;
  }
}
