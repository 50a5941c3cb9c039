import { setImmediate } from 'node:timers/promises';
import { isBridgeError } from '../../errors';
import { orderTiles, toModelSpace, type Tile } from '../../segmentation/coordinates';
import type { ObjectFeature } from '../../segmentation/features';
import type { Point } from '../../segmentation/geometry';
import type { TileMaps } from '../../segmentation/mapCanvas';
import { answerProbabilities } from '../../segmentation/scoring';
import { Stitcher, type FoundObject } from '../../segmentation/stitch';
import type { CachedTile } from '../embeddings/embeddingCache';
import type { DecodedMasks, EncodedTile } from '../models/promptableModel';
import { Answering } from './answering';
import { besideNuclei, reachesBeside } from './besideNuclei';
import type { BlockCache } from './blockCache';
import { clickCandidates, type PromptCandidates } from './candidates';
import type { EmbeddedPrompt } from './embeddedPrompt';
import type { EncodedImage } from './encodedImage';
import { NucleusReader } from './nucleusReader';
import type { ExampleTile } from './promptEmbedding';
import { retryOnce } from './retry';
import { canGoOn } from './searchFaults';
import type { SearchPlan } from './searchPlan';
import type { SearchResult } from './searchResult';

/** Tiles under way at a time: a tile is decoded after its encoding has come back, so it takes several to keep the engine busy. */
const LOOKAHEAD = 4;
/** Most tiles beside an extent that are looked at for its clicks: those of the newest. */
const BESIDE_TILES = 8;

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
  /** Clicks' tiles that reach beyond the extent, with their nuclei, until they are decoded. */
  readonly #beside = new Map<string, ExampleTile>();

  readonly #reader: NucleusReader;

  constructor(
    private readonly encoded: EncodedImage,
    private readonly blocks: BlockCache,
    private readonly where: SearchPlan,
  ) {
    this.#reader = new NucleusReader(encoded, blocks.looks);
  }

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
    const answering = await this.#answering(embedded, result);
    const order = orderTiles(plan, clicks);
    const start = performance.now();
    /** Tiles that have come and are still needed. */
    const open = new Set<Tile>();
    // Tiles that the engine works on while this process stitches; they are awaited when their turn comes.
    const ahead = order.slice(0, LOOKAHEAD).map((tile) => this.#start(tile, embedded, result));
    for (const [i, tile] of order.entries()) {
      const following = order[i + LOOKAHEAD];
      let found: FoundObject[];
      try {
        const { maps, candidates, cached } = await ahead.shift()!;
        await this.#takeBeside(tile, maps.intents, answering);
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
      const objects = result.add(answering === undefined ? found : await answering.add(found));
      open.add(tile);
      for (const before of open)
        if (!stitcher.holds(before)) {
          this.encoded.forget(before);
          open.delete(before);
        }
      const seconds = (performance.now() - start) / 1000;
      const done = i + 1;
      onTile({ done, total: order.length, objects, etaSeconds: (seconds / done) * (order.length - done) });
    }
    if (answering === undefined) return;
    for (const { tile } of [...this.#beside.values()])
      await this.#attempt(async () => {
        const { tile: encodedTile } = await this.encoded.encode(tile);
        const decoded = await this.#masks(tile, encodedTile, embedded, result);
        await this.#takeBeside(tile, this.#answers(decoded), answering);
      });
    result.rescore(answering.finish());
  }

  /** What scores the nuclei when the model's manifest says how; the tiles of the newest clicks are looked up. */
  async #answering(
    embedded: readonly EmbeddedPrompt[],
    { setting: { intents } }: SearchResult,
  ): Promise<Answering | undefined> {
    const { model, image } = this.encoded.parts;
    const { scoreThreshold, calibration } = model.manifest.postprocess;
    if (calibration === undefined) return undefined;
    const newest = embedded.flatMap(({ prompts }) => prompts.points.toReversed());
    for (const point of newest) {
      if (this.#beside.size === BESIDE_TILES) break;
      const tile = this.encoded.homeTile(point);
      if (this.#beside.has(tile.key) || !reachesBeside(tile, this.where)) continue;
      await this.#attempt(async () => {
        this.#beside.set(tile.key, await this.encoded.exampleTileAt(point));
      });
    }
    return new Answering(
      this.#reader,
      embedded.map(({ examples }, k) => ({
        examples,
        judged: (intents[k]!.judged ?? [])
          .filter(({ imageUri }) => imageUri === image.uri)
          .map(({ label, ...place }) => ({ ...toModelSpace(this.encoded.spaces, place), label })),
        threshold: intents[k]!.scoreThreshold ?? scoreThreshold,
      })),
      calibration,
    );
  }

  /** Makes the nuclei beside the extent known that a click's tile shows, once it is decoded. */
  async #takeBeside(
    tile: Tile,
    answers: readonly Float32Array[],
    answering: Answering | undefined,
  ): Promise<void> {
    const example = this.#beside.get(tile.key);
    if (answering === undefined || example === undefined) return;
    this.#beside.delete(tile.key);
    await answering.addBeside(besideNuclei(example, answers, this.encoded, this.where));
  }

  /** Does what a search can do without when it fails. @throws what ends the whole search */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!canGoOn(error)) throw error;
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
    result: SearchResult,
  ): Promise<FinishedTile> {
    const { model } = this.encoded.parts;
    const { tileSize } = model.manifest;
    const decoded = await this.#masks(tile, encodedTile, embedded, result);
    const candidates = embedded.flatMap(({ clicks }, k) =>
      clicks.flatMap(({ click, placed }) =>
        model.refinable && click.positive && placed.home.tile.key === tile.key
          ? clickCandidates(k, click, placed, decoded[k]!, tileSize)
          : [],
      ),
    );
    return { maps: { ...encodedTile, id: key, intents: this.#answers(decoded) }, candidates, cached };
  }

  /** Each intent's masks in a tile. */
  #masks(
    tile: Tile,
    encodedTile: EncodedTile,
    embedded: readonly EmbeddedPrompt[],
    { setting: { intents } }: SearchResult,
  ): Promise<DecodedMasks[]> {
    const { model, job } = this.encoded.parts;
    return Promise.all(
      embedded.map(({ prompts }, k) =>
        retryOnce(
          () => model.predictMasks(tile, encodedTile, prompts, { ...job, decoder: intents[k]!.decoder }),
          job.signal,
        ),
      ),
    );
  }

  /** Each intent's probabilities in a tile, [side, side]. */
  #answers(decoded: readonly DecodedMasks[]): Float32Array[] {
    const { answer } = this.encoded.parts.model.manifest.postprocess;
    return decoded.map(({ masks, scores, side }) => answerProbabilities(masks, scores, side, answer));
  }

  /** Notes a failed tile. @throws what ends the whole search: a cancellation, a closed image or server, a fault of ours */
  #survive(tile: Tile, error: unknown): void {
    if (!isBridgeError(error) || !canGoOn(error)) throw error;
    this.#reader.lose(tile);
    this.firstFault ??= error;
    const { scale } = this.encoded.spaces;
    this.failed.push({
      x: Math.round(tile.x * scale),
      y: Math.round(tile.y * scale),
      error: `${error.errorName}: ${error.message}`,
    });
  }
}
