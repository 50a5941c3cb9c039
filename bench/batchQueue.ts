/**
 * What the queue itself costs: units that take no time through Redis, one worker, one at a time and many at a time; and what the server
 * has left to do for each object: reading the units' files back against their checksums, and putting the image together.
 * `node -r ./scripts/swcRegister.cjs bench/batchQueue.ts > bench/records/batchQueue.json`; needs redis-server or valkey-server.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObjectFeature } from '../src/segmentation/features';
import { assembleImage } from '../src/services/batch/assembleImage';
import type { StoredUnit } from '../src/services/batch/jobStore';
import { readUnit, sharedFolder, unitPath, writeUnit } from '../src/services/batch/unitSearch';
import { UnitQueue } from '../src/services/batch/cluster/unitQueue';
import type { UnitTask } from '../src/services/batch/cluster/unitTask';
import { WorkerLoop } from '../src/services/batch/cluster/workerLoop';
import { RedisServer } from '../test/support/redisServer';
import { circumstances, timed } from './builtServer';

const UNITS = 300;
const KIND = { version: 'bench', modelId: 'none', encoder: '', decoder: '' };

function task(index: number): UnitTask {
  return {
    jobId: 'job',
    position: 0,
    unit: { index, x: 0, y: 0, width: 2048, height: 2048 },
    image: { path: '/slides/a.svs', contentKey: 'content', stains: 'rgb' },
    pixelSizeMicrons: 0.25,
    intents: [{ intentId: 'i', name: 'nuclei', color: [0, 0, 0], sha256: '', round: 0 }],
    filters: {},
    sharedFolder: '/slides/out/.sampo/job',
    returned: 0,
  };
}

/** A nucleus as a batch writes it, of a real result's length (20 corners). */
function nucleus(i: number): ObjectFeature {
  const corners = Array.from({ length: 20 }, (_, k): [number, number] => [
    1000 + (i % 100) * 20 + 9.25 * Math.cos(k / 3.2),
    1000 + Math.floor(i / 100) * 20 + 9.75 * Math.sin(k / 3.2),
  ]).map(([x, y]): [number, number] => [Math.round(100 * x) / 100, Math.round(100 * y) / 100]);
  return {
    type: 'Feature',
    id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    geometry: { type: 'Polygon', coordinates: [[...corners, corners[0]!]] },
    properties: {
      objectType: 'detection',
      classification: { name: 'nuclei', color: [200, 0, 0] },
      measurements: { 'SAMPO score': 0.8, 'SAMPO area µm²': 31.25, 'SAMPO round': 0 },
    },
  } as unknown as ObjectFeature;
}

/** Seconds of the server for a thousand objects of units that workers have finished. */
async function assembling(): Promise<{ objects: number; bytes: number; secondsPerThousandObjects: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  try {
    const [units, each] = [8, 5000];
    const shared = sharedFolder(folder, 'job');
    const stored: StoredUnit[] = [];
    for (let index = 0; index < units; index++) {
      const features = Array.from({ length: each }, (_, i) => nucleus(index * each + i));
      const sha256 = await writeUnit(unitPath(shared, 0, index), features, 'shared');
      const outcome = { objects: each, areaMm2: 1, seconds: 1, sha256, shared: true };
      stored.push({
        index,
        x: 0,
        y: 0,
        width: 1,
        height: 1,
        state: 'done',
        attempts: 1,
        outcome,
        error: undefined,
      });
    }
    const plan = { width: 1, height: 1, pixelSizeMicrons: 0.5, stamp: '', areaMm2: units, warnings: [] };
    const intents = [{ intentId: 'i', name: 'nuclei', color: [0, 0, 0] as const, sha256: '', round: 0 }];
    const parts = { jobId: 'job', jobFolder: folder, position: 0, name: 'a', plan, units: stored, intents };
    const milliseconds = await timed(async () => {
      for (const { index, outcome } of stored) await readUnit(unitPath(shared, 0, index), outcome!.sha256);
      await assembleImage({ ...parts, outputFolder: folder });
    });
    const objects = units * each;
    const bytes = statSync(join(folder, 'a.geojson')).size;
    return { objects, bytes, secondsPerThousandObjects: milliseconds / objects };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const redis = await RedisServer.start();
  const queue = new UnitQueue({ url: redis.url, kind: KIND, log: () => undefined });
  const loop = new WorkerLoop({
    url: redis.url,
    kind: KIND,
    units: 2,
    lostAfterMs: 30_000,
    graceMs: 1000,
    log: () => undefined,
    search: async () => ({ objects: 0, seconds: 0, sha256: '' }),
  });
  try {
    await loop.start(10_000);
    const { signal } = new AbortController();
    const through = async (index: number): Promise<void> => {
      await queue.submit(task(index), signal);
      await queue.forget(task(index));
    };
    for (let i = 0; i < 20; i++) await through(i);
    const one = await timed(async () => {
      for (let i = 0; i < UNITS; i++) await through(1000 + i);
    });
    const many = await timed(async () => {
      for (let round = 0; round < UNITS / 10; round++)
        await Promise.all(Array.from({ length: 10 }, (_, i) => through(10_000 + 10 * round + i)));
    });
    const record = {
      benchmark: 'batchQueue',
      command: 'node -r ./scripts/swcRegister.cjs bench/batchQueue.ts',
      ...circumstances(),
      units: UNITS,
      assembling: await assembling(),
      millisecondsPerUnit: { oneAtATime: one / UNITS, tenAtATime: many / UNITS },
    };
    console.log(JSON.stringify(record, null, 2));
  } finally {
    await loop.close();
    await queue.close();
    await redis.dispose();
  }
}

void main();
