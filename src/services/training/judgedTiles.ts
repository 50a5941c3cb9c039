import type { JobOptions } from '../../engine/engine';
import type { Split } from '../../sampo/holdOut';
import type { JudgedObjects } from '../../sampo/judgedPixels';
import { relateSpaces } from '../../segmentation/coordinates';
import type { Tile } from '../../segmentation/coordinates';
import type { Embedding } from '../../segmentation/embeddingFeatures';
import { clickFeature, maskFeature, sampleEmbedding } from '../../segmentation/embeddingFeatures';
import type { Outline, Point } from '../../segmentation/geometry';
import { mapOutline, outlineArea, outlineBounds } from '../../segmentation/geometry';
import { labelBounds, traceLabel } from '../../segmentation/outlines';
import { fillOutline, rasterizeOutline } from '../../segmentation/rasterize';
import type { EmbeddingCache } from '../embeddings/embeddingCache';
import type { StoredJudgement } from '../intents/judgements';
import type { NucleusModel } from '../models/nucleusModel';
import { EncodedImage } from '../search/encodedImage';
import { exampleTile, homeTile, type ExampleTile } from '../search/promptEmbedding';
import { TILE_OVERLAP } from '../search/searchPlan';
import type { SearchImage } from '../search/tilePixels';

/** A judged object on its tile; lengths in tile px. */
export interface JudgedObject extends Point {
  /** Of what said so; absent for an object that was clicked. */
  readonly judgementId?: string;
  /** Its value in the tile's labels. */
  readonly number: number;
  readonly wanted: boolean;
  readonly heldOut: boolean;
  readonly radius: number;
  /** The embedding's mean over it. */
  readonly feature: Float32Array;
}

/** A choice among the candidates of one click, tile px. */
export interface JudgedChoice extends Point {
  readonly chosen: number;
  readonly rejected: readonly number[];
  readonly feature: Float32Array;
}

/** A tile with everything the user has said about it. */
export interface JudgedTile {
  readonly key: string;
  readonly tile: Tile;
  readonly embedding: Embedding;
  /** 0 or an object's number, at the mask's resolution [side * side]. */
  readonly labels: Int32Array;
  /** 1 where surely no nucleus is [side * side]. */
  readonly background: Uint8Array;
  /** 1 inside found nuclei [side * side]. */
  readonly nuclei: Uint8Array;
  readonly objects: JudgedObject[];
  readonly choices: JudgedChoice[];
}

/** A click of the intent: what lies under it is of the type, or is not; full-resolution px. */
export interface KnownClick extends Point {
  readonly imageUri: string;
  readonly wanted: boolean;
}

/** Below this nucleus probability a pixel is surely background. */
const SURE_BACKGROUND = 0.1;

/** What reading judged tiles needs. */
export interface TileSource {
  readonly model: NucleusModel;
  readonly cache: EmbeddingCache;
  /** An open image by its URI. */
  readonly image: (uri: string) => SearchImage | undefined;
  readonly job: JobOptions;
}

/**
 * Encodes the tiles in which judged objects lie most centrally. Clicked nuclei that nobody judged count as judged, so that an
 * intent always has examples of what it wants. `closed` counts judgements whose image is not open.
 */
export async function readJudgedTiles(
  { train, holdOut }: Split<StoredJudgement>,
  clicks: readonly KnownClick[],
  source: TileSource,
): Promise<{ tiles: JudgedTile[]; closed: number }> {
  const reader = new TileReader(source);
  const heldOut = new Set(holdOut.map(({ judgementId }) => judgementId));
  let closed = 0;
  for (const one of [...train, ...holdOut]) {
    const image = source.image(one.imageUri);
    if (image === undefined) closed++;
    else await reader.addJudgement(image, one, heldOut.has(one.judgementId));
  }
  for (const click of clicks) {
    const image = source.image(click.imageUri);
    if (image !== undefined) await reader.addClick(image, click);
  }
  return { tiles: reader.tiles, closed };
}

/** Collects what is known, tile by tile. */
class TileReader {
  readonly #tiles = new Map<string, { judged: JudgedTile; example: ExampleTile }>();

  constructor(private readonly source: TileSource) {}

  get tiles(): JudgedTile[] {
    return [...this.#tiles.values()]
      .map(({ judged }) => judged)
      .filter(({ objects, choices }) => objects.length > 0 || choices.length > 0);
  }

  async addJudgement(image: SearchImage, one: StoredJudgement, heldOut: boolean): Promise<void> {
    const outline = one.outline && mapOutline(one.outline, 1 / one.scale, 0, 0);
    const bounds = outline && outlineBounds(outline);
    const centre = bounds
      ? { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2 }
      : { x: (one.choice?.x ?? 0) / one.scale, y: (one.choice?.y ?? 0) / one.scale };
    const { judged, example } = await this.#tileAt(image, one.scale, centre);
    const at = { x: centre.x - judged.tile.x, y: centre.y - judged.tile.y };
    if (outline !== undefined) {
      const local = mapOutline(outline, 1, -judged.tile.x, -judged.tile.y);
      const { judgementId } = one;
      this.#addObject(judged, local, { ...at, judgementId, wanted: one.kind !== 'reject', heldOut });
    } else if (one.choice !== undefined) {
      const { feature } = clickFeature(judged.embedding, example.nuclei, at.x, at.y);
      const { chosen, rejected } = one.choice;
      judged.choices.push({ ...at, chosen, rejected, feature });
    }
  }

  async addClick(image: SearchImage, { x, y, wanted }: KnownClick): Promise<void> {
    const { micronsPerPixel, limits } = this.source.model.manifest;
    const scale = micronsPerPixel / (image.pixelSizeMicrons ?? micronsPerPixel);
    const { judged, example } = await this.#tileAt(image, scale, { x: x / scale, y: y / scale });
    const at = { x: x / scale - judged.tile.x, y: y / scale - judged.tile.y };
    const { nuclei } = example;
    const label = nuclei.labels[Math.floor(at.y) * nuclei.width + Math.floor(at.x)] ?? 0;
    const cell = (value: number): number => Math.floor(value / limits.maskStride);
    const side = Math.sqrt(judged.labels.length);
    if (label === 0 || judged.labels[cell(at.y) * side + cell(at.x)] !== 0) return;
    const outline = traceLabel(nuclei, label, labelBounds(nuclei)[label]!);
    this.#addObject(judged, outline, { ...at, wanted, heldOut: false });
  }

  /** @param outline tile px */
  #addObject(
    judged: JudgedTile,
    outline: Outline,
    one: Omit<JudgedObject, 'number' | 'radius' | 'feature'>,
  ): void {
    const { maskStride } = this.source.model.manifest.limits;
    const side = Math.sqrt(judged.labels.length);
    const number = judged.objects.length + 1;
    const frame = { x: 0, y: 0, width: side, height: side };
    fillOutline(mapOutline(outline, 1 / maskStride, 0, 0), frame, judged.labels, number);
    const around = outlineBounds(outline);
    const x = Math.floor(around.x);
    const y = Math.floor(around.y);
    const width = Math.ceil(around.x + around.width) - x;
    const box = { x, y, width, height: Math.ceil(around.y + around.height) - y };
    const { embedding } = judged;
    const feature =
      maskFeature(embedding, rasterizeOutline(outline, box), box) ?? sampleEmbedding(embedding, one.x, one.y);
    judged.objects.push({ ...one, number, radius: Math.sqrt(outlineArea(outline) / Math.PI), feature });
  }

  /** The tile around a point of model space. @param scale image px per model px */
  async #tileAt(image: SearchImage, scale: number, centre: Point) {
    const { model, cache, job } = this.source;
    const { tileSize, micronsPerPixel, limits } = model.manifest;
    const spaces = relateSpaces(image, micronsPerPixel / scale, micronsPerPixel);
    const tile = homeTile(spaces, tileSize, TILE_OVERLAP, centre);
    const key = `${image.uri}|${scale}|${tile.key}`;
    let entry = this.#tiles.get(key);
    if (entry === undefined) {
      const encodedImage = new EncodedImage({ model, cache, image, spaces, job });
      const encoded = (await encodedImage.encode(tile)).tile;
      const side = tileSize / limits.maskStride;
      const example = exampleTile(tile, encoded, tileSize, model.instances);
      const judged: JudgedTile = {
        key,
        tile,
        embedding: encoded.embedding,
        labels: new Int32Array(side * side),
        background: sureBackground(encoded.nucleusLogits, tileSize, side),
        nuclei: foundNuclei(example, tileSize, side),
        objects: [],
        choices: [],
      };
      entry = { judged, example };
      this.#tiles.set(key, entry);
    }
    return entry;
  }
}

/** The judged objects to train on: held-out ones are as if nobody had judged them. */
export function trainingObjects({ labels, background, objects }: JudgedTile): JudgedObjects {
  const train = objects.filter(({ heldOut }) => !heldOut);
  // Held-out objects are no sure background either, whatever the nucleus head says.
  const surely = background.map((sure, i) => (labels[i] === 0 ? sure : 0));
  return {
    labels,
    verdicts: new Map(train.map(({ number, wanted }) => [number, wanted])),
    background: surely,
  };
}

function foundNuclei({ nuclei }: ExampleTile, tileSize: number, side: number): Uint8Array {
  const step = tileSize / side;
  const out = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i++) {
      const column = Math.floor((x + 0.5) * step);
      const row = Math.floor((y + 0.5) * step);
      const inside = column < nuclei.width && row < nuclei.height;
      out[i] = inside && nuclei.labels[row * nuclei.width + column] !== 0 ? 1 : 0;
    }
  return out;
}

function sureBackground(nucleusLogits: Float32Array, tileSize: number, side: number): Uint8Array {
  const limit = Math.log(SURE_BACKGROUND / (1 - SURE_BACKGROUND));
  const step = tileSize / side;
  const out = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i++)
      out[i] =
        nucleusLogits[Math.floor((y + 0.5) * step) * tileSize + Math.floor((x + 0.5) * step)]! < limit
          ? 1
          : 0;
  return out;
}
