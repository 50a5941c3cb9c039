import { BridgeError, isBridgeError } from '../errors';
import type { Feature } from '../protocol/types.gen';
import { readGeometry } from '../segmentation/features';
import { outlineArea, outlineCentroid } from '../segmentation/geometry';
import type { RgbImage } from '../segmentation/preprocess';
import type { FoundObject } from '../segmentation/stitch';
import type { Click } from '../benchmark/clicks';
import type { IntentPredictor, ModelIdentity, PreparedImage } from '../benchmark/intentPredictor';
import { labelObjects } from '../benchmark/judge';
import { memoryImage, type SearchImage } from '../services/search/tilePixels';
import type { RpcClient } from './rpcClient';

/** The whole product behind the benchmark's interface: every trial is a `segment/prompt` to a server. */
export async function openRpcPredictor(client: RpcClient, model: ModelIdentity): Promise<IntentPredictor> {
  const open = new Map<string, SearchImage>();
  client.answer('image/readRegion', async ({ imageId, ...region }) => {
    const image = open.get(imageId);
    if (image === undefined) throw new BridgeError('ImageNotOpen', `this client shows no image ${imageId}`);
    const { width, height, channels, data } = await image.read(region);
    return { encoding: 'raw', width, height, channels, base64: Buffer.from(data).toString('base64') };
  });
  const { intent } = await client.request('intent/create', { name: 'benchmark', color: [20, 60, 220] });
  return {
    model,
    prepare: async (image: RgbImage) => {
      const { width, height } = image;
      const pixelSizeMicrons = model.micronsPerPixel;
      const uri = 'benchmark';
      const { imageId } = await client.request('image/open', {
        ...{ uri, source: 'client', width, height, pixelSizeMicrons },
      });
      open.set(imageId, memoryImage(image, { uri, pixelSizeMicrons }));
      const search = async (clicks: readonly Click[], threshold?: number): Promise<readonly Feature[]> => {
        const { featureCollection } = await client.request('segment/prompt', {
          imageId,
          intents: [
            {
              intentId: intent.intentId,
              clicks: clicks.map(({ x, y, label }) => ({ x, y, positive: label === 1 })),
            },
          ],
          extent: { type: 'image' },
          remember: false,
          ...(threshold !== undefined && { filters: { threshold } }),
        });
        return featureCollection.features;
      };
      /** A server refuses a click for and one against the same nucleus; as it advises, the one against is taken back. */
      const patiently = async (clicks: readonly Click[]): Promise<readonly Feature[]> => {
        try {
          return await search(clicks);
        } catch (error) {
          if (!isBridgeError(error) || error.errorName !== 'ConflictingClicks') throw error;
          const refused = error.data['clicks'] as readonly { x: number; y: number; positive: boolean }[];
          const kept = clicks.filter(
            (click) => click.label === 1 || !refused.some((one) => one.x === click.x && one.y === click.y),
          );
          if (kept.length === clicks.length) throw error;
          return patiently(kept);
        }
      };
      // With no threshold every nucleus passes, whatever was clicked.
      const all = await search([{ x: width / 2, y: height / 2, label: 1 }], 0);
      const places = new Map(all.map(({ id }, i) => [id, i]));
      const objects = all.map(toObject);
      return {
        objects,
        labels: labelObjects(objects, image),
        scores: async (clicks, without) => {
          if (without !== undefined)
            throw new BridgeError('NotAvailable', `a server does not answer without ${without}`, {
              hint: 'leave out --over-rpc, or the methods that are no more than a part of the answer',
            });
          const scores = new Float32Array(objects.length);
          for (const { id } of await patiently(clicks)) scores[places.get(id)!] = 1;
          return scores;
        },
        release: async () => {
          open.delete(imageId);
          await client.request('image/close', { imageId });
        },
      } satisfies PreparedImage;
    },
  };
}

/** The server tells which objects pass, not their maps: scores are empty. */
function toObject({ geometry }: Feature): FoundObject {
  const outline = readGeometry(geometry);
  const centroid = outlineCentroid(outline);
  return { outline, area: outlineArea(outline), centroid, anchor: centroid, scores: [], nucleusScore: 1 };
}
