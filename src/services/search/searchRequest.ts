import { BridgeError } from '../../errors';
import type { Classification } from '../../segmentation/features';
import { readFeature, readGeometry } from '../../segmentation/features';
import type { Outline, Point, Rectangle, Size } from '../../segmentation/geometry';
import { outlineArea, outlineBounds } from '../../segmentation/geometry';
import type { Example } from './example';

/** A click in full-resolution px. */
export interface Click extends Point {
  readonly positive: boolean;
}

/** A place of an image, full-resolution px, whose nucleus the user has judged: 1 is of the type, 0 is not. */
export interface JudgedPlace extends Point {
  readonly imageUri: string;
  readonly label: 0 | 1;
}

/** An intent as a search needs it. */
export interface SearchIntent {
  readonly intentId: string;
  readonly classification: Classification;
  /** Oldest first. */
  readonly exemplars: readonly Example[];
  /** Tokens of a refinement, [intentTokens, channels]. */
  readonly tokens?: Float32Array | undefined;
  /** Engine id of a refined decoder. */
  readonly decoder?: string | undefined;
  /** Refinements so far. */
  readonly round: number;
  /** The model's own when absent. */
  readonly scoreThreshold?: number | undefined;
  /** Nuclei that were judged, wherever; the newest judgement of each. */
  readonly judged?: readonly JudgedPlace[] | undefined;
}

/** What the user shows for one intent, full-resolution px. */
export interface IntentPrompt {
  readonly intent: SearchIntent;
  readonly clicks: readonly Click[];
  readonly boxes: readonly Rectangle[];
  /** Outlines of objects that are of the type. */
  readonly objects: readonly Outline[];
}

/** Where to look, full-resolution px. */
export type SearchExtent =
  | { readonly type: 'image' }
  | ({ readonly type: 'view' | 'rectangle' } & Rectangle)
  | { readonly type: 'polygon'; readonly coordinates: readonly unknown[] }
  | { readonly type: 'multipolygon'; readonly coordinates: readonly unknown[] };

/** Filters that need no inference. */
export interface SearchFilters {
  readonly threshold?: number | undefined;
  readonly minAreaMicrons2?: number | undefined;
  readonly maxAreaMicrons2?: number | undefined;
  readonly simplify?: number | undefined;
}

/** The extent inside the image: its bounds and, for a polygon, its outline, full-resolution px. */
export interface ClippedExtent {
  readonly bounds: Rectangle;
  readonly within?: Outline;
}

/** The outlines of example objects. @throws BridgeError `GeometryInvalid` */
export function readExamples(features: readonly unknown[]): Outline[] {
  return features.map((feature, i) => {
    try {
      return readFeature(feature).outline;
    } catch (error) {
      throw new BridgeError('GeometryInvalid', `example object ${i}: ${(error as Error).message}`);
    }
  });
}

/** The part of an extent that lies in the image. @throws BridgeError `EmptyExtent`, `GeometryInvalid` */
export function clipExtent(extent: SearchExtent, image: Size): ClippedExtent {
  if (extent.type === 'image') return { bounds: { x: 0, y: 0, width: image.width, height: image.height } };
  if (extent.type !== 'polygon' && extent.type !== 'multipolygon')
    return { bounds: clipRectangle(extent, image) };
  let within: Outline;
  try {
    within = readGeometry({
      type: extent.type === 'polygon' ? 'Polygon' : 'MultiPolygon',
      coordinates: extent.coordinates,
    });
  } catch (error) {
    throw new BridgeError('GeometryInvalid', `the extent is not a polygon: ${(error as Error).message}`);
  }
  if (!(outlineArea(within) > 0)) throw emptyExtent(image);
  return { bounds: clipRectangle(outlineBounds(within), image), within };
}

function clipRectangle(r: Rectangle, image: Size): Rectangle {
  const x = Math.max(0, r.x);
  const y = Math.max(0, r.y);
  const width = Math.min(image.width, r.x + r.width) - x;
  const height = Math.min(image.height, r.y + r.height) - y;
  if (!(width > 0 && height > 0)) throw emptyExtent(image);
  return { x, y, width, height };
}

function emptyExtent({ width, height }: Size): BridgeError {
  return new BridgeError('EmptyExtent', `the extent holds no pixel of the image of ${width} x ${height}`, {
    width,
    height,
  });
}

/** Checks that every example lies in the image. @throws BridgeError `ClickOutside` naming the example, `LimitExceeded` */
export function checkPrompts(prompts: readonly IntentPrompt[], image: Size, limit: number): void {
  const count = prompts.reduce((sum, p) => sum + p.clicks.length + p.boxes.length + p.objects.length, 0);
  if (count > limit)
    throw new BridgeError('LimitExceeded', `${count} examples are more than the limit of ${limit}`, {
      limit: 'promptsPerRequest',
      value: limit,
    });
  const seen = new Set<string>();
  for (const { intent, clicks, boxes, objects } of prompts) {
    const { intentId } = intent;
    if (seen.has(intentId))
      throw new BridgeError('InvalidParams', `the intent ${intentId} is given twice`, { intentId });
    seen.add(intentId);
    for (const { x, y } of clicks)
      if (!(x >= 0 && y >= 0 && x < image.width && y < image.height))
        throw new BridgeError(
          'ClickOutside',
          `the click at (${x}, ${y}) lies outside the image of ${image.width} x ${image.height}`,
          { intentId, x, y, width: image.width, height: image.height },
        );
    for (const box of [...boxes, ...objects.map(outlineBounds)])
      if (
        !(box.width > 0 && box.height > 0) ||
        box.x + box.width <= 0 ||
        box.y + box.height <= 0 ||
        box.x >= image.width ||
        box.y >= image.height
      )
        throw new BridgeError(
          'ClickOutside',
          `the box or object at (${box.x}, ${box.y}) lies outside the image`,
          { intentId, ...box, imageWidth: image.width, imageHeight: image.height },
        );
  }
}
