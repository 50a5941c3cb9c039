import { throwIfAborted } from '../../abort';
import { BridgeError } from '../../errors';
import { readGeometry, type ObjectFeature } from '../../segmentation/features';
import { outlineBounds, type Size } from '../../segmentation/geometry';
import type { RgbPixels } from '../images/pixels';
import type { Region } from '../images/region';
import type { SearchImage } from '../search/tilePixels';

/** Regions that one page asks a viewer for at a time: it answers them on a few threads. */
const READS_AT_ONCE = 8;
/** An object takes at most two thirds of its picture's side. */
const MARGIN = 1.5;

/** How pictures of objects are cut. */
export interface ThumbnailRequest {
  /** Longest side of a picture at most, px. */
  readonly size?: number | undefined;
  /** Side of the square that is shown, µm; more around an object that is larger. */
  readonly microns?: number | undefined;
}

/** A picture of one object: the pixels of `region`. */
export interface ObjectThumbnail {
  readonly objectId: string;
  readonly region: Region;
  readonly pixels: RgbPixels;
}

/**
 * The square around an object, inside the image: moved in at its edges, and cut where the image itself is smaller. Never
 * enlarged: the downsample is at least 1, since a viewer enlarges as well as the server.
 * @param pixelSizeMicrons µm per px of the image
 */
export function thumbnailRegion(
  object: Pick<ObjectFeature, 'geometry'>,
  image: Size,
  pixelSizeMicrons: number,
  { size = 96, microns = 24 }: ThumbnailRequest = {},
): Region {
  const bounds = outlineBounds(readGeometry(object.geometry));
  const longest = Math.max(bounds.width, bounds.height);
  const side = Math.max(1, Math.ceil(Math.max(microns / pixelSizeMicrons, MARGIN * longest)));
  const width = Math.min(side, image.width);
  const height = Math.min(side, image.height);
  return {
    x: placed(bounds.x + (bounds.width - width) / 2, image.width - width),
    y: placed(bounds.y + (bounds.height - height) / 2, image.height - height),
    width,
    height,
    downsample: Math.max(1, Math.max(width, height) / size),
  };
}

/**
 * Pictures of objects, in their order, a few read at a time.
 * @throws what the image's `read` throws: a page lacks no picture silently
 */
export async function cutThumbnails(
  image: SearchImage,
  objects: readonly ObjectFeature[],
  pixelSizeMicrons: number,
  request: ThumbnailRequest,
  signal?: AbortSignal,
): Promise<ObjectThumbnail[]> {
  const cut = async (object: ObjectFeature): Promise<ObjectThumbnail> => {
    const region = thumbnailRegion(object, image, pixelSizeMicrons, request);
    return { objectId: object.id, region, pixels: await image.read(region, signal) };
  };
  const thumbnails: ObjectThumbnail[] = [];
  for (let at = 0; at < objects.length; at += READS_AT_ONCE) {
    throwIfAborted(signal);
    thumbnails.push(...(await Promise.all(objects.slice(at, at + READS_AT_ONCE).map(cut))));
  }
  return thumbnails;
}

/** @throws BridgeError `LimitExceeded` when a page with pictures would hold more than `limit` objects */
export function checkThumbnailCount(count: number, limit: number): void {
  if (count <= limit) return;
  throw new BridgeError('LimitExceeded', `${count} pictures are more than the limit of ${limit}`, {
    limit: 'thumbnails',
    value: limit,
    hint: 'ask for fewer objects at a time, or leave thumbnails out',
  });
}

function placed(wanted: number, most: number): number {
  return Math.min(Math.max(0, Math.round(wanted)), most);
}
