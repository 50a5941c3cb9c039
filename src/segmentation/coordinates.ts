import type { Outline, Point, Rectangle, Size } from './geometry';
import { outlineContains, rectanglesOverlap } from './geometry';

/** How image space (full-resolution pixels) and model space (pixels at the model's µm/px) relate. */
export interface Spaces {
  /** Image pixels per model pixel. */
  readonly scale: number;
  readonly imageSize: Size;
  /** Size of the whole image in model pixels, at least 1 x 1. */
  readonly modelSize: Size;
}

/** Relates the two spaces from their pixel sizes, µm/px. @throws RangeError unless both are positive. */
export function relateSpaces(
  imageSize: Size,
  imageMicronsPerPixel: number,
  modelMicronsPerPixel: number,
): Spaces {
  if (!(imageMicronsPerPixel > 0) || !(modelMicronsPerPixel > 0))
    throw new RangeError('pixel sizes must be positive');
  const scale = modelMicronsPerPixel / imageMicronsPerPixel;
  return {
    scale,
    imageSize,
    modelSize: {
      width: Math.max(1, Math.round(imageSize.width / scale)),
      height: Math.max(1, Math.round(imageSize.height / scale)),
    },
  };
}

/** Image space -> model space, px. */
export function toModelSpace(spaces: Spaces, { x, y }: Point): Point {
  return { x: x / spaces.scale, y: y / spaces.scale };
}

/** A rectangle of image space in model space, px. */
export function rectangleToModelSpace(spaces: Spaces, r: Rectangle): Rectangle {
  const s = spaces.scale;
  return { x: r.x / s, y: r.y / s, width: r.width / s, height: r.height / s };
}

/** A rectangle of model space in image space, px; what an image service reads for a tile. */
export function rectangleToImageSpace(spaces: Spaces, r: Rectangle): Rectangle {
  const s = spaces.scale;
  return { x: r.x * s, y: r.y * s, width: r.width * s, height: r.height * s };
}

/** One square of the plan. `x, y`: top-left in model space; `width, height`: its part inside the image, the rest is padding. */
export interface Tile extends Rectangle {
  /** Names the tile within the image, whatever the extent: "column,row". */
  readonly key: string;
  readonly column: number;
  readonly row: number;
}

/** Tiles of `tileSize` px laid over the whole image, of which `tiles` serve the extent. */
export interface TilePlan {
  readonly tileSize: number;
  readonly overlap: number;
  readonly modelSize: Size;
  readonly extent: Rectangle;
  readonly tiles: readonly Tile[];
}

/** What `planTiles` needs; lengths in model px. */
export interface TilePlanOptions {
  readonly modelSize: Size;
  readonly tileSize: number;
  readonly overlap: number;
  /** Where objects are wanted; the whole image when absent. */
  readonly extent?: Rectangle;
  /** An outline that narrows the extent: tiles that do not touch it are left out. */
  readonly within?: Outline;
  /** Room around the extent, so that an object anchored inside is seen whole. */
  readonly context?: number;
}

/**
 * All tiles that show any of an extent. Their places depend on the image alone, never on the extent, so that a cache of embeddings
 * serves every view of it and a nucleus is the same in each. An image smaller than a tile gives one tile, to be padded.
 * @throws RangeError for an overlap outside [0, tileSize) or an extent that misses the image
 */
export function planTiles(options: TilePlanOptions): TilePlan {
  const { modelSize, tileSize, overlap, within, context = 0 } = options;
  if (!(overlap >= 0 && overlap < tileSize)) throw new RangeError('overlap must be in [0, tileSize)');
  const whole = { x: 0, y: 0, width: modelSize.width, height: modelSize.height };
  const extent = options.extent ?? whole;
  if (!rectanglesOverlap(extent, whole)) throw new RangeError('the extent lies outside the image');
  const columns = axisPlaces(modelSize.width, tileSize, overlap);
  const rows = axisPlaces(modelSize.height, tileSize, overlap);
  const tiles: Tile[] = [];
  for (const row of axisCover(rows, tileSize, extent.y - context, extent.y + extent.height + context))
    for (const column of axisCover(
      columns,
      tileSize,
      extent.x - context,
      extent.x + extent.width + context,
    )) {
      const tile = tileOf(columns, rows, column, row, options);
      if (within === undefined || outlineTouches(within, tile, context)) tiles.push(tile);
    }
  return { tileSize, overlap, modelSize, extent, tiles };
}

/** The tile of the image's plan in which a point lies most centrally. @param point model px, inside the image */
export function centralTile(options: Omit<TilePlanOptions, 'extent' | 'within'>, { x, y }: Point): Tile {
  const { modelSize, tileSize, overlap } = options;
  const columns = axisPlaces(modelSize.width, tileSize, overlap);
  const rows = axisPlaces(modelSize.height, tileSize, overlap);
  return tileOf(columns, rows, axisNearest(columns, tileSize, x), axisNearest(rows, tileSize, y), options);
}

function tileOf(
  columns: readonly number[],
  rows: readonly number[],
  column: number,
  row: number,
  { modelSize, tileSize }: TilePlanOptions,
): Tile {
  const x = columns[column]!;
  const y = rows[row]!;
  const width = Math.min(tileSize, modelSize.width - x);
  const height = Math.min(tileSize, modelSize.height - y);
  return { key: `${column},${row}`, column, row, x, y, width, height };
}

/** Starts of the tiles along one axis, spread evenly with at least `overlap` px in common. */
function axisPlaces(length: number, tileSize: number, overlap: number): number[] {
  if (length <= tileSize) return [0];
  const count = Math.ceil((length - overlap) / (tileSize - overlap));
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - tileSize)) / (count - 1)));
}

/** Indices of the tiles that reach into [low, high). */
function axisCover(places: readonly number[], tileSize: number, low: number, high: number): number[] {
  return places.flatMap((place, i) => (place < high && place + tileSize > low ? [i] : []));
}

/** Index of the tile whose share of the axis, up to the middle of each overlap, holds a place. */
function axisNearest(places: readonly number[], tileSize: number, at: number): number {
  const next = places.findIndex((place, i) => i > 0 && at < (place + places[i - 1]! + tileSize) / 2);
  return next < 0 ? places.length - 1 : next - 1;
}

/** Whether an outline and a rectangle grown by `room` share a point: a vertex, a corner or a crossing edge. */
function outlineTouches(outline: Outline, rectangle: Rectangle, room: number): boolean {
  const left = rectangle.x - room;
  const top = rectangle.y - room;
  const right = rectangle.x + rectangle.width + room;
  const bottom = rectangle.y + rectangle.height + room;
  if (outlineContains(outline, left, top)) return true;
  for (const part of outline)
    for (const ring of part)
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2)
        if (segmentMeetsBox(ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!, left, top, right, bottom))
          return true;
  return false;
}

/** Liang-Barsky clipping: whether any of the segment a-b lies in the box. */
function segmentMeetsBox(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): boolean {
  let from = 0;
  let to = 1;
  const sides = [
    [ax - bx, ax - left],
    [bx - ax, right - ax],
    [ay - by, ay - top],
    [by - ay, bottom - ay],
  ] as const;
  for (const [p, q] of sides) {
    if (p === 0 && q < 0) return false;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from <= to;
}

/** Whether a tile contains a point of model space. */
export function tileContains(tile: Tile, { x, y }: Point): boolean {
  return x >= tile.x && x < tile.x + tile.width && y >= tile.y && y < tile.y + tile.height;
}

/**
 * Clicked tiles first, then their neighbours (an object is final only when all tiles around it are there), then the rest row
 * by row, which keeps few maps alive at once. `clicks` in model px.
 */
export function orderTiles(plan: TilePlan, clicks: readonly Point[]): Tile[] {
  const clicked = plan.tiles.filter((tile) => clicks.some((click) => tileContains(tile, click)));
  const rank = (tile: Tile): number => {
    const steps = clicked.map(({ column, row }) =>
      Math.max(Math.abs(column - tile.column), Math.abs(row - tile.row)),
    );
    return Math.min(2, ...steps);
  };
  return plan.tiles
    .map((tile) => ({ tile, rank: rank(tile) }))
    .sort((a, b) => a.rank - b.rank || a.tile.row - b.tile.row || a.tile.column - b.tile.column)
    .map(({ tile }) => tile);
}
