import type { Spaces, Tile } from '../../segmentation/coordinates';
import { centralTile, tileContains, toModelSpace } from '../../segmentation/coordinates';
import { boxFeature, clickFeature, maskFeature, sampleEmbedding } from '../../segmentation/embeddingFeatures';
import type { LabelImage } from '../../segmentation/components';
import type { Outline, Point, Rectangle } from '../../segmentation/geometry';
import { mapOutline, outlineBounds } from '../../segmentation/geometry';
import { segmentInstances, type InstanceOptions } from '../../segmentation/instances';
import type { Exemplar, PointPrompt } from '../../segmentation/prompts';
import { rasterizeOutline } from '../../segmentation/rasterize';
import type { EncodedTile } from '../models/promptableModel';

/** A tile that shows an example: its embedding and its nuclei. */
export interface ExampleTile {
  readonly tile: Tile;
  readonly encoded: EncodedTile;
  readonly nuclei: LabelImage;
}

/** A click after it was looked up: a point prompt in model space, and the nucleus it hit. */
export interface PlacedClick extends PointPrompt {
  /** The tile in which it lies most centrally. */
  readonly home: ExampleTile;
  /** Label in `home.nuclei`; 0 on background. */
  readonly nucleus: number;
}

/** The tile in which a point of model space lies most centrally; the same whatever the extent. */
export function homeTile(spaces: Spaces, tileSize: number, overlap: number, { x, y }: Point): Tile {
  const { modelSize } = spaces;
  const point = {
    x: Math.min(Math.max(0, x), modelSize.width - 1e-6),
    y: Math.min(Math.max(0, y), modelSize.height - 1e-6),
  };
  return centralTile({ modelSize, tileSize, overlap }, point);
}

/** What `exampleTile` has split, while the encoded tile lives: a click in a tile that is at hand costs no watershed. */
const SPLIT = new WeakMap<EncodedTile, { readonly options: InstanceOptions; readonly nuclei: LabelImage }>();

/** Splits a tile's own maps into nuclei, without its padding. */
export function exampleTile(
  tile: Tile,
  encoded: EncodedTile,
  tileSize: number,
  options: InstanceOptions,
): ExampleTile {
  const known = SPLIT.get(encoded);
  if (known?.options === options) return { tile, encoded, nuclei: known.nuclei };
  const crop = (map: Float32Array): Float32Array => cropMap(map, tileSize, tile.width, tile.height);
  const { nucleusLogits, distanceMap } = encoded;
  const nuclei = segmentInstances(crop(nucleusLogits), crop(distanceMap), tile.width, tile.height, options);
  SPLIT.set(encoded, { options, nuclei });
  return { tile, encoded, nuclei };
}

/** A click's prompt: the mean embedding of the nucleus under it, or what lies under it. @param at full-resolution px */
export function placeClick(home: ExampleTile, spaces: Spaces, at: Point, positive: boolean): PlacedClick {
  const { x, y } = toModelSpace(spaces, at);
  const { tile, encoded, nuclei } = home;
  const { feature, label } = clickFeature(encoded.embedding, nuclei, x - tile.x, y - tile.y);
  return { x, y, feature, label: positive ? 1 : 0, home, nucleus: label };
}

/** The feature of a box in model space, as a positive example. */
export function placeBox({ tile, encoded, nuclei }: ExampleTile, box: Rectangle): Exemplar {
  const local = { ...box, x: box.x - tile.x, y: box.y - tile.y };
  const centre = { x: local.x + box.width / 2, y: local.y + box.height / 2 };
  const feature =
    boxFeature(encoded.embedding, nuclei, local) ?? sampleEmbedding(encoded.embedding, centre.x, centre.y);
  return { feature, label: 1 };
}

/** The mean feature over an example object in model space, as a positive example. */
export function placeObject({ tile, encoded }: ExampleTile, outline: Outline): Exemplar {
  const local = mapOutline(outline, 1, -tile.x, -tile.y);
  const around = outlineBounds(local);
  const x = Math.floor(around.x);
  const y = Math.floor(around.y);
  const frame = {
    x,
    y,
    width: Math.ceil(around.x + around.width) - x,
    height: Math.ceil(around.y + around.height) - y,
  };
  const feature =
    maskFeature(encoded.embedding, rasterizeOutline(local, frame), frame) ??
    sampleEmbedding(encoded.embedding, around.x + around.width / 2, around.y + around.height / 2);
  return { feature, label: 1 };
}

/** The nucleus of a tile under a point of model space; 0 on background or outside. */
export function nucleusAt({ tile, nuclei }: ExampleTile, point: Point): number {
  if (!tileContains(tile, point)) return 0;
  return nuclei.labels[Math.floor(point.y - tile.y) * nuclei.width + Math.floor(point.x - tile.x)] ?? 0;
}

/** The top-left `width` x `height` of a square map; the map itself when that is all of it. */
export function cropMap(map: Float32Array, side: number, width: number, height: number): Float32Array {
  if (width === side && height === side) return map;
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) out.set(map.subarray(y * side, y * side + width), y * width);
  return out;
}
