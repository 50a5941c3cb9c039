/**
 * The engine's start, transfer, cancel and recovery. `node -r ./scripts/swcRegister.cjs bench/engine.ts`; prints the record. Budgets: a cancelled run is
 * answered within 0.5 s; after a SIGKILL during a run the next request is served within 2 s.
 */
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createEngineClient } from '../src/engine/engineClient';
import type { Engine } from '../src/engine/engine';
import type { Tensor } from '../src/tensor';

const ROOT = join(__dirname, '..');
const FOREVER = 100_000_000n;
const REPEATS = 5;

const encoderInput: Tensor = {
  type: 'float32',
  dims: [1, 3, 256, 256],
  data: new Float32Array(3 * 256 * 256),
};
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
function summary(times: number[]): { median: number; worst: number } {
  const sorted = times.sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? NaN, worst: sorted.at(-1) ?? NaN };
}

const slow = (engine: Engine, signal?: AbortSignal) =>
  engine.run(
    'slow',
    {
      times: { type: 'int64', dims: [], data: BigInt64Array.of(FOREVER) },
      x: { type: 'float32', dims: [64, 64], data: new Float32Array(64 * 64) },
    },
    signal === undefined ? {} : { signal },
  );
const encode = (engine: Engine) =>
  engine.run('encoder', { image: encoderInput }, { fetch: ['nucleus_logits'] });

async function main(): Promise<void> {
  let engine: Engine | undefined;
  const start = await timed(async () => (engine = await createEngineClient()));
  if (engine === undefined) throw new Error('no engine');
  const live = engine;
  try {
    await live.load('slow', { model: join(ROOT, 'test/fixtures/onnx/slow.onnx') });
    await live.load('encoder', { model: join(ROOT, 'models/sampo-tiny/encoder.onnx') });
    await live.load('identity', { model: join(ROOT, 'test/fixtures/onnx/identity.onnx') });
    await encode(live);

    const cancels: number[] = [];
    const served: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const controller = new AbortController();
      const running = slow(live, controller.signal).catch(() => undefined);
      await pause(60);
      cancels.push(await timed(async () => (controller.abort(), running)));
      await encode(live);

      const killed = slow(live).catch(() => undefined);
      await pause(60);
      const { pid = 0 } = await live.status();
      process.kill(pid, 'SIGKILL');
      // From the kill to the answer of the next request: a new process, the model loaded, a tile encoded.
      served.push(await timed(async () => (await killed, encode(live))));
    }

    const statusWhileBusy: number[] = [];
    const controller = new AbortController();
    const running = slow(live, controller.signal).catch(() => undefined);
    for (let repeat = 0; repeat < 500; repeat += 1) {
      statusWhileBusy.push(await timed(() => live.status()));
      await pause(1);
    }
    controller.abort();
    await running;

    const megabytes12 = new Float32Array(3 * 1024 * 1024);
    const copy = new Float32Array(megabytes12.length);
    const transfers: number[] = [];
    const copies: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      transfers.push(
        await timed(() =>
          live.setResident('pixels', { type: 'float32', dims: [megabytes12.length], data: megabytes12 }),
        ),
      );
      copies.push(await timed(async () => copy.set(megabytes12)));
    }
    const { rssBytes, restarts, crashes } = await live.status();
    const record = {
      benchmark: 'engine',
      command: 'node -r ./scripts/swcRegister.cjs bench/engine.ts',
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] },
      unit: 'milliseconds',
      repeats: REPEATS,
      startWithSourcesCompiledOnLoad: start,
      cancelOfARunningJob: summary(cancels),
      killToNextAnswer: summary(served),
      statusWhileBusy: summary(statusWhileBusy),
      transferOf12Megabytes: { ...summary(transfers), memcpy: summary(copies) },
      engine: { rssBytes, restarts, crashes },
    };
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
  } finally {
    await live.close();
  }
}

void main();
