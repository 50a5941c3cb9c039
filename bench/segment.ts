/**
 * The main job from a client's side, against the built command line with the bundled model: a click to all objects of a 512 x 512
 * region at 0.5 µm/px, with cached embeddings and with none; a large region in tiles per second beside the raw engine; peak memory.
 * `npm run build`, then `node -r ./scripts/swcRegister.cjs bench/segment.ts > bench/records/segment.json`. Budgets on two cores: p50
 * 150 ms, first click 1 s, first objects of the large region 1.5 s, 90 % of the raw engine, 1.5 GB.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { RpcClient } from '../src/commands/rpcClient';
import { createEngineClient } from '../src/engine/engineClient';
import { normalizeRgb } from '../src/segmentation/preprocess';
import { buildPromptFeeds } from '../src/segmentation/prompts';
import { readConnectionFile } from '../src/server/connectionFile';
import { NucleusModel } from '../src/services/models/nucleusModel';
import { crop } from '../src/services/images/pixels';
import type { Tensor } from '../src/tensor';
import {
  circumstances,
  peakResidentBytes,
  quantile,
  series,
  startBuilt,
  stopBuilt,
  timed,
} from './builtServer';
import { writeMosaic } from './mosaic';

const { values } = parseArgs({
  options: {
    side: { type: 'string', default: '4000' },
    repeats: { type: 'string', default: '50' },
    profile: { type: 'string' },
  },
});
const SIDE = Number(values.side);
const REPEATS = Number(values.repeats);
const REGION = 512;
/** Regions of first clicks: far enough apart that they share no tile. */
const FIRST_STEP = 800;
const MODEL = join(__dirname, '../models/sampo-tiny');
/** Tiles of the raw engine's loop, before and after the large region. */
const RAW_TILES = Math.min(60, Math.round((SIDE / 224) ** 2));

interface Click {
  readonly x: number;
  readonly y: number;
}

/** `work` with a client of a fresh server; also the peak memory of its two processes. */
async function withFresh<T>(
  name: string,
  folder: string,
  work: (client: RpcClient) => Promise<T>,
): Promise<T & { peakBytes: { server: number; engine: number } }> {
  const node = values.profile
    ? ['--cpu-prof', '--cpu-prof-dir', values.profile, '--cpu-prof-name', `${name}.cpuprofile`]
    : [];
  const server = await startBuilt(join(folder, name), { roots: [folder], node });
  try {
    const info = readConnectionFile(server.connectionFile);
    if (!info) throw new Error('no connection file');
    const client = await RpcClient.connect(info);
    const figures = await work(client);
    const { engine } = await client.request('server/status', {});
    const peakBytes = {
      server: peakResidentBytes(server.child.pid),
      engine: peakResidentBytes(engine.pid ?? undefined),
    };
    await client.close();
    return { ...figures, peakBytes };
  } finally {
    await stopBuilt(server);
  }
}

async function prepare(client: RpcClient, image: string) {
  const { imageId } = await client.request('image/open', { uri: image, source: 'file' });
  const { intent } = await client.request('intent/create', { name: 'Lymphocyte', color: [20, 60, 220] });
  return { imageId, intentId: intent.intentId };
}

function ask(
  client: RpcClient,
  { imageId, intentId }: { imageId: string; intentId: string },
  click: Click,
  at: Click,
) {
  const extent = { type: 'rectangle' as const, x: at.x, y: at.y, width: REGION, height: REGION };
  return client.request('segment/prompt', {
    imageId,
    intents: [{ intentId, clicks: [{ x: click.x, y: click.y }] }],
    extent,
    remember: false,
  });
}

/** Every request brings another click; all tiles of the region have been encoded before. */
async function measureCached(client: RpcClient, image: string, clicks: readonly Click[]) {
  const names = await prepare(client, image);
  const near = clicks.filter(({ x, y }) => x >= 100 && y >= 100);
  const region = { x: 100, y: 100 };
  const click = (repeat: number) => near[repeat % near.length]!;
  const warm = await series(5, (repeat) => ask(client, names, click(repeat), region));
  let objects = 0;
  let tiles = 0;
  const times = await series(REPEATS, async (repeat) => {
    const found = await ask(client, names, click(repeat + 5), region);
    if (found.tiles.cached !== found.tiles.total) throw new Error('a tile was not cached');
    objects += found.featureCollection.features.length;
    tiles = found.tiles.total;
  });
  return {
    firstMilliseconds: warm[0],
    clickToAllObjectsCached: {
      n: times.length,
      p50: quantile(times, 0.5),
      p95: quantile(times, 0.95),
      tiles,
      objectsPerRequest: objects / times.length,
    },
  };
}

/** The first click of all, sent as soon as the server listens: its model may still be loading. */
async function measureFresh(client: RpcClient, image: string) {
  const names = await prepare(client, image);
  const place = { x: 100, y: 100 };
  const milliseconds = await timed(() => ask(client, names, { x: place.x + 256, y: place.y + 256 }, place));
  return { milliseconds };
}

/** Resolves once the server has loaded its model and its engine has nothing left to do. */
async function warmed(client: RpcClient): Promise<void> {
  for (;;) {
    const { models } = await client.request('model/list', {});
    const { engine } = await client.request('server/status', {});
    if (models[0]?.loaded && Object.values(engine.queue).every((jobs) => jobs === 0)) break;
    await setTimeout(50);
  }
  await setTimeout(1000); // the last job may still run
}

/** Every request asks for a region whose tiles nobody has encoded; the first one of a server that has had a moment to start. */
async function measureFirst(client: RpcClient, image: string) {
  await warmed(client);
  const names = await prepare(client, image);
  const across = Math.max(1, Math.floor((SIDE - REGION) / FIRST_STEP));
  const places = Array.from({ length: Math.min(12, across * across) }, (_, i) => ({
    x: (i % across) * FIRST_STEP + 100,
    y: Math.floor(i / across) * FIRST_STEP + 100,
  }));
  const times: number[] = [];
  for (const place of places)
    times.push(await timed(() => ask(client, names, { x: place.x + 256, y: place.y + 256 }, place)));
  const [first = NaN, ...others] = times;
  return {
    clickWithEncoding: {
      veryFirst: first,
      n: others.length,
      p50: quantile(others, 0.5),
      p95: quantile(others, 0.95),
    },
  };
}

async function measureLarge(client: RpcClient, image: string, clicks: readonly Click[]) {
  const { imageId, intentId } = await prepare(client, image);
  const begin = performance.now();
  let firstObjects = NaN;
  const found = await client.request(
    'segment/prompt',
    {
      imageId,
      intents: [{ intentId, clicks: clicks.slice(0, 3).map(({ x, y }) => ({ x, y })) }],
      extent: { type: 'image' },
    },
    {
      progress: ({ objects }) => {
        if (objects?.length && Number.isNaN(firstObjects)) firstObjects = performance.now() - begin;
      },
    },
  );
  const seconds = (performance.now() - begin) / 1000;
  return {
    tiles: found.tiles.total,
    objects: found.featureCollection.features.length,
    seconds,
    tilesPerSecond: found.tiles.total / seconds,
    firstObjectsMilliseconds: firstObjects,
  };
}

/**
 * Tiles per second of encoder and decoder alone, ready tensors in, nothing done with the answer: of the engine that the server uses
 * (a process of its own), and of ONNX Runtime in this process.
 */
async function rawLoops(image: string): Promise<{ engine: number; runtime: number }> {
  const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  const pixels = { width: info.width, height: info.height, channels: 3 as const, data };
  const engine = await createEngineClient({ device: 'cpu' });
  try {
    const { manifest, promptLimits } = new NucleusModel(engine, MODEL);
    const { tileSize, normalization, embedding, files } = manifest;
    const images = Array.from({ length: 16 }, (_, i) => {
      const [x, y] = [(i * 397) % (SIDE - tileSize), (i * 611) % (SIDE - tileSize)];
      return normalizeRgb(crop(pixels, { x, y, width: tileSize, height: tileSize }), normalization);
    });
    const tile = { key: '', column: 0, row: 0, x: 0, y: 0, width: tileSize, height: tileSize };
    const point = { x: 9, y: 9, label: 1 as const, feature: new Float32Array(embedding.channels).fill(0.1) };
    const prompt = buildPromptFeeds(tile, { points: [point] }, promptLimits);
    const loop = async (once: (image: Tensor) => Promise<unknown>): Promise<number> => {
      await series(5, (i) => once(images[i]!));
      const times = await series(RAW_TILES, (i) => once(images[i % images.length]!));
      return (1000 * RAW_TILES) / times.reduce((sum, time) => sum + time, 0);
    };
    await engine.load('encoder', { model: join(MODEL, files.encoder.path) });
    await engine.load('decoder', { model: join(MODEL, files.decoder.path) });
    const ofEngine = await loop(async (input) => {
      const { image_embeddings } = await engine.run('encoder', { image: input });
      return engine.run('decoder', { image_embeddings: image_embeddings!, ...prompt });
    });
    const options = { graphOptimizationLevel: 'all', intraOpNumThreads: cpus().length } as const;
    const encoder = await ort.InferenceSession.create(join(MODEL, files.encoder.path), options);
    const decoder = await ort.InferenceSession.create(join(MODEL, files.decoder.path), options);
    const native = ({ type, data: values, dims }: Tensor) =>
      new ort.Tensor(type, values as Float32Array, dims);
    const natives = Object.fromEntries(
      Object.entries(prompt).map(([name, tensor]) => [name, native(tensor)]),
    );
    const ofRuntime = await loop(async (input) => {
      const { image_embeddings } = await encoder.run({ image: native(input) });
      return decoder.run({ image_embeddings: image_embeddings!, ...natives });
    });
    await encoder.release();
    await decoder.release();
    return { engine: ofEngine, runtime: ofRuntime };
  } finally {
    await engine.close();
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  const image = join(folder, 'mosaic.tif');
  try {
    const clicks = await writeMosaic(image, SIDE);
    const cached = await withFresh('cached', folder, (client) => measureCached(client, image, clicks));
    const fresh = await withFresh('fresh', folder, (client) => measureFresh(client, image));
    const first = await withFresh('first', folder, (client) => measureFirst(client, image));
    const before = await rawLoops(image);
    const large = await withFresh('large', folder, (client) => measureLarge(client, image, clicks));
    const after = await rawLoops(image);
    const record = {
      benchmark: 'segment',
      command: 'node -r ./scripts/swcRegister.cjs bench/segment.ts',
      ...circumstances(),
      image: { width: SIDE, height: SIDE, micronsPerPixel: 0.5, region: [REGION, REGION] },
      unit: 'milliseconds',
      cached,
      fresh,
      first,
      large: {
        ...large,
        rawTilesPerSecond: { before, after },
        ofTheRawEngine: large.tilesPerSecond / ((before.engine + after.engine) / 2),
        ofTheRawRuntime: large.tilesPerSecond / ((before.runtime + after.runtime) / 2),
      },
    };
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
