import type { Engine } from '../../engine/engine';
import { SILENT, type Log } from '../../log';
import type { Database } from '../../store/database';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import { Checkpoints } from '../intents/checkpoints';
import { Intents } from '../intents/intents';
import { Judgements } from '../intents/judgements';
import type { NucleusModel } from '../models/nucleusModel';
import type { PromptableModel } from '../models/promptableModel';
import { BlockCache } from '../search/blockCache';
import { Search } from '../search/search';
import { SearchResults } from '../search/searchResult';
import type { SearchImage } from '../search/tilePixels';
import { Trainer } from '../training/trainer';
import { FindAll } from './findAll';
import { IntentTransfer } from './intentTransfer';
import { Judge } from './judge';
import { Refine } from './refine';
import { Republisher, type ObjectChanges } from './republish';

/** What the product stands on. */
export interface ProductParts {
  readonly engine: Engine;
  /** The model that is refined. */
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  readonly database: Database;
  readonly stateFolder: string;
  /** Of this program, for the provenance of a refinement. */
  readonly version: string;
  /** An open image. @throws BridgeError `ImageNotOpen` */
  readonly image: (imageId: string) => SearchImage;
  /** An open image by its URI. */
  readonly openImage: (uri: string) => SearchImage | undefined;
  /** Most examples of one search; the search's own limit when absent. */
  readonly prompts?: number | undefined;
  /** Tells a client what changed; nobody hears it when absent. */
  readonly publish?: ((sessionId: string, changes: ObjectChanges) => void) | undefined;
  readonly log?: Log | undefined;
}

/** The services behind the methods, joined; the server, the benchmark and the tests use the same. */
export interface Product {
  readonly intents: Intents;
  readonly judgements: Judgements;
  readonly checkpoints: Checkpoints;
  readonly results: SearchResults;
  readonly trainer: Trainer;
  readonly findAll: FindAll;
  readonly judge: Judge;
  readonly refine: Refine;
  readonly intentTransfer: IntentTransfer;
  readonly republisher: Republisher;
}

/** Joins the services; what it was given is closed by its owner. */
export function assembleProduct(parts: ProductParts): Product {
  const { engine, model, cache, database, stateFolder, version, image, openImage } = parts;
  const { publish = () => undefined, log = SILENT } = parts;
  const judgements = new Judgements(database);
  const intents = new Intents(database, model.id, (intentId) => judgements.count(intentId));
  const checkpoints = new Checkpoints(database, engine, model, stateFolder);
  const results = new SearchResults();
  const blocks = new BlockCache();
  const searchWith = (searching: PromptableModel): Search =>
    new Search(searching, cache, { prompts: parts.prompts, openImage, blocks });
  const trainer = new Trainer({
    engine,
    model,
    cache,
    intents,
    judgements,
    checkpoints,
    version,
    image: openImage,
  });
  const findAll = new FindAll({ intents, judgements, checkpoints, results, searchWith });
  const republisher = new Republisher({ findAll, model, results, judgements, image, publish, log });
  return {
    intents,
    judgements,
    checkpoints,
    results,
    trainer,
    findAll,
    judge: new Judge({ image, judgements, model, results }),
    refine: new Refine({ trainer, republisher, checkpoints, intents }),
    intentTransfer: new IntentTransfer({ intents, checkpoints, model }),
    republisher,
  };
}
