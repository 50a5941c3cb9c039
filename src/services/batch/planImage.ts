import { rectangleToImageSpace, relateSpaces } from '../../segmentation/coordinates';
import { coverageMask, coveredArea } from '../../segmentation/coverage';
import type { Outline, Rectangle, Size } from '../../segmentation/geometry';
import { findTissue, type TissueMask } from '../../segmentation/tissue';
import { unitGrid, type Unit } from '../../segmentation/unitGrid';
import { isBridgeError } from '../../errors';
import type { RgbPixels } from '../images/pixels';
import { clipExtent, type SearchExtent } from '../search/searchRequest';
import type { SearchImage } from '../search/tilePixels';
import type { Warning } from '../warning';

/** Side of a unit, model px: a hundred tiles, some ten seconds on two cores. */
const UNIT_SIDE = 2048;
/** Longest side of the picture in which tissue is found and that the contact sheet shows, px. */
const OVERVIEW_SIDE = 1536;
/** Pixels read at a time of an image without a small level. */
const BAND_PIXELS = 2 ** 24;

/** An image cut into units. */
export interface CutImage {
  readonly units: readonly Unit[];
  /** Of the extent, or of the tissue in it, mm². */
  readonly areaMm2: number;
  readonly pixelSizeMicrons: number;
  /** Of an extent that is no rectangle, image px. */
  readonly within: Outline | undefined;
  readonly overview: RgbPixels;
  /** Of the whole image; absent when all of the extent is searched. */
  readonly tissue: TissueMask | undefined;
  readonly warnings: readonly Warning[];
  /** What of a part of the image counts as searched, mm². */
  areaOf(part: Rectangle): number;
}

/** What an image is cut by. */
export interface CutOptions {
  readonly extent?: SearchExtent | undefined;
  readonly tissue: boolean;
  /** Of the model, µm/px; also the pixel size of an image that does not say its own. */
  readonly micronsPerPixel: number;
  /** Side of a unit, model px; 2048 when absent. */
  readonly unitSide?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Cuts what is to be searched into units on a grid that the image alone fixes.
 * @throws BridgeError `EmptyExtent`, `GeometryInvalid`, and what reading the image throws
 */
export async function cutImage(image: SearchImage, options: CutOptions): Promise<CutImage> {
  const { extent = { type: 'image' as const }, micronsPerPixel, unitSide = UNIT_SIDE, signal } = options;
  const warnings: Warning[] = [];
  const pixelSizeMicrons = image.pixelSizeMicrons ?? micronsPerPixel;
  if (image.pixelSizeMicrons === null)
    warnings.push({
      name: 'PixelSizeAssumed',
      message: `the image does not say how large a pixel is; ${pixelSizeMicrons} µm is assumed`,
    });
  const { bounds, within } = clipExtent(extent, image);
  const overview = await readOverview(image, signal);
  const overviewMicrons = (image.width / overview.width) * pixelSizeMicrons;
  const tissue = options.tissue ? findTissue(overview, overviewMicrons) : undefined;
  const spaces = relateSpaces(image, pixelSizeMicrons, micronsPerPixel);
  const { width: side } = rectangleToImageSpace(spaces, { x: 0, y: 0, width: unitSide, height: unitSide });
  const searchedMask = tissue === undefined ? undefined : inside(tissue, within, image);
  const units = unitGrid(
    image,
    bounds,
    side,
    searchedMask ?? (within && coverageMask(within, overview, image)),
  );
  if (units.length === 0)
    warnings.push({
      name: 'NoTissue',
      message: 'no tissue was found on the small level; run without --tissue to search everything',
    });
  const searched = (part: Rectangle): number => {
    if (searchedMask !== undefined) return tissueArea(searchedMask, image, part, pixelSizeMicrons);
    if (within === undefined) return rectangleArea(part, pixelSizeMicrons);
    return (coveredArea(within, part) * pixelSizeMicrons ** 2) / 1e6;
  };
  return {
    units,
    areaMm2: searched(bounds),
    pixelSizeMicrons,
    within,
    overview,
    tissue,
    warnings,
    areaOf: searched,
  };
}

/** The whole image, small. @throws what reading the image throws */
async function readOverview(image: SearchImage, signal: AbortSignal): Promise<RgbPixels> {
  const { width, height } = image;
  const downsample = Math.max(1, Math.max(width, height) / OVERVIEW_SIDE);
  try {
    return await image.read({ x: 0, y: 0, width, height, downsample }, signal);
  } catch (error) {
    if (!isBridgeError(error) || error.errorName !== 'LimitExceeded') throw error;
    return readInBands(image, Math.ceil(downsample), signal);
  }
}

/** The same of an image that has no small level and is too large to be read at once. @param downsample a whole number */
async function readInBands(image: SearchImage, downsample: number, signal: AbortSignal): Promise<RgbPixels> {
  const { width, height } = image;
  const rows = downsample * Math.max(1, Math.floor(BAND_PIXELS / width / downsample));
  const bands: RgbPixels[] = [];
  for (let y = 0; y < height; y += rows) {
    const region = { x: 0, y, width, height: Math.min(rows, height - y), downsample };
    bands.push(await image.read(region, signal));
  }
  return {
    width: bands[0]!.width,
    height: bands.reduce((sum, band) => sum + band.height, 0),
    channels: 3,
    data: Buffer.concat(bands.map(({ data }) => data)),
  };
}

/** The tissue that lies in an outline. */
function inside(tissue: TissueMask, within: Outline | undefined, image: Size): TissueMask {
  if (within === undefined) return tissue;
  const covered = coverageMask(within, tissue, image);
  return { ...tissue, data: tissue.data.map((value, i) => value & covered.data[i]!) };
}

/** mm² */
function rectangleArea({ width, height }: Rectangle, pixelSizeMicrons: number): number {
  return (width * height * pixelSizeMicrons ** 2) / 1e6;
}

/** Tissue inside a rectangle of the image, mm². */
export function tissueArea(
  { width, height, data }: TissueMask,
  image: { readonly width: number; readonly height: number },
  within: Rectangle,
  pixelSizeMicrons: number,
): number {
  const stepX = image.width / width;
  const stepY = image.height / height;
  let area = 0;
  for (let y = 0; y < height; y++) {
    const rows = overlap(y * stepY, (y + 1) * stepY, within.y, within.y + within.height);
    if (rows <= 0) continue;
    for (let x = 0; x < width; x++)
      if (data[y * width + x] === 1)
        area += rows * Math.max(0, overlap(x * stepX, (x + 1) * stepX, within.x, within.x + within.width));
  }
  return (area * pixelSizeMicrons ** 2) / 1e6;
}

function overlap(a0: number, a1: number, b0: number, b1: number): number {
  return Math.min(a1, b1) - Math.max(a0, b0);
}
