import type { Spaces, Tile } from '../../segmentation/coordinates';
import { rectangleToImageSpace } from '../../segmentation/coordinates';
import type { Rectangle, Size } from '../../segmentation/geometry';
import type { RgbImage } from '../../segmentation/preprocess';
import type { ImageRegistry } from '../images/images';
import { resample, type RgbPixels } from '../images/pixels';
import type { Region } from '../images/region';

/** An image to look for nuclei in: where its pixels come from, and what names it. */
export interface SearchImage extends Size {
  /** Names the open image; results are kept until it is closed. */
  readonly imageId: string;
  /** Names the image for the user and in stored examples. */
  readonly uri: string;
  /** The same for the same pixels at any time; absent when only the pixels themselves can tell (a viewer's layer). */
  readonly key?: string;
  readonly pixelSizeMicrons: number | null;
  /** 8-bit RGB of a region, `round(size / downsample)` px. */
  read(region: Region, signal?: AbortSignal): Promise<RgbPixels>;
}

/** An open image as a search sees it. @throws BridgeError `ImageNotOpen` */
export function searchImage(images: ImageRegistry, imageId: string): SearchImage {
  const { source, key, uri, width, height, pixelSizeMicrons } = images.get(imageId);
  return {
    imageId,
    uri,
    width,
    height,
    pixelSizeMicrons,
    // A viewer may show other pixels under the same name next time.
    ...(source === 'file' && { key }),
    read: (region, signal) => images.readRegion(imageId, region, signal),
  };
}

/** An image whose pixels are in memory, [height * width * 3]. */
export function memoryImage(
  pixels: RgbImage,
  names: { readonly uri: string; readonly pixelSizeMicrons: number | null },
): SearchImage {
  const whole = { ...pixels, channels: 3 as const };
  return {
    ...names,
    imageId: names.uri,
    width: pixels.width,
    height: pixels.height,
    read: async (region) => {
      const width = Math.max(1, Math.round(region.width / region.downsample));
      const height = Math.max(1, Math.round(region.height / region.downsample));
      return resample(whole, region, width, height);
    },
  };
}

/**
 * The pixels of a tile in model space, tile.width x tile.height, aligned with it to a fraction of a pixel: read at the power
 * of two below the wanted scale, then resampled by area (or bilinear where the image is coarser than the model).
 * @throws what the image's `read` throws
 */
export async function readTile(
  image: SearchImage,
  spaces: Spaces,
  tile: Tile,
  signal?: AbortSignal,
): Promise<RgbImage> {
  const wanted = clip(rectangleToImageSpace(spaces, tile), image);
  const downsample = 2 ** Math.max(0, Math.floor(Math.log2(spaces.scale) + 1e-9));
  const x = Math.floor(wanted.x / downsample) * downsample;
  const y = Math.floor(wanted.y / downsample) * downsample;
  const right = Math.min(image.width, Math.ceil((wanted.x + wanted.width) / downsample) * downsample);
  const bottom = Math.min(image.height, Math.ceil((wanted.y + wanted.height) / downsample) * downsample);
  const region = { x, y, width: right - x, height: bottom - y, downsample };
  const pixels = await image.read(region, signal);
  // At the image's border a read pixel may cover a little less than the downsample.
  const stepX = region.width / pixels.width;
  const stepY = region.height / pixels.height;
  const window = {
    x: (wanted.x - x) / stepX,
    y: (wanted.y - y) / stepY,
    width: wanted.width / stepX,
    height: wanted.height / stepY,
  };
  const exact =
    window.x === 0 && window.y === 0 && window.width === tile.width && window.height === tile.height;
  if (exact && pixels.width === tile.width && pixels.height === tile.height) return pixels;
  return resample(pixels, window, tile.width, tile.height);
}

/** The part of a rectangle inside the image, at least a pixel wide: model px round, so a tile may reach out by a fraction. */
function clip(r: Rectangle, { width, height }: Size): Rectangle {
  const x = Math.min(Math.max(0, r.x), width - 1);
  const y = Math.min(Math.max(0, r.y), height - 1);
  return {
    x,
    y,
    width: Math.max(1, Math.min(width, r.x + r.width) - x),
    height: Math.max(1, Math.min(height, r.y + r.height) - y),
  };
}
