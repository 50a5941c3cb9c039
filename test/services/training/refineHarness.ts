import { readFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createEngineClient } from '../../../src/engine/engineClient';
import type { Engine } from '../../../src/engine/engine';
import { Checkpoints } from '../../../src/services/intents/checkpoints';
import { EmbeddingCache } from '../../../src/services/embeddings/embeddingCache';
import { Intents } from '../../../src/services/intents/intents';
import { Judgements } from '../../../src/services/intents/judgements';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { Republisher, type ObjectChanges } from '../../../src/services/verbs/republish';
import { Search, type SearchOutcome } from '../../../src/services/search/search';
import { SearchResults } from '../../../src/services/search/searchResult';
import type { SearchImage } from '../../../src/services/search/tilePixels';
import { Trainer } from '../../../src/services/training/trainer';
import { openStore, type Store } from '../../../src/store/store';
import { TEST_DEVICE } from '../../support/testDevice';

export const MODEL_FOLDER = resolve(__dirname, '../../../models/sampo-tiny');

/** The services of a refinement over one image, wired as the server wires them. */
export class Bench {
  readonly folder: string;
  readonly published: ObjectChanges[] = [];
  readonly results = new SearchResults();
  store!: Store;
  model!: NucleusModel;
  intents!: Intents;
  judgements!: Judgements;
  checkpoints!: Checkpoints;
  search!: Search;
  trainer!: Trainer;
  republisher!: Republisher;

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
    const { database } = this.store;
    const { engine, image, results } = this;
    const model = new NucleusModel(engine, MODEL_FOLDER);
    const cache = new EmbeddingCache();
    this.model = model;
    this.judgements = new Judgements(database);
    this.intents = new Intents(database, model.id, (id) => this.judgements.count(id));
    this.checkpoints = new Checkpoints(database, engine, model, this.folder);
    this.search = new Search(model, cache);
    const { intents, judgements, checkpoints, search } = this;
    this.trainer = new Trainer({
      engine,
      model,
      cache,
      intents,
      judgements,
      checkpoints,
      version: 'test',
      image: (uri) => (uri === image.uri ? image : undefined),
    });
    this.republisher = new Republisher({
      search,
      results,
      intents,
      checkpoints,
      judgements,
      image: () => image,
      log: () => undefined,
      publish: (_, changes) => this.published.push(changes),
    });
  }

  /** What segment/prompt does. */
  async prompt(intentId: string, at: readonly { x: number; y: number }[]): Promise<SearchOutcome> {
    const intent = await this.checkpoints.apply(this.intents.forSearch(intentId));
    const clicks = at.map(({ x, y }) => ({ x, y, positive: true }));
    const outcome = await this.search.run({
      image: this.image,
      prompts: [{ intent, clicks, boxes: [], objects: [] }],
      extent: { type: 'image' },
    });
    this.results.keep('me', outcome.result);
    this.intents.remember(intentId, this.image.uri, outcome.learned[0] ?? []);
    return outcome;
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
