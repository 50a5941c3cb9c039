import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BridgeError } from '../../../src/errors';
import { Batch } from '../../../src/services/batch/batch';
import { JobStore } from '../../../src/services/batch/jobStore';
import { EmbeddingCache } from '../../../src/services/embeddings/embeddingCache';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { Search } from '../../../src/services/search/search';
import type { SearchExtent } from '../../../src/services/search/searchRequest';
import type { SearchImage } from '../../../src/services/search/tilePixels';
import { assembleProduct, type Product } from '../../../src/services/verbs/product';
import { openStore, type Store } from '../../../src/store/store';
import { makeTissue } from '../../segmentation/tissue';
import { fakeEngine, MODEL_FOLDER, tissueImage, type FakeEngine } from '../fakeEngine';
import { clicksOn } from '../search/asking';

/** Small units: an image has several. */
const UNIT_SIDE = 230;

/** A server's batch over images in memory, on a state folder that a later one can take over. */
export class BatchHarness {
  readonly folder = mkdtempSync(join(tmpdir(), 'sampo-batch-'));
  readonly images = new Map<string, SearchImage>();
  readonly tissue = makeTissue({ width: 620, height: 440 }, 5, 0.0011);
  engine!: FakeEngine;
  model!: NucleusModel;
  product!: Product;
  batch!: Batch;
  /** Called before an image is opened; may throw. */
  beforeOpen: (path: string) => void = () => undefined;
  #store!: Store;

  constructor() {
    this.images.set('/slides/a.tif', { ...tissueImage(this.tissue), uri: '/slides/a.tif', key: 'a' });
    const other = makeTissue({ width: 400, height: 300 }, 7, 0.0011);
    this.images.set('/slides/b.tif', { ...tissueImage(other), uri: '/slides/b.tif', key: 'b' });
    this.restart();
  }

  get out(): string {
    return join(this.folder, 'out');
  }

  /** Another server on the same state folder; the earlier one must be closed. */
  restart(): void {
    this.#store = openStore(join(this.folder, 'state'));
    this.engine = fakeEngine();
    this.model = new NucleusModel(this.engine, MODEL_FOLDER);
    const { database } = this.#store;
    this.product = assembleProduct({
      engine: this.engine,
      model: this.model,
      cache: new EmbeddingCache(),
      database,
      stateFolder: join(this.folder, 'state'),
      version: 'test',
      image: () => {
        throw new BridgeError('ImageNotOpen', 'not used');
      },
      openImage: () => undefined,
    });
    this.batch = new Batch({
      jobs: new JobStore(database),
      folder: join(this.folder, 'state', 'batch'),
      model: this.model,
      checkpoints: this.product.checkpoints,
      intents: this.product.intents,
      exportIntent: (intentId) => this.product.intentTransfer.export(intentId),
      open: async (_jobId, { path }) => {
        this.beforeOpen(path);
        const image = this.images.get(path);
        if (image === undefined) throw new BridgeError('FileNotFound', `there is no file ${path}`);
        return { image, stamp: image.key!, warnings: [], close: () => undefined };
      },
      encodePng: async ({ width, height }) => Buffer.from(`${width} x ${height}`),
      version: 'test',
      log: () => undefined,
      unitSide: UNIT_SIDE,
      backOffMs: 1,
    });
  }

  /** Ends the server in good order. */
  async stop(): Promise<void> {
    await this.batch.close();
    this.#store.close();
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An intent that has learned from clicks on nuclei of a parity in the first image. */
  async intent(name: string, parity: 0 | 1): Promise<string> {
    return this.intentOf(this.images.get('/slides/a.tif')!, name, parity);
  }

  /** The same, taught in an image that need not be among those of a job. */
  async intentOf(image: SearchImage, name: string, parity: 0 | 1): Promise<string> {
    const { intentId } = this.product.intents.create(name);
    await this.product.findAll.run({
      sessionId: 'me',
      model: this.model,
      image: { ...image, imageId: 'taught', uri: 'taught' },
      shown: [{ intentId, clicks: clicksOn(this.tissue, parity, 3) }],
      extent: { type: 'image' },
    });
    return intentId;
  }

  /** Ids of what one search of the whole image finds. */
  async wholeSearch(path: string, intentIds: readonly string[]): Promise<Map<string, string>> {
    return this.searchIn(path, intentIds, { type: 'image' });
  }

  /** Ids of what one search of a part of it finds. */
  async searchIn(
    path: string,
    intentIds: readonly string[],
    extent: SearchExtent,
  ): Promise<Map<string, string>> {
    const image = this.images.get(path)!;
    const search = new Search(this.model, new EmbeddingCache());
    const { featureCollection } = await search.run({
      image,
      prompts: intentIds.map((id) => ({
        intent: this.product.intents.forSearch(id),
        clicks: [],
        boxes: [],
        objects: [],
      })),
      extent,
    });
    return new Map(
      featureCollection.features.map((feature) => [String(feature.id), JSON.stringify(feature)]),
    );
  }

  /** A result's features by id, each as JSON. */
  result(name: string): Map<string, string> {
    const { features } = JSON.parse(this.text(`${name}.geojson`)) as { features: { id: string }[] };
    expect(new Set(features.map(({ id }) => id)).size).toBe(features.length);
    return new Map(features.map((feature) => [feature.id, JSON.stringify(feature)]));
  }

  text(file: string): string {
    return readFileSync(join(this.out, file), 'utf8');
  }
}
