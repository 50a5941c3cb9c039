/**
 * A batch over whole slides, laid out of two bundled tiles of real tissue: seconds per mm² beside the same tiles through the engine in
 * a loop (before and after, in the same run), peak memory of server and engine by area, and a cached click beside the batch.
 * `npm run build`, then `node -r ./scripts/swcRegister.cjs bench/batch.ts --sides 5000,10000 > bench/records/batch.json`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { RpcClient } from '../src/commands/rpcClient';
import { createEngineClient } from '../src/engine/engineClient';
import { planTiles } from '../src/segmentation/coordinates';
import { normalizeRgb } from '../src/segmentation/preprocess';
import { buildPromptFeeds } from '../src/segmentation/prompts';
import { unitGrid } from '../src/segmentation/unitGrid';
import { readConnectionFile } from '../src/server/connectionFile';
import { crop } from '../src/services/images/pixels';
import { NucleusModel } from '../src/services/models/nucleusModel';
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
  options: { sides: { type: 'string', default: '5000,10000' }, repeats: { type: 'string', default: '30' } },
});
const SIDES = values.sides.split(',').map(Number);
const REPEATS = Number(values.repeats);
const MODEL = join(__dirname, '../models/sampo-tiny');
/** Of a unit, as `planImage.ts` cuts them, and of the tiles of a search (`searchPlan.ts`), px at the model's scale. */
const [UNIT_SIDE, OVERLAP, CONTEXT] = [2048, 32, 24];
const LOOP_TILES = 60;

/** Tiles that the units of a square slide are searched with. */
function tilesOf(side: number, tileSize: number): number {
  const slide = { width: side, height: side };
  return unitGrid(slide, { x: 0, y: 0, ...slide }, UNIT_SIDE).reduce((sum, unit) => {
    const grid = { modelSize: slide, tileSize, overlap: OVERLAP, extent: unit, context: CONTEXT };
    return sum + planTiles(grid).tiles.length;
  }, 0);
}

/** Seconds of a tile through encoder and decoder, ready tensors in, nothing done with the answer. */
async function engineLoop(image: string): Promise<number> {
  const { data, info } = await sharp(image, { limitInputPixels: false })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = { width: info.width, height: info.height, channels: 3 as const, data };
  const engine = await createEngineClient({ device: 'cpu' });
  try {
    const { manifest, promptLimits } = new NucleusModel(engine, MODEL);
    const { tileSize, normalization, embedding, files } = manifest;
    const images = Array.from({ length: 16 }, (_, i) => {
      const [x, y] = [(i * 397) % (info.width - tileSize), (i * 611) % (info.height - tileSize)];
      return normalizeRgb(crop(pixels, { x, y, width: tileSize, height: tileSize }), normalization);
    });
    const tile = { key: '', column: 0, row: 0, x: 0, y: 0, width: tileSize, height: tileSize };
    const point = { x: 9, y: 9, label: 1 as const, feature: new Float32Array(embedding.channels).fill(0.1) };
    const prompt = buildPromptFeeds(tile, { points: [point] }, promptLimits);
    await engine.load('encoder', { model: join(MODEL, files.encoder.path) });
    await engine.load('decoder', { model: join(MODEL, files.decoder.path) });
    const once = async (i: number): Promise<unknown> => {
      const { image_embeddings } = await engine.run('encoder', { image: images[i % images.length]! });
      return engine.run('decoder', { image_embeddings: image_embeddings!, ...prompt });
    };
    await series(5, once);
    return (await timed(() => series(LOOP_TILES, once))) / 1000 / LOOP_TILES;
  } finally {
    await engine.close();
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  const state = join(folder, 'state');
  mkdirSync(state);
  try {
    const teaching = join(folder, 'teaching.tif');
    const clicks = (await writeMosaic(teaching, 1500))
      .filter(({ x, y }) => x >= 100 && y >= 100)
      .map(({ x, y }) => ({ x, y }));
    for (const side of SIDES) await writeMosaic(join(folder, `${side}.tif`), side);
    const before = await engineLoop(teaching);
    const server = await startBuilt(state, { roots: [folder] });
    const client = await RpcClient.connect(readConnectionFile(server.connectionFile)!);
    const { imageId } = await client.request('image/open', { uri: teaching, source: 'file' });
    const { intent } = await client.request('intent/create', { name: 'Lymphocyte', color: [20, 60, 220] });
    const { intentId } = intent;
    await client.request('segment/prompt', {
      imageId,
      intents: [{ intentId, clicks: clicks.slice(0, 3) }],
      extent: { type: 'image' },
    });
    const clicking = () =>
      series(REPEATS, (i) =>
        client.request('segment/prompt', {
          imageId,
          intents: [{ intentId, clicks: [clicks[i % clicks.length]!] }],
          extent: { type: 'rectangle', x: 100, y: 100, width: 512, height: 512 },
          remember: false,
        }),
      );
    await clicking();
    const idle = await clicking();
    const { manifest } = new NucleusModel({} as never, MODEL);
    let beside: number[] = [];
    const slides = [];
    for (const side of SIDES) {
      const begin = performance.now();
      let clickingSeconds = 0;
      let { job } = await client.request('batch/start', {
        intentIds: [intentId],
        images: [{ path: join(folder, `${side}.tif`) }],
        outputFolder: join(folder, `out-${side}`),
      });
      while (job.state === 'queued' || job.state === 'running') {
        await wait(200);
        ({ job } = await client.request('batch/status', { jobId: job.jobId }));
        if (beside.length > 0 || job.units.done < 1) continue;
        clickingSeconds = (await timed(async () => (beside = await clicking()))) / 1000;
      }
      if (job.state !== 'done') {
        const errors = readFileSync(join(job.outputFolder, 'errors.csv'), 'utf8');
        throw new Error(`the job is ${job.state} ${job.message}\n${errors}`);
      }
      const seconds = (performance.now() - begin) / 1000;
      const { engine } = await client.request('server/status', {});
      slides.push({
        side,
        areaMm2: job.areaMm2,
        units: job.units.total,
        tiles: tilesOf(side, manifest.tileSize),
        objects: job.objects,
        seconds,
        ofThemClickingBeside: clickingSeconds,
        secondsPerMm2: seconds / job.areaMm2,
        peakBytes: {
          server: peakResidentBytes(server.child.pid),
          engine: peakResidentBytes(engine.pid ?? undefined),
        },
      });
      console.error(JSON.stringify(slides.at(-1)));
    }
    await client.close();
    await stopBuilt(server);
    const after = await engineLoop(teaching);
    const loop = (before + after) / 2;
    const record = {
      benchmark: 'batch',
      command: `node -r ./scripts/swcRegister.cjs bench/batch.ts ${process.argv.slice(2).join(' ')}`.trim(),
      ...circumstances(),
      engineInALoop: { secondsPerTile: { before, after } },
      slides: slides.map((slide) => ({
        ...slide,
        // The share of its time that the engine alone would need for the same tiles.
        ofTheEngineInALoop: (loop * slide.tiles) / (slide.seconds - slide.ofThemClickingBeside),
      })),
      cachedClickMilliseconds: {
        n: REPEATS,
        idle: { p50: quantile(idle, 0.5), p95: quantile(idle, 0.95) },
        besideTheBatch: { p50: quantile(beside, 0.5), p95: quantile(beside, 0.95) },
      },
    };
    console.log(JSON.stringify(record, null, 2));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
