import { join } from 'node:path';
import type { Engine } from '../engine/engine';
import { openStore } from '../store/store';
import { Checkpoints } from '../services/intents/checkpoints';
import { EmbeddingCache } from '../services/embeddings/embeddingCache';
import { Intents } from '../services/intents/intents';
import { Judgements } from '../services/intents/judgements';
import { NucleusModel } from '../services/models/nucleusModel';
import { Search } from '../services/search/search';
import type { SearchResult } from '../services/search/searchResult';
import { memoryImage, type SearchImage } from '../services/search/tilePixels';
import type { RefineOutcome } from '../services/training/refinement';
import { Trainer } from '../services/training/trainer';
import type { Click } from './clicks';
import type { LabelledImage } from '../services/labelled/dataset';
import type { ModelIdentity } from './intentPredictor';
import { identityOf } from './tinyPredictor';

/** How an intent learns from judgements; `examples` takes them as examples and trains nothing. */
export const FEEDBACK_METHODS = ['sampo', 'pixel-loss', 'examples'] as const;
export type FeedbackMethod = (typeof FEEDBACK_METHODS)[number];

/** One decision of the simulated user. */
export interface Verdict {
  readonly objectId: string;
  readonly wanted: boolean;
}

/** What the rounds of feedback ask of the product. */
export interface FeedbackProduct {
  readonly model: ModelIdentity;
  /** A new intent's id. */
  begin(name: string): string;
  /** Finds the intent's objects; clicks stay with the intent as its examples. */
  find(intentId: string, image: LabelledImage, clicks: readonly Click[]): Promise<SearchResult>;
  /** Stores judgements of objects of a result. */
  judge(intentId: string, result: SearchResult, verdicts: readonly Verdict[]): void;
  refine(intentId: string, method: FeedbackMethod, seed: number): Promise<RefineOutcome>;
  /** Forgets the intent and its versions. */
  end(intentId: string): Promise<void>;
  close(): Promise<void>;
}

/** How long a refinement may take; steps make a run repeatable, seconds do not. */
export interface RefineEffort {
  readonly steps?: number;
  readonly seconds?: number;
}

/** Embeddings kept in memory: about 340 tiles, so that the tiles of a split are encoded once. */
const CACHE_BYTES = 512 << 20;

/** The services behind `segment/prompt`, `review/next`, `preference/submit` and `training/start`, over a state folder of their own. */
export async function openFeedbackProduct(
  engine: Engine,
  modelFolder: string,
  stateFolder: string,
  effort: RefineEffort,
): Promise<FeedbackProduct> {
  const model = new NucleusModel(engine, modelFolder);
  await model.load();
  const store = openStore(join(stateFolder, 'state'));
  const { database } = store;
  const cache = new EmbeddingCache({ memoryBytes: CACHE_BYTES });
  const judgements = new Judgements(database);
  const intents = new Intents(database, model.id, (intentId) => judgements.count(intentId));
  const checkpoints = new Checkpoints(database, engine, model, stateFolder);
  const search = new Search(model, cache);
  const open = new Map<string, SearchImage>();
  const trainer = new Trainer({
    engine,
    model,
    cache,
    intents,
    judgements,
    checkpoints,
    version: 'benchmark',
    image: (uri) => open.get(uri),
  });
  const { micronsPerPixel } = model.manifest;
  const imageOf = ({ name, image }: LabelledImage): SearchImage => {
    const known = open.get(name);
    if (known) return known;
    const made = { ...memoryImage(image, { uri: name, pixelSizeMicrons: micronsPerPixel }), key: name };
    open.set(name, made);
    return made;
  };
  return {
    model: identityOf(model),
    begin: (name) => intents.create(name).intentId,
    async find(intentId, labelled, clicks) {
      const image = imageOf(labelled);
      const intent = await checkpoints.apply(intents.forSearch(intentId));
      const { result, learned } = await search.run({
        image,
        prompts: [
          {
            intent,
            clicks: clicks.map(({ x, y, label }) => ({ x, y, positive: label === 1 })),
            boxes: [],
            objects: [],
          },
        ],
        extent: { type: 'image' },
      });
      intents.remember(intentId, image.uri, learned[0] ?? []);
      return result;
    },
    judge(intentId, result, verdicts) {
      judgements.submit(
        { intentId, imageUri: result.setting.image.uri, scale: 1, results: [result] },
        verdicts.map(({ objectId, wanted }) => ({ kind: wanted ? 'accept' : 'reject', objectId })),
      );
    },
    refine: (intentId, method, seed) =>
      trainer.refine({
        intentId,
        seed,
        ...effort,
        ...(method === 'examples' && { steps: 0 }),
        objective: method === 'pixel-loss' ? 'pixel-loss' : 'sampo',
      }),
    async end(intentId) {
      await checkpoints.activate(intentId, null);
      for (const { checkpointId } of checkpoints.list(intentId))
        await checkpoints.delete(intentId, checkpointId);
      intents.delete(intentId);
    },
    close: async () => {
      await cache.close();
      store.close();
    },
  };
}
