import { BridgeError } from '../../errors';

/** A region in full-resolution pixels, and how many of them one pixel of the answer covers. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly downsample: number;
}

/** The size in pixels of what a read of `region` gives: its own over the downsample, rounded, at least 1 × 1. */
export function outputSize({ width, height, downsample }: Region): { width: number; height: number } {
  return {
    width: Math.max(1, Math.round(width / downsample)),
    height: Math.max(1, Math.round(height / downsample)),
  };
}

/** @throws BridgeError `RegionOutOfImage` unless the region is whole pixels, not empty, and inside the image */
export function checkRegion(
  region: Region,
  image: { readonly width: number; readonly height: number },
): void {
  const { x, y, width, height, downsample } = region;
  const whole = [x, y, width, height].every(Number.isInteger) && downsample > 0;
  const inside = x >= 0 && y >= 0 && x + width <= image.width && y + height <= image.height;
  if (whole && inside && width >= 1 && height >= 1) return;
  throw new BridgeError(
    'RegionOutOfImage',
    `the region does not lie inside ${image.width} x ${image.height}`,
    {
      width: image.width,
      height: image.height,
      region,
    },
  );
}

/** @throws BridgeError `LimitExceeded` when one read would hold more than `limit` pixels */
export function checkRegionPixels(pixels: number, limit: number): void {
  if (pixels <= limit) return;
  throw new BridgeError('LimitExceeded', `a region of ${pixels} pixels is more than the limit of ${limit}`, {
    limit: 'regionPixels',
    value: limit,
    hint: 'read a smaller region, or at a larger downsample where the file has a pyramid',
  });
}
