import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Engine, Feed, RunOptions } from '../../src/engine/engine';
import { BridgeError } from '../../src/errors';
import type { ModelManifest } from '../../src/services/models/modelManifest';
import { memoryImage, type SearchImage } from '../../src/services/search/tilePixels';
import { float32Tensor, type Tensor } from '../../src/tensor';
import type { Tissue } from '../segmentation/tissue';

export const MODEL_FOLDER = resolve(__dirname, '../../models/sampo-tiny');
const manifest = JSON.parse(readFileSync(join(MODEL_FOLDER, 'model.json'), 'utf8')) as ModelManifest;
const { tileSize, embedding, normalization, limits } = manifest;
const PIXELS = tileSize * tileSize;
const SIDE = tileSize / embedding.stride;
const CELLS = SIDE * SIDE;
const MASK = tileSize / limits.maskStride;
const { abs, exp, log, round } = Math;

/** Tissue as a picture that `fakeEngine` can read: red tells nuclei, green the distance map, blue the type (100 odd, 200 even labels). */
export function tissueImage(tissue: Tissue, pixelSizeMicrons: number | null = 0.5): SearchImage {
  const data = new Uint8Array(tissue.width * tissue.height * 3).fill(255);
  tissue.truth.forEach((label, i) => {
    if (label === 0) return;
    data[3 * i] = 0;
    data[3 * i + 1] = round(255 * tissue.distanceMap[i]!);
    data[3 * i + 2] = label % 2 === 0 ? 200 : 100;
  });
  return memoryImage(
    { width: tissue.width, height: tissue.height, data },
    { uri: 'tissue', pixelSizeMicrons },
  );
}

/** What the fake engine was asked to do, and how it is to misbehave. */
export interface FakeEngine extends Engine {
  /** The tensors that lie in the engine. */
  readonly residents: Map<string, Tensor>;
  readonly runs: { id: string; priority: string | undefined }[];
  /** Called before each run; may throw. */
  before: (id: string, run: number) => void;
}

/**
 * An engine that needs no weights. Its encoder reads `tissueImage`: channel 0 of the embedding is the type. Its decoder
 * answers for pixels by the mean type of the positive examples (points and exemplars), less that of the negative ones.
 */
export function fakeEngine(): FakeEngine {
  const runs: FakeEngine['runs'] = [];
  const residents = new Map<string, Tensor>();
  const engine: FakeEngine = {
    runs,
    residents,
    before: () => undefined,
    load: (id) => Promise.resolve({ id, inputs: [], outputs: [], device: 'cpu' }),
    run: async (id: string, feeds: Readonly<Record<string, Feed>>, options: RunOptions = {}) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (options.signal?.aborted === true) throw new BridgeError('RequestCancelled', 'cancelled');
      runs.push({ id, priority: options.priority });
      engine.before(id, runs.length);
      const inputs = Object.entries(feeds).map(([name, feed]) => {
        const tensor = 'resident' in feed ? residents.get(feed.resident) : feed;
        if (tensor === undefined) throw new BridgeError('ResidentMissing', `no tensor for ${name}`);
        return [name, tensor] as const;
      });
      const outputs = (id.endsWith('encoder') ? encode : decode)(Object.fromEntries(inputs));
      for (const [name, resident] of Object.entries(options.keep ?? {}))
        residents.set(resident, outputs[name]!);
      return outputs;
    },
    release: () => Promise.resolve(),
    setResident: async (name, tensor) => void residents.set(name, tensor),
    getResident: () => Promise.reject(new Error('not used')),
    dropResident: async (name) => void residents.delete(name),
    status: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  };
  return engine;
}

function values(feeds: Readonly<Record<string, Feed>>, name: string): Float32Array {
  return (feeds[name] as Tensor).data as Float32Array;
}

function encode(feeds: Readonly<Record<string, Feed>>): Record<string, Tensor> {
  const image = values(feeds, 'image');
  const { scale, mean, std } = normalization;
  const pixel = (c: number, i: number): number =>
    round((image[c * PIXELS + i]! * std[c]! + mean[c]!) / scale);
  const nucleus = new Float32Array(PIXELS);
  const distance = new Float32Array(PIXELS);
  const features = new Float32Array(embedding.channels * CELLS);
  const seen = new Float32Array(CELLS);
  for (let i = 0; i < PIXELS; i++) {
    const inside = pixel(0, i) < 128;
    nucleus[i] = inside ? 4 : -4;
    if (!inside) continue;
    distance[i] = pixel(1, i) / 255;
    const row = Math.floor(i / tileSize / embedding.stride);
    const cell = row * SIDE + Math.floor((i % tileSize) / embedding.stride);
    features[cell]! += pixel(2, i) / 100;
    seen[cell]!++;
  }
  for (let i = 0; i < CELLS; i++) if (seen[i]! > 0) features[i]! /= seen[i]!;
  return {
    image_embeddings: float32Tensor([1, embedding.channels, SIDE, SIDE], features),
    nucleus_logits: float32Tensor([1, 1, tileSize, tileSize], nucleus),
    distance_map: float32Tensor([1, 1, tileSize, tileSize], distance),
  };
}

function decode(feeds: Readonly<Record<string, Feed>>): Record<string, Tensor> {
  const features = values(feeds, 'image_embeddings');
  const labels = values(feeds, 'exemplar_labels');
  const types = values(feeds, 'exemplar_features');
  const mean = (wanted: number): number | undefined => {
    const found = [...labels.keys()].filter((i) => labels[i] === wanted);
    if (found.length === 0) return undefined;
    return found.reduce((sum, i) => sum + types[i * embedding.channels]!, 0) / found.length;
  };
  const like = mean(1) ?? 99;
  const unlike = mean(0);
  const masks = new Float32Array(limits.masks * MASK * MASK);
  const cellsPerMask = SIDE / MASK;
  for (let y = 0; y < MASK; y++)
    for (let x = 0; x < MASK; x++) {
      const type = features[Math.floor(y * cellsPerMask) * SIDE + Math.floor(x * cellsPerMask)]!;
      const against = unlike === undefined ? 0 : 3 * exp(-10 * abs(type - unlike));
      const logit = 4 * exp(-4 * abs(type - like)) - 2 - against;
      // The first mask is the poorest, the last the best.
      for (let k = 0; k < limits.masks; k++) masks[(k * MASK + y) * MASK + x] = logit - log(3 - k);
    }
  return {
    masks: float32Tensor([1, limits.masks, MASK, MASK], masks),
    iou_predictions: float32Tensor([1, limits.masks], Float32Array.of(0.3, 0.5, 0.8)),
  };
}
