import type { JobOptions, Priority } from '../../engine/engine';
import type { ObjectFeatureCollection } from '../../segmentation/features';
import { outlineContains, type Outline } from '../../segmentation/geometry';
import type { FoundObject } from '../../segmentation/stitch';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { PromptableModel } from '../models/promptableModel';
import type { Warning } from '../warning';
import { BlockCache } from './blockCache';
import type { EmbeddedPrompt } from './embeddedPrompt';
import { EncodedImage } from './encodedImage';
import type { PlacedExample } from './example';
import { OpenExamples } from './openExamples';
import { refuseConflicts } from './promptChecks';
import { withRoomyHeap } from './roomyHeap';
import { planSearch, type SearchPlan } from './searchPlan';
import { embedPrompt, type PromptContext } from './searchPrompts';
import { checkPrompts, type IntentPrompt, type SearchExtent, type SearchFilters } from './searchRequest';
import { SearchResult, type ResultSetting } from './searchResult';
import type { SearchImage } from './tilePixels';
import { TileRun, type FailedTile, type TileProgress } from './tileRun';

/** Most tiles of one search: 10,000 px square at the model's scale. */
const TILE_LIMIT = 2048;
const PROMPT_LIMIT = 1000;

/** “Find all like these.” */
export interface SearchRequest {
  readonly image: SearchImage;
  readonly prompts: readonly IntentPrompt[];
  readonly extent: SearchExtent;
  /** Objects whose highest pixel lies outside of it are left out, image px; a part of a larger extent. */
  readonly within?: Outline | undefined;
  readonly filters?: SearchFilters | undefined;
  /** Overrides the image's, µm/px. */
  readonly pixelSizeMicrons?: number | undefined;
  readonly priority?: Priority | undefined;
  /** Id of the result that this search computes anew. */
  readonly resultId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of every finished tile. */
  readonly onTile?: ((progress: TileProgress) => void) | undefined;
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
  readonly learned: readonly (readonly PlacedExample[])[];
}

/** Limits of a search, and what else it may see. */
export interface SearchOptions {
  readonly tiles?: number | undefined;
  readonly prompts?: number | undefined;
  /** An open image of a uri: examples of another model that lie there can be embedded again. */
  readonly openImage?: ((uri: string) => SearchImage | undefined) | undefined;
  /** Shared with other searches; its own when absent. */
  readonly blocks?: BlockCache | undefined;
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
  run(request: SearchRequest): Promise<SearchOutcome> {
    return withRoomyHeap(() => this.#run(request));
  }

  async #run(request: SearchRequest): Promise<SearchOutcome> {
    const start = performance.now();
    const { image, prompts, extent, filters = {}, pixelSizeMicrons } = request;
    const { model, cache } = this;
    const { manifest } = model;
    checkPrompts(prompts, image, this.options.prompts ?? PROMPT_LIMIT);
    const where = planSearch(image, extent, manifest, {
      tileLimit: this.options.tiles ?? TILE_LIMIT,
      pixelSizeMicrons,
      within: request.within,
    });
    const job: JobOptions = { priority: request.priority ?? 'interactive', signal: request.signal };
    const encoded = new EncodedImage({ model, cache, image, spaces: where.spaces, job });
    const embedded = await this.#embed(prompts, encoded);
    const setting: ResultSetting = {
      image,
      modelId: this.modelId,
      spaces: where.spaces,
      micronsPerPixel: manifest.micronsPerPixel,
      intents: prompts.map(({ intent }) => intent),
      prompts: embedded.map((prompt) => prompt.prompts),
      scoreThreshold: manifest.postprocess.scoreThreshold,
      calibrated: manifest.postprocess.calibration !== undefined,
      filters,
      asked: { prompts, extent, pixelSizeMicrons },
    };
    const result = new SearchResult(setting, request.resultId);
    const run = new TileRun(encoded, this.#blocks, where);
    await run.findObjects(embedded, result, request.onTile ?? (() => undefined));
    const { total, failed, cached } = run;
    // A part of a larger extent may have no tile at all.
    if (total > 0 && failed.length === total) throw run.firstFault;
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

  /** Embeds the examples of every intent. @throws BridgeError `NoPositiveClick`, `IntentModelMismatch`, `ConflictingClicks` */
  async #embed(prompts: readonly IntentPrompt[], encoded: EncodedImage): Promise<EmbeddedPrompt[]> {
    const openExamples = new OpenExamples(encoded.parts, this.options.openImage ?? (() => undefined));
    const context: PromptContext = {
      spaces: encoded.spaces,
      imageUri: encoded.parts.image.uri,
      modelId: this.model.id,
      tileAt: (point) => encoded.exampleTileAt(point),
      featureAt: (uri, point) => openExamples.featureAt(uri, point),
    };
    const embedded: EmbeddedPrompt[] = [];
    for (const prompt of prompts) embedded.push(await embedPrompt(prompt, context));
    refuseConflicts(
      embedded,
      prompts.map(({ intent }) => intent.classification.name),
    );
    return embedded;
  }
}

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
