import { BridgeError } from '../../errors';
import {
  planTiles,
  rectangleToModelSpace,
  relateSpaces,
  type Spaces,
  type TilePlan,
} from '../../segmentation/coordinates';
import type { Outline } from '../../segmentation/geometry';
import { mapOutline } from '../../segmentation/geometry';
import type { PromptableModel } from '../models/promptableModel';
import { clipExtent, type SearchExtent } from './searchRequest';
import type { SearchImage } from './tilePixels';
import type { Warning } from '../warning';

/** Pixels that neighbouring tiles share; enough context for a nucleus of 16 µm at the seam. */
export const TILE_OVERLAP = 32;
/** What is looked at around the extent, model px: objects anchored inside are seen whole. */
const CONTEXT = 24;
/** Outside of these, nuclei are so small or so large in the image that a wrong unit is likely, µm/px. */
const USUAL_PIXEL_SIZE = { least: 0.05, most: 2 } as const;

/** Where a search looks, in both spaces. */
export interface SearchPlan {
  readonly spaces: Spaces;
  /** Of the image, µm. */
  readonly pixelSizeMicrons: number;
  readonly plan: TilePlan;
  /** A polygonal extent in model space. */
  readonly within?: Outline;
  readonly warnings: readonly Warning[];
}

/**
 * Lays tiles over the extent at the model's scale. @param tileLimit most tiles of one request
 * @throws BridgeError `EmptyExtent`, `GeometryInvalid`, `ExtentTooLarge`
 */
export function planSearch(
  image: SearchImage,
  extent: SearchExtent,
  manifest: PromptableModel['manifest'],
  options: {
    readonly pixelSizeMicrons?: number | undefined;
    readonly tileLimit: number;
    /** Image px; in place of the extent's own. */
    readonly within?: Outline | undefined;
  },
): SearchPlan {
  const warnings: Warning[] = [];
  const known = options.pixelSizeMicrons ?? image.pixelSizeMicrons;
  const pixelSizeMicrons = known ?? manifest.micronsPerPixel;
  if (known === null)
    warnings.push({
      name: 'PixelSizeAssumed',
      message: `the image does not say how large a pixel is; ${pixelSizeMicrons} µm is assumed: give the true value if nuclei are missed`,
    });
  else if (known < USUAL_PIXEL_SIZE.least || known > USUAL_PIXEL_SIZE.most)
    warnings.push({
      name: 'PixelSizeUnusual',
      message: `a pixel of ${known} µm is unusual for nuclei; the model works at ${manifest.micronsPerPixel} µm`,
    });
  const clipped = clipExtent(extent, image);
  const spaces = relateSpaces(image, pixelSizeMicrons, manifest.micronsPerPixel);
  const outline = options.within ?? clipped.within;
  const within = outline === undefined ? undefined : mapOutline(outline, 1 / spaces.scale, 0, 0);
  const bounds = rectangleToModelSpace(spaces, clipped.bounds);
  // Counted before they are made: a wrong pixel size could ask for millions.
  const step = manifest.tileSize - TILE_OVERLAP;
  const atLeast = Math.floor(bounds.width / step) * Math.floor(bounds.height / step);
  if (within === undefined && atLeast > options.tileLimit) throw tooLarge(atLeast, options.tileLimit);
  const plan = planTiles({
    modelSize: spaces.modelSize,
    tileSize: manifest.tileSize,
    overlap: TILE_OVERLAP,
    extent: bounds,
    context: CONTEXT,
    ...(within && { within }),
  });
  if (plan.tiles.length > options.tileLimit) throw tooLarge(plan.tiles.length, options.tileLimit);
  return { spaces, pixelSizeMicrons, plan, warnings, ...(within && { within }) };
}

function tooLarge(tiles: number, limit: number): BridgeError {
  return new BridgeError('ExtentTooLarge', `the extent has ${tiles} tiles, ${limit} are allowed`, {
    tiles,
    limit,
  });
}
