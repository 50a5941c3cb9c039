import { join } from 'node:path';
import type { Engine } from '../engine/engine';
import { openStore } from '../store/store';
import { EmbeddingCache } from '../services/embeddings/embeddingCache';
import { NucleusModel } from '../services/models/nucleusModel';
import type { SearchResult } from '../services/search/searchResult';
import { memoryImage, type SearchImage } from '../services/search/tilePixels';
import type { RefineOutcome } from '../services/training/refinement';
import { assembleProduct } from '../services/verbs/product';
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

/** The one client of this product. */
const SESSION = 'benchmark';
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
  const cache = new EmbeddingCache({ memoryBytes: CACHE_BYTES });
  const open = new Map<string, SearchImage>();
  const { findAll, intents, intentTransfer, judgements, trainer } = assembleProduct({
    engine,
    model,
    cache,
    database: store.database,
    stateFolder,
    version: 'benchmark',
    image: (imageId) => open.get(imageId)!,
    openImage: (uri) => open.get(uri),
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
      const { result } = await findAll.run({
        sessionId: SESSION,
        model,
        image: imageOf(labelled),
        shown: [{ intentId, clicks: clicks.map(({ x, y, label }) => ({ x, y, positive: label === 1 })) }],
        extent: { type: 'image' },
      });
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
    end: (intentId) => intentTransfer.delete(intentId),
    close: async () => {
      await cache.close();
      store.close();
    },
  };
}
