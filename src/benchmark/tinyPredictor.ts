import type { Engine } from '../engine/engine';
import { answerScores, type AnswerEvidence, type NucleusLooks } from '../segmentation/answering/answerScores';
import { nucleusLooks } from '../segmentation/answering/nucleusLooks';
import { findShown } from '../segmentation/answering/shownNuclei';
import type { LabelImage } from '../segmentation/components';
import { planTiles, relateSpaces, type Spaces, type Tile } from '../segmentation/coordinates';
import type { Point } from '../segmentation/geometry';
import type { RgbImage } from '../segmentation/preprocess';
import { buildPromptFeeds, type PromptSet } from '../segmentation/prompts';
import { answerProbabilities, calibrateScore } from '../segmentation/scoring';
import { Stitcher, type FoundObject } from '../segmentation/stitch';
import { NucleusModel } from '../services/models/nucleusModel';
import { crop } from '../services/images/pixels';
import {
  exampleTile,
  homeTile,
  placeClick,
  type ExampleTile,
  type PlacedClick,
} from '../services/search/promptEmbedding';
import { TILE_OVERLAP } from '../services/search/searchPlan';
import type { Click } from './clicks';
import type { IntentPredictor, LeftOut, ModelIdentity, PreparedImage } from './intentPredictor';
import { labelObjects } from './judge';

/** Object pixels of a tile, as lists of equal length: the object, the mask cell the pixel lies in, and its share of the object's mean. */
interface Share {
  readonly objects: Int32Array;
  readonly cells: Int32Array;
  readonly weights: Float32Array;
}

/**
 * A folder's model behind the benchmark's interface: the parts of `Search`, but nuclei are found once per image instead of once
 * per click. Its scores are those of `Search` (held by a test). @throws BridgeError ModelInvalid, FileNotFound, FileDamaged
 */
export async function openTinyPredictor(engine: Engine, folder: string): Promise<IntentPredictor> {
  const model = new NucleusModel(engine, folder);
  await model.load();
  return { model: identityOf(model), prepare: (image) => TinyImage.encode(model, image) };
}

/** What names a model's numbers. */
export function identityOf({ manifest }: NucleusModel): ModelIdentity {
  const { name, version, files, micronsPerPixel, postprocess } = manifest;
  return {
    name,
    version,
    sha256: { encoder: files.encoder.sha256, decoder: files.decoder.sha256 },
    micronsPerPixel,
    // A calibrated scale has its decision in the middle.
    scoreThreshold: postprocess.calibration === undefined ? postprocess.scoreThreshold : 0.5,
  };
}

class TinyImage implements PreparedImage {
  private looks: readonly NucleusLooks[] | undefined;
  private asked: { readonly key: string; readonly scores: Promise<Float32Array> } | undefined;
  private readonly placed = new Map<string, PlacedClick>();

  private constructor(
    private readonly model: NucleusModel,
    private readonly spaces: Spaces,
    private readonly tiles: readonly ExampleTile[],
    private readonly shares: readonly Share[],
    readonly objects: readonly FoundObject[],
    readonly labels: LabelImage,
    private readonly pixels: RgbImage,
  ) {}

  static async encode(model: NucleusModel, image: RgbImage): Promise<TinyImage> {
    const { width, height } = image;
    const { tileSize, micronsPerPixel, limits } = model.manifest;
    const spaces = relateSpaces({ width, height }, micronsPerPixel, micronsPerPixel);
    const plan = planTiles({ modelSize: spaces.modelSize, tileSize, overlap: TILE_OVERLAP });
    const stitcher = new Stitcher({ plan, intents: 0, instances: model.instances });
    const tiles: ExampleTile[] = [];
    const objects: FoundObject[] = [];
    for (const tile of plan.tiles) {
      const encoded = await model.encode(crop({ ...image, channels: 3 }, tile), { priority: 'batch' });
      tiles.push(exampleTile(tile, encoded, tileSize, model.instances));
      objects.push(...stitcher.add(tile, { ...encoded, intents: [] }));
    }
    // From top to bottom, then from left to right: the order in which a search fits its answer.
    objects.sort(({ anchor: a }, { anchor: b }) => a.y - b.y || a.x - b.x);
    const labels = labelObjects(objects, image);
    const shares = objectShares(labels, plan.tiles, tileSize, tileSize / limits.maskStride);
    return new TinyImage(model, spaces, tiles, shares, objects, labels, image);
  }

  async scores(clicks: readonly Click[], without?: LeftOut): Promise<ArrayLike<number>> {
    const { calibration, scoreThreshold } = this.model.manifest.postprocess;
    if (calibration === undefined) return this.decoderScores(clicks);
    if (without === 'answering')
      return (await this.decoderScores(clicks)).map((score) => calibrateScore(score, scoreThreshold));
    return answerScores(await this.evidence(clicks), calibration, without);
  }

  async evidence(clicks: readonly Click[]): Promise<AnswerEvidence> {
    const { scoreThreshold } = this.model.manifest.postprocess;
    const decoder = await this.decoderScores(clicks);
    const examples = clicks.map((click) => ({ ...this.place(click), at: click }));
    return {
      nuclei: (this.looks ??= this.objects.map((object) => this.look(object))),
      decoder: decoder.map((score) => calibrateScore(score, scoreThreshold)),
      ...findShown(this.objects, examples),
    };
  }

  /** The decoder's scores, kept for the next question about the same clicks. */
  private decoderScores(clicks: readonly Click[]): Promise<Float32Array> {
    const key = JSON.stringify(clicks);
    if (this.asked?.key !== key)
      this.asked = { key, scores: this.ask({ points: clicks.map((click) => this.place(click)) }) };
    return this.asked.scores;
  }

  /** The decoder's score of every object for a prompt set of model space. -> [objects], 0..1 */
  async ask(prompts: PromptSet): Promise<Float32Array> {
    const sums = new Float32Array(this.objects.length);
    const runs = this.tiles.map(({ tile, encoded }) =>
      this.model.decode(encoded.embedding, buildPromptFeeds(tile, prompts, this.model.promptLimits)),
    );
    for (const [t, { masks, scores, side }] of (await Promise.all(runs)).entries()) {
      const mask = answerProbabilities(masks, scores, side, this.model.manifest.postprocess.answer);
      const { objects, cells, weights } = this.shares[t]!;
      for (let i = 0; i < objects.length; i++) sums[objects[i]!]! += weights[i]! * mask[cells[i]!]!;
    }
    return sums;
  }

  async release(): Promise<void> {
    this.placed.clear();
  }

  private look({ outline, anchor }: FoundObject): NucleusLooks {
    const { tile, encoded } = this.homeOf(anchor);
    const pixels = crop({ ...this.pixels, channels: 3 }, tile);
    const seen = { tile, embedding: encoded.embedding, pixels };
    return nucleusLooks(outline, seen, this.model.manifest.micronsPerPixel);
  }

  /** The tile in which a point lies most centrally. */
  private homeOf(point: Point): ExampleTile {
    const home = homeTile(this.spaces, this.model.manifest.tileSize, TILE_OVERLAP, point);
    return this.tiles.find(({ tile }) => tile.key === home.key)!;
  }

  private place(click: Click): PlacedClick {
    const key = `${click.x},${click.y}`;
    let placed = this.placed.get(key);
    if (placed === undefined) {
      placed = placeClick(this.homeOf(click), this.spaces, click, true);
      this.placed.set(key, placed);
    }
    return { ...placed, label: click.label };
  }
}

/** How each tile's mask adds to the objects' means: overlapping tiles are averaged with weights that fall toward the edge, as in `MapCanvas`. */
function objectShares(
  image: LabelImage,
  tiles: readonly Tile[],
  tileSize: number,
  maskSide: number,
): Share[] {
  const ramp = Float32Array.from({ length: tileSize }, (_, i) =>
    Math.min(1, (Math.min(i, tileSize - 1 - i) + 0.5) / TILE_OVERLAP),
  );
  const totals = new Float32Array(image.labels.length);
  const areas = new Int32Array(image.count + 1);
  for (const label of image.labels) areas[label]!++;
  const eachPixel = (tile: Tile, visit: (at: number, weight: number, cell: number) => void): void => {
    for (let y = 0; y < tile.height; y++)
      for (let x = 0; x < tile.width; x++) {
        const at = (tile.y + y) * image.width + tile.x + x;
        if (image.labels[at] === 0) continue;
        const cell = (axis: number): number => Math.floor((axis * maskSide) / tileSize);
        visit(at, ramp[x]! * ramp[y]!, cell(y) * maskSide + cell(x));
      }
  };
  for (const tile of tiles) eachPixel(tile, (at, weight) => (totals[at]! += weight));
  return tiles.map((tile) => {
    const [objects, cells, weights]: [number[], number[], number[]] = [[], [], []];
    eachPixel(tile, (at, weight, cell) => {
      const label = image.labels[at]!;
      objects.push(label - 1);
      cells.push(cell);
      weights.push(weight / totals[at]! / areas[label]!);
    });
    return {
      objects: Int32Array.from(objects),
      cells: Int32Array.from(cells),
      weights: Float32Array.from(weights),
    };
  });
}
