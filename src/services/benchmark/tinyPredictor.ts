import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine';
import { BridgeError } from '../../errors';
import type { LabelImage } from '../../segmentation/components';
import { planTiles, type Tile } from '../../segmentation/coordinates';
import { clickFeature, type Embedding } from '../../segmentation/embeddingFeatures';
import { DEFAULT_INSTANCE_OPTIONS, type InstanceOptions } from '../../segmentation/instances';
import { normalizeRgb, padTile, type Normalization, type RgbImage } from '../../segmentation/preprocess';
import { buildPromptFeeds, type PointPrompt, type PromptLimits } from '../../segmentation/prompts';
import { fillOutline } from '../../segmentation/rasterize';
import { bestMask, maskProbabilities } from '../../segmentation/scoring';
import { Stitcher, type FoundObject } from '../../segmentation/stitch';
import { crop } from '../pixels';
import type { Click } from './clicks';
import type { IntentPredictor, ModelIdentity, PreparedImage } from './intentPredictor';

/** Pixels that neighbouring tiles have in common at least. */
export const TILE_OVERLAP = 32;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<'encoder' | 'decoder', { readonly path: string; readonly sha256: string }>>;
  readonly micronsPerPixel: number;
  readonly tileSize: number;
  readonly embedding: { readonly channels: number; readonly stride: number };
  readonly normalization: Normalization;
  readonly limits: Omit<PromptLimits, 'channels'>;
  readonly postprocess: Partial<InstanceOptions> & { readonly scoreThreshold: number };
}

/** Object pixels of a tile, as lists of equal length: the object, the mask cell the pixel lies in, and its share of the object's mean. */
interface Share {
  readonly objects: Int32Array;
  readonly cells: Int32Array;
  readonly weights: Float32Array;
}

/** A folder's sampo-tiny behind the benchmark's interface. @throws BridgeError ModelNotFound, ModelInvalid */
export async function openTinyPredictor(engine: Engine, folder: string): Promise<IntentPredictor> {
  const manifest = readManifest(folder);
  const encoder = await engine.load('bench/encoder', { model: join(folder, manifest.files.encoder.path) });
  const decoder = await engine.load('bench/decoder', { model: join(folder, manifest.files.decoder.path) });
  const maskSide = Number(decoder.outputs.find(({ name }) => name === 'masks')?.dims[2]);
  if (!(maskSide > 0) || !encoder.outputs.some(({ name }) => name === 'distance_map'))
    throw new BridgeError('ModelInvalid', `${folder} does not hold a model of the sampo-tiny family`);
  const identity: ModelIdentity = {
    name: manifest.name,
    version: manifest.version,
    sha256: { encoder: manifest.files.encoder.sha256, decoder: manifest.files.decoder.sha256 },
    micronsPerPixel: manifest.micronsPerPixel,
    scoreThreshold: manifest.postprocess.scoreThreshold,
  };
  let images = 0;
  return {
    model: identity,
    prepare: (image) => TinyImage.encode(engine, manifest, maskSide, image, `bench/${images++}`),
  };
}

class TinyImage implements PreparedImage {
  private readonly features = new Map<string, Float32Array>();

  private constructor(
    private readonly engine: Engine,
    private readonly manifest: Manifest,
    private readonly maskSide: number,
    private readonly prefix: string,
    private readonly tiles: readonly Tile[],
    private readonly embeddings: readonly Embedding[],
    private readonly shares: readonly Share[],
    readonly objects: readonly FoundObject[],
    readonly labels: LabelImage,
  ) {}

  static async encode(
    engine: Engine,
    manifest: Manifest,
    maskSide: number,
    image: RgbImage,
    prefix: string,
  ): Promise<TinyImage> {
    const { width, height } = image;
    const { tileSize } = manifest;
    const plan = planTiles({ modelSize: { width, height }, tileSize, overlap: TILE_OVERLAP });
    const instances = { ...DEFAULT_INSTANCE_OPTIONS, ...manifest.postprocess };
    const stitcher = new Stitcher({ plan, intents: 0, instances });
    const embeddings: Embedding[] = [];
    const objects: FoundObject[] = [];
    for (const tile of plan.tiles) {
      const rgb = padTile(crop({ ...image, channels: 3 }, tile), tileSize);
      const feeds = { image: normalizeRgb(rgb, manifest.normalization) };
      const outputs = await engine.run('bench/encoder', feeds);
      const data = (name: string): Float32Array => outputs[name]!.data as Float32Array;
      await engine.setResident(`${prefix}/${tile.key}`, outputs['image_embeddings']!);
      const { channels, stride } = manifest.embedding;
      embeddings.push({ data: data('image_embeddings'), channels, stride, side: tileSize / stride });
      const maps = { nucleusLogits: data('nucleus_logits'), distanceMap: data('distance_map'), intents: [] };
      objects.push(...stitcher.add(tile, maps));
    }
    const labels = { width, height, labels: new Int32Array(width * height), count: objects.length };
    const frame = { x: 0, y: 0, width, height };
    objects.forEach(({ outline }, i) => fillOutline(outline, frame, labels.labels, i + 1));
    const shares = objectShares(labels, plan.tiles, tileSize, maskSide);
    return new TinyImage(engine, manifest, maskSide, prefix, plan.tiles, embeddings, shares, objects, labels);
  }

  async scores(clicks: readonly Click[]): Promise<Float32Array> {
    const points = clicks.map((click): PointPrompt => ({ ...click, feature: this.featureUnder(click) }));
    const limits = { ...this.manifest.limits, channels: this.manifest.embedding.channels };
    const sums = new Float32Array(this.objects.length);
    const runs = this.tiles.map((tile) =>
      this.engine.run('bench/decoder', {
        ...buildPromptFeeds(tile, { points }, limits),
        image_embeddings: { resident: `${this.prefix}/${tile.key}` },
      }),
    );
    for (const [t, outputs] of (await Promise.all(runs)).entries()) {
      const best = bestMask(outputs['iou_predictions']!.data as Float32Array);
      const mask = maskProbabilities(outputs['masks']!.data as Float32Array, best, this.maskSide);
      const { objects, cells, weights } = this.shares[t]!;
      for (let i = 0; i < objects.length; i++) sums[objects[i]!]! += weights[i]! * mask[cells[i]!]!;
    }
    return sums;
  }

  async release(): Promise<void> {
    for (const { key } of this.tiles) await this.engine.dropResident(`${this.prefix}/${key}`);
  }

  /** From the tile that shows most around the click. */
  private featureUnder({ x, y }: Click): Float32Array {
    const known = this.features.get(`${x},${y}`);
    if (known !== undefined) return known;
    const room = ({ x: left, y: top, width, height }: Tile): number =>
      Math.min(x - left, y - top, left + width - x, top + height - y);
    let best = 0;
    for (let t = 1; t < this.tiles.length; t++) if (room(this.tiles[t]!) > room(this.tiles[best]!)) best = t;
    const tile = this.tiles[best]!;
    const nuclei = cropLabels(this.labels, tile);
    const { feature } = clickFeature(this.embeddings[best]!, nuclei, x - tile.x, y - tile.y);
    this.features.set(`${x},${y}`, feature);
    return feature;
  }
}

function cropLabels(image: LabelImage, { x, y, width, height }: Tile): LabelImage {
  const labels = new Int32Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row) * image.width + x;
    labels.set(image.labels.subarray(from, from + width), row * width);
  }
  return { width, height, labels, count: image.count };
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

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as Manifest;
  } catch (error) {
    throw new BridgeError('ModelNotFound', `no model in ${folder}: ${(error as Error).message}`, {
      hint: '--model names a folder with model.json',
    });
  }
}
