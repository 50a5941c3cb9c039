import { readFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createEngineClient } from '../../../src/engine/engineClient';
import type { Engine } from '../../../src/engine/engine';
import { EmbeddingCache } from '../../../src/services/embeddings/embeddingCache';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { assembleProduct, type Product } from '../../../src/services/verbs/product';
import type { ObjectChanges } from '../../../src/services/verbs/republish';
import type { SearchOutcome } from '../../../src/services/search/search';
import type { SearchImage } from '../../../src/services/search/tilePixels';
import { openStore, type Store } from '../../../src/store/store';
import { TEST_DEVICE } from '../../support/testDevice';

export const MODEL_FOLDER = resolve(__dirname, '../../../models/sampo-tiny');

/** The one client. */
const SESSION = 'me';

/** The services of a refinement over one image, wired as the server wires them. */
export class Bench {
  readonly folder: string;
  readonly published: ObjectChanges[] = [];
  store!: Store;
  model!: NucleusModel;
  product!: Product;

  get intents(): Product['intents'] {
    return this.product.intents;
  }

  get judgements(): Product['judgements'] {
    return this.product.judgements;
  }

  get checkpoints(): Product['checkpoints'] {
    return this.product.checkpoints;
  }

  get results(): Product['results'] {
    return this.product.results;
  }

  get trainer(): Product['trainer'] {
    return this.product.trainer;
  }

  get republisher(): Product['republisher'] {
    return this.product.republisher;
  }

  private constructor(
    readonly engine: Engine,
    readonly image: SearchImage,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'sampo-refine-'));
  }

  static async open(image: SearchImage): Promise<Bench> {
    const bench = new Bench(await createEngineClient({ device: TEST_DEVICE, threads: 2 }), image);
    bench.restart();
    return bench;
  }

  /** As if the server had been started again on the same state folder. */
  restart(): void {
    if (this.store) this.store.close();
    this.store = openStore(this.folder);
    const { image } = this;
    this.model = new NucleusModel(this.engine, MODEL_FOLDER);
    this.product = assembleProduct({
      engine: this.engine,
      model: this.model,
      cache: new EmbeddingCache(),
      database: this.store.database,
      stateFolder: this.folder,
      version: 'test',
      image: () => image,
      openImage: (uri) => (uri === image.uri ? image : undefined),
      publish: (_, changes) => this.published.push(changes),
    });
  }

  /** Segments with clicks, as a client does. */
  prompt(intentId: string, at: readonly { x: number; y: number }[]): Promise<SearchOutcome> {
    return this.product.findAll.run({
      sessionId: SESSION,
      model: this.model,
      image: this.image,
      shown: [{ intentId, clicks: at.map(({ x, y }) => ({ x, y, positive: true })) }],
      extent: { type: 'image' },
    });
  }

  async close(): Promise<void> {
    this.store.close();
    await this.engine.close();
  }
}

/** A labelled point of the bundled tiles. */
export interface LabelledPoint {
  readonly x: number;
  readonly y: number;
  readonly class: string;
}

/** Labelled points beside a bundled picture. */
export function labelledPoints(path: string): LabelledPoint[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as { points: LabelledPoint[] }).points;
}
