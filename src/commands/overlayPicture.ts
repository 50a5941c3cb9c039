import { writeFileSync } from 'node:fs';
import type { Feature } from '../protocol/types.gen';
import { readGeometry } from '../segmentation/features';
import { mapOutline, type Rectangle } from '../segmentation/geometry';
import { decodeBytes, encodeOverlay } from '../services/images/imageDecoder';
import { overlaySvg, type OverlayClick } from '../services/search/overlay';
import type { RpcClient } from './rpcClient';

/** Sides up to this are drawn twice as large, with scores; longer ones than `LARGEST` are read reduced. */
const SMALL = 1024;
const LARGEST = 4096;

/** What a picture shows. */
export interface OverlayContent {
  readonly imageId: string;
  /** Part of the image, whole px. */
  readonly region: Rectangle;
  readonly features: readonly Feature[];
  /** Full-resolution px. */
  readonly clicks: readonly OverlayClick[];
  readonly legend: string;
}

/** Draws objects and clicks over pixels that the server reads, as a PNG file. @throws what `image/region` answers */
export async function writeOverlay(client: RpcClient, path: string, content: OverlayContent): Promise<void> {
  const { imageId, region, features, legend } = content;
  const longest = Math.max(region.width, region.height);
  const downsample = 2 ** Math.max(0, Math.ceil(Math.log2(longest / LARGEST)));
  const scale = longest <= SMALL ? 2 : 1;
  const { base64, width, height } = await client.request('image/region', { imageId, ...region, downsample });
  const pixels = await decodeBytes(Buffer.from(base64, 'base64'), { width, height });
  const [dx, dy] = [-region.x / downsample, -region.y / downsample];
  const objects = features.map(({ geometry, properties }) => {
    const { classification, measurements } = properties;
    return {
      outline: mapOutline(readGeometry(geometry), 1 / downsample, dx, dy),
      score: measurements?.['SAMPO score'] ?? 0,
      color: classification?.color ?? [255, 255, 255],
    };
  });
  const clicks = content.clicks.map(({ x, y, positive }) => ({
    x: x / downsample + dx,
    y: y / downsample + dy,
    positive,
  }));
  const svg = overlaySvg({ width, height }, objects, clicks, { scale, legend, scores: scale > 1 });
  writeFileSync(path, await encodeOverlay(pixels, svg, scale));
}
