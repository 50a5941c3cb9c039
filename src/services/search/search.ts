import { setImmediate } from 'node:timers/promises';
import type { JobOptions, Priority } from '../../engine/engine';
import { isBridgeError } from '../../errors';
import { orderTiles, type Tile } from '../../segmentation/coordinates';
import type { ObjectFeature, ObjectFeatureCollection } from '../../segmentation/features';
import type { Point } from '../../segmentation/geometry';
import { outlineContains } from '../../segmentation/geometry';
import type { TileMaps } from '../../segmentation/mapCanvas';
import { answerProbabilities } from '../../segmentation/scoring';
import { Stitcher, type FoundObject } from '../../segmentation/stitch';
import { BlockCache } from './blockCache';
import { clickCandidates, type PromptCandidates } from './candidates';
import type { CachedTile, EmbeddingCache } from '../embeddings/embeddingCache';
import { ExampleTiles, OpenExamples } from './exampleTiles';
import type { PromptableModel } from '../models/promptableModel';
import { retryOnce } from './retry';
import { planSearch, type SearchPlan } from './searchPlan';
import { embedPrompt, refuseConflicts, type EmbeddedPrompt, type LearnedExemplar } from './searchPrompts';
import { checkPrompts, type IntentPrompt, type SearchExtent, type SearchFilters } from './searchRequest';
import { SearchResult, type ResultSetting } from './searchResult';
import { TileEncoder } from './tileEncoder';
import type { SearchImage } from './tilePixels';
import type { Warning } from '../warning';

/** Most tiles of one search: 10,000 px square at the model's scale. */
const TILE_LIMIT = 2048;
const PROMPT_LIMIT = 1000;
/** Tiles under way at a time: a tile is decoded after its encoding has come back, so it takes several to keep the engine busy. */
const LOOKAHEAD = 4;

/** “Find all like these.” */
export interface SearchRequest {
  readonly image: SearchImage;
  readonly prompts: readonly IntentPrompt[];
  readonly extent: SearchExtent;
  readonly filters?: SearchFilters;
  /** Overrides the image's, µm/px. */
  readonly pixelSizeMicrons?: number;
  readonly priority?: Priority;
  /** Id of the result that this search computes anew. */
  readonly resultId?: string;
  readonly signal?: AbortSignal;
  /** Hears of every finished tile. */
  readonly onTile?: (progress: TileProgress) => void;
}

/** How far a search is. */
export interface TileProgress {
  readonly done: number;
  readonly total: number;
  /** Objects that have become final with this tile and pass the filters. */
  readonly objects: readonly ObjectFeature[];
  readonly etaSeconds: number;
}

/** A tile that could not be computed; x, y in full-resolution px. */
export interface FailedTile extends Point {
  readonly error: string;
}

/** What a search found. */
export interface SearchOutcome {
  readonly result: SearchResult;
  readonly featureCollection: ObjectFeatureCollection;
  readonly tiles: {
    readonly total: number;
    readonly done: number;
    readonly failed: readonly FailedTile[];
    readonly cached: number;
  };
  /** Of the image, as used, µm. */
  readonly pixelSizeMicrons: number;
  readonly seconds: number;
  readonly warnings: readonly Warning[];
  /** Examples of this request, one list per intent, to be kept with it. */
  readonly learned: readonly (readonly LearnedExemplar[])[];
}

/** Limits of a search, and what else it may see. */
export interface SearchOptions {
  readonly tiles?: number;
  readonly prompts?: number;
  /** An open image of a uri: examples of another model that lie there can be embedded again. */
  readonly openImage?: (uri: string) => SearchImage | undefined;
  /** Shared with other searches; its own when absent. */
  readonly blocks?: BlockCache;
}

/** Clicks in, all nuclei of the type out: plans tiles, embeds the examples, decodes tile by tile, stitches and scores. */
export class Search {
  readonly #blocks: BlockCache;

  constructor(
    private readonly model: PromptableModel,
    private readonly cache: EmbeddingCache,
    private readonly options: SearchOptions = {},
  ) {
    this.#blocks = options.blocks ?? new BlockCache();
  }

  /** Of the model that searches. */
  get modelId(): string {
    return this.model.id;
  }

  /**
   * @throws BridgeError `ClickOutside`, `EmptyExtent`, `GeometryInvalid`, `ExtentTooLarge`, `NoPositiveClick`,
   * `ConflictingClicks`, `IntentModelMismatch`, `LimitExceeded`, `RequestCancelled`, `ImageNotOpen`; what the first tile met
   * when every tile failed
   */
  async run(request: SearchRequest): Promise<SearchOutcome> {
    const start = performance.now();
    const { image, prompts, extent, filters = {}, signal } = request;
    const { manifest } = this.model;
    checkPrompts(prompts, image, this.options.prompts ?? PROMPT_LIMIT);
    const where = planSearch(image, extent, manifest, {
      tileLimit: this.options.tiles ?? TILE_LIMIT,
      ...(request.pixelSizeMicrons !== undefined && { pixelSizeMicrons: request.pixelSizeMicrons }),
    });
    const job: JobOptions = { priority: request.priority ?? 'interactive', ...(signal && { signal }) };
    const run = new TileRun(this.model, this.cache, this.#blocks, image, where, job);
    const openExamples = new OpenExamples(
      this.model,
      this.cache,
      job,
      this.options.openImage ?? (() => undefined),
    );
    const embedded = await run.embed(prompts, openExamples);
    const { pixelSizeMicrons } = request;
    const setting: ResultSetting = {
      image,
      modelId: this.modelId,
      spaces: where.spaces,
      micronsPerPixel: manifest.micronsPerPixel,
      intents: prompts.map(({ intent }) => intent),
      prompts: embedded.map((one) => one.prompts),
      scoreThreshold: manifest.postprocess.scoreThreshold,
      filters,
      asked: { prompts, extent, ...(pixelSizeMicrons !== undefined && { pixelSizeMicrons }) },
    };
    const result = new SearchResult(setting, request.resultId);
    await run.findObjects(embedded, result, request.onTile ?? (() => undefined));
    const { total, failed, cached } = run;
    if (failed.length === total) throw run.firstFault;
    const featureCollection = result.features();
    return {
      result,
      featureCollection,
      tiles: { total, done: total - failed.length, failed, cached },
      pixelSizeMicrons: where.pixelSizeMicrons,
      seconds: (performance.now() - start) / 1000,
      warnings: [
        ...where.warnings,
        ...embedded.flatMap(({ warnings }) => warnings),
        ...outsideWarnings(embedded, where),
        ...outcomeWarnings(result.objects, featureCollection, failed.length, total),
      ],
      learned: embedded.map(({ learned }) => learned),
    };
  }
}

/** A tile through encoder and decoder. */
interface FinishedTile {
  readonly maps: TileMaps;
  readonly candidates: readonly PromptCandidates[];
  readonly cached: boolean;
}

/** One search's way through its tiles. */
class TileRun {
  readonly failed: FailedTile[] = [];
  firstFault: unknown;
  cached = 0;
  readonly #encoder: TileEncoder;
  readonly #examples: ExampleTiles;

  constructor(
    private readonly model: PromptableModel,
    cache: EmbeddingCache,
    private readonly blocks: BlockCache,
    private readonly image: SearchImage,
    private readonly where: SearchPlan,
    private readonly job: JobOptions,
  ) {
    this.#encoder = new TileEncoder(model, cache, image, where.spaces);
    this.#examples = new ExampleTiles(model, this.#encoder, where.spaces, job);
  }

  get total(): number {
    return this.where.plan.tiles.length;
  }

  /** Embeds the examples of every intent. @throws BridgeError `NoPositiveClick`, `IntentModelMismatch`, `ConflictingClicks` */
  async embed(prompts: readonly IntentPrompt[], openExamples: OpenExamples): Promise<EmbeddedPrompt[]> {
    const context = {
      spaces: this.where.spaces,
      imageUri: this.image.uri,
      modelId: this.model.id,
      tileAt: (point: Point) => this.#examples.at(point),
      featureAt: (uri: string, point: Point) => openExamples.feature(uri, point),
    };
    const embedded: EmbeddedPrompt[] = [];
    for (const prompt of prompts) embedded.push(await embedPrompt(prompt, context));
    refuseConflicts(
      embedded,
      prompts.map(({ intent }) => intent.classification.name),
    );
    return embedded;
  }

  /** Computes every tile, clicked ones first, and puts what becomes final into `result`. */
  async findObjects(
    embedded: readonly EmbeddedPrompt[],
    result: SearchResult,
    onTile: (progress: TileProgress) => void,
  ): Promise<void> {
    const { plan, within } = this.where;
    const { instances } = this.model;
    const intents = embedded.length;
    const memo = this.blocks;
    const stitcher = new Stitcher({ plan, intents, instances, memo, ...(within && { within }) });
    const clicks = embedded.flatMap(({ prompts }) => prompts.points);
    const order = orderTiles(plan, clicks);
    const start = performance.now();
    // Tiles that the engine works on while this process stitches; they are awaited when their turn comes.
    const ahead = order.slice(0, LOOKAHEAD).map((tile) => this.#start(tile, embedded, result));
    for (const [i, tile] of order.entries()) {
      const following = order[i + LOOKAHEAD];
      let found: FoundObject[];
      try {
        const { maps, candidates, cached } = await ahead.shift()!;
        if (following !== undefined) ahead.push(this.#start(following, embedded, result));
        found = [];
        for (const part of stitcher.addInSteps(tile, maps)) {
          found.push(...part);
          await setImmediate(); // an answer of the engine that has come meanwhile gets its next job
        }
        result.candidates.push(...candidates);
        if (cached) this.cached++;
      } catch (error) {
        this.#survive(tile, error);
        if (following !== undefined) ahead.push(this.#start(following, embedded, result));
        found = stitcher.skip(tile);
      }
      const objects = result.add(found);
      const seconds = (performance.now() - start) / 1000;
      const done = i + 1;
      onTile({ done, total: order.length, objects, etaSeconds: (seconds / done) * (order.length - done) });
    }
  }

  #start(tile: Tile, embedded: readonly EmbeddedPrompt[], result: SearchResult): Promise<FinishedTile> {
    const { signal } = this.job;
    const finished = retryOnce(() => this.#encoder.encode(tile, this.job), signal).then((encoded) =>
      this.#decode(tile, encoded, embedded, result),
    );
    finished.catch(() => undefined);
    return finished;
  }

  async #decode(
    tile: Tile,
    { tile: encoded, key, cached }: CachedTile,
    embedded: readonly EmbeddedPrompt[],
    { setting: { intents } }: SearchResult,
  ): Promise<FinishedTile> {
    const { tileSize } = this.model.manifest;
    const decoded = await Promise.all(
      embedded.map(({ prompts }, k) => {
        const { decoder } = intents[k]!;
        return retryOnce(
          () => this.model.predictMasks(tile, encoded, prompts, { ...this.job, ...(decoder && { decoder }) }),
          this.job.signal,
        );
      }),
    );
    const candidates = embedded.flatMap(({ clicks }, k) =>
      clicks.flatMap(({ click, placed }) =>
        this.model.refinable && click.positive && placed.home.tile.key === tile.key
          ? clickCandidates(k, click, placed, decoded[k]!, tileSize)
          : [],
      ),
    );
    const { answer } = this.model.manifest.postprocess;
    const answers = decoded.map(({ masks, scores, side }) =>
      answerProbabilities(masks, scores, side, answer),
    );
    return { maps: { ...encoded, id: key, intents: answers }, candidates, cached };
  }

  /** Notes a failed tile. @throws what ends the whole search: a cancellation, a closed image or server, a fault of ours */
  #survive(tile: Tile, error: unknown): void {
    if (!isBridgeError(error) || ENDS_SEARCH.has(error.errorName)) throw error;
    this.firstFault ??= error;
    const { scale } = this.where.spaces;
    const { errorName, message } = error;
    this.failed.push({
      x: Math.round(tile.x * scale),
      y: Math.round(tile.y * scale),
      error: `${errorName}: ${message}`,
    });
  }
}

const ENDS_SEARCH = new Set(['RequestCancelled', 'ShuttingDown', 'ImageNotOpen']);

function outsideWarnings(embedded: readonly EmbeddedPrompt[], { plan, within }: SearchPlan): Warning[] {
  const { x, y, width, height } = plan.extent;
  return embedded.flatMap(({ clicks }) =>
    clicks
      .filter(({ placed: p }) => {
        const inside = p.x >= x && p.y >= y && p.x < x + width && p.y < y + height;
        return !inside || (within !== undefined && !outlineContains(within, p.x, p.y));
      })
      .map(({ click }) => ({
        name: 'ClickOutsideExtent',
        message: `the click at (${click.x}, ${click.y}) lies outside the extent; it is used as an example`,
      })),
  );
}

function outcomeWarnings(
  objects: readonly FoundObject[],
  { features }: ObjectFeatureCollection,
  failed: number,
  total: number,
): Warning[] {
  const warnings: Warning[] = [];
  if (failed > 0)
    warnings.push({ name: 'TilesFailed', message: `${failed} of ${total} tiles could not be computed` });
  if (objects.length === 0)
    warnings.push({ name: 'NoNuclei', message: 'no nucleus was found in the extent, of any type' });
  else if (features.length === 0)
    warnings.push({
      name: 'NoneAlike',
      message: `${objects.length} nuclei were found, none passes the filters: lower the threshold or click more examples`,
    });
  return warnings;
}
