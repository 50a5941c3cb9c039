import { setImmediate } from 'node:timers/promises';
import { isBridgeError, type ErrorName } from '../../errors';
import { orderTiles, type Tile } from '../../segmentation/coordinates';
import type { ObjectFeature } from '../../segmentation/features';
import type { Point } from '../../segmentation/geometry';
import type { TileMaps } from '../../segmentation/mapCanvas';
import { answerProbabilities } from '../../segmentation/scoring';
import { Stitcher, type FoundObject } from '../../segmentation/stitch';
import type { CachedTile } from '../embeddings/embeddingCache';
import type { BlockCache } from './blockCache';
import { clickCandidates, type PromptCandidates } from './candidates';
import type { EmbeddedPrompt } from './embeddedPrompt';
import type { EncodedImage } from './encodedImage';
import { retryOnce } from './retry';
import type { SearchPlan } from './searchPlan';
import type { SearchResult } from './searchResult';

/** Tiles under way at a time: a tile is decoded after its encoding has come back, so it takes several to keep the engine busy. */
const LOOKAHEAD = 4;
/** Faults that end a whole search; any other loses the one tile. */
const ENDS_SEARCH: ReadonlySet<ErrorName> = new Set([
  'RequestCancelled',
  'ShuttingDown',
  'ImageNotOpen',
  'ImageChanged',
]);

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

/** A tile through encoder and decoder. */
interface FinishedTile {
  readonly maps: TileMaps;
  readonly candidates: readonly PromptCandidates[];
  readonly cached: boolean;
}

/** One search's way through its tiles: encode, decode, stitch, score. */
export class TileRun {
  readonly failed: FailedTile[] = [];
  /** What the first failed tile met. */
  firstFault: unknown;
  /** Tiles whose embedding was known. */
  cached = 0;

  constructor(
    private readonly encoded: EncodedImage,
    private readonly blocks: BlockCache,
    private readonly where: SearchPlan,
  ) {}

  get total(): number {
    return this.where.plan.tiles.length;
  }

  /** Computes every tile, clicked ones first, and puts what becomes final into `result`. @throws what ends the whole search */
  async findObjects(
    embedded: readonly EmbeddedPrompt[],
    result: SearchResult,
    onTile: (progress: TileProgress) => void,
  ): Promise<void> {
    const { plan, within } = this.where;
    const { instances } = this.encoded.parts.model;
    const stitcher = new Stitcher({
      plan,
      intents: embedded.length,
      instances,
      memo: this.blocks,
      ...(within && { within }),
    });
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
    const finished = this.encoded
      .encode(tile)
      .then((cachedTile) => this.#decode(tile, cachedTile, embedded, result));
    finished.catch(() => undefined);
    return finished;
  }

  async #decode(
    tile: Tile,
    { tile: encodedTile, key, cached }: CachedTile,
    embedded: readonly EmbeddedPrompt[],
    { setting: { intents } }: SearchResult,
  ): Promise<FinishedTile> {
    const { model, job } = this.encoded.parts;
    const { tileSize, postprocess } = model.manifest;
    const decoded = await Promise.all(
      embedded.map(({ prompts }, k) =>
        retryOnce(
          () => model.predictMasks(tile, encodedTile, prompts, { ...job, decoder: intents[k]!.decoder }),
          job.signal,
        ),
      ),
    );
    const candidates = embedded.flatMap(({ clicks }, k) =>
      clicks.flatMap(({ click, placed }) =>
        model.refinable && click.positive && placed.home.tile.key === tile.key
          ? clickCandidates(k, click, placed, decoded[k]!, tileSize)
          : [],
      ),
    );
    const answers = decoded.map(({ masks, scores, side }) =>
      answerProbabilities(masks, scores, side, postprocess.answer),
    );
    return { maps: { ...encodedTile, id: key, intents: answers }, candidates, cached };
  }

  /** Notes a failed tile. @throws what ends the whole search: a cancellation, a closed image or server, a fault of ours */
  #survive(tile: Tile, error: unknown): void {
    if (!isBridgeError(error) || ENDS_SEARCH.has(error.errorName)) throw error;
    this.firstFault ??= error;
    const { scale } = this.encoded.spaces;
    this.failed.push({
      x: Math.round(tile.x * scale),
      y: Math.round(tile.y * scale),
      error: `${error.errorName}: ${error.message}`,
    });
  }
}
