import { join } from 'node:path';
import { createEngineClient } from '../../src/engine/engineClient';
import type { Engine, JobOptions } from '../../src/engine/engine';
import type { Tensor } from '../../src/tensor';
import { TEST_DEVICE } from '../support/testDevice';

const fixture = (name: string) => join(__dirname, `../fixtures/onnx/${name}.onnx`);
const FOREVER = 10_000_000;
const QUICK = 1;

let engine: Engine;
beforeEach(async () => {
  engine = await createEngineClient({ device: TEST_DEVICE, threads: 1 });
  await engine.load('slow', { model: fixture('slow') });
});
afterEach(() => engine.close());

function slow(times: number, options: JobOptions = {}): Promise<Record<string, Tensor>> {
  return engine.run(
    'slow',
    {
      times: { type: 'int64', dims: [], data: BigInt64Array.of(BigInt(times)) },
      x: { type: 'float32', dims: [64, 64], data: new Float32Array(64 * 64).fill(0.01) },
    },
    options,
  );
}

/** Lets a submitted run reach the engine process. */
const underway = () => new Promise((resolve) => setTimeout(resolve, 150));

async function killEngine(): Promise<void> {
  const { pid } = await engine.status();
  if (pid === undefined) throw new Error('the engine has no process');
  process.kill(pid, 'SIGKILL');
}

test('a kill in the middle of a run: that run fails as retryable, the next one is served by a new process', async () => {
  const running = expect(slow(FOREVER)).rejects.toMatchObject({
    errorName: 'EngineCrashed',
    data: { retryable: true },
  });
  const waiting = slow(QUICK);
  await underway();
  const { pid } = await engine.status();
  await killEngine();
  await running;
  expect((await waiting)['y']?.dims).toEqual([64, 64]);
  const status = await engine.status();
  expect(status).toMatchObject({ state: 'ready', restarts: 1, crashes: 0, lastEnd: 'signal SIGKILL' });
  expect(status.pid).not.toBe(pid);
});

test('tensors given by value survive a restart, kept outputs say that they did not', async () => {
  await engine.load('arithmetic', { model: fixture('arithmetic') });
  const row: Tensor = { type: 'float32', dims: [1, 2], data: Float32Array.of(3, 4) };
  await engine.setResident('given', row);
  await engine.run('arithmetic', { a: row, b: row }, { keep: { sum: 'kept' } });
  const running = expect(slow(FOREVER)).rejects.toMatchObject({ errorName: 'EngineCrashed' });
  await underway();
  await killEngine();
  await running;
  const given = { resident: 'given' };
  expect((await engine.run('arithmetic', { a: given, b: given }))['sum']?.data).toEqual(
    Float32Array.of(6, 8),
  );
  expect(await engine.getResident('given')).toEqual(row);
  await expect(engine.getResident('kept')).rejects.toMatchObject({
    errorName: 'ResidentMissing',
    data: { retryable: true },
  });
  expect((await engine.status()).residentBytes).toBe(8);
});

test('a cancelled run is answered while it would still be running, and the engine serves the next', async () => {
  const controller = new AbortController();
  const running = expect(slow(FOREVER, { signal: controller.signal })).rejects.toMatchObject({
    errorName: 'RequestCancelled',
  });
  await underway();
  controller.abort();
  await running;
  expect((await slow(QUICK))['y']?.dims).toEqual([64, 64]);
  // A restart of our own making is not a crash.
  expect(await engine.status()).toMatchObject({ restarts: 1, crashes: 0 });
});

test('a cancelled run that ends by itself costs no restart', async () => {
  const controller = new AbortController();
  const running = slow(QUICK, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(running).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  expect((await slow(QUICK))['y']?.dims).toEqual([64, 64]);
  expect((await engine.status()).restarts).toBe(0);
});

test('a run cancelled in the queue never starts; the queue is counted by priority', async () => {
  const running = expect(slow(FOREVER)).rejects.toMatchObject({ errorName: 'ShuttingDown' });
  await underway();
  const controller = new AbortController();
  const waiting = expect(
    slow(FOREVER, { signal: controller.signal, priority: 'batch' }),
  ).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  expect((await engine.status()).queue).toEqual({ interactive: 0, training: 0, batch: 1 });
  controller.abort();
  await waiting;
  expect((await engine.status()).queue).toEqual({ interactive: 0, training: 0, batch: 0 });
  await engine.close();
  await running;
});

test('an engine that dies at every attempt backs off, says so, and recovers when the cause is gone', async () => {
  const ends: Promise<void>[] = [];
  for (let kill = 0; kill < 4; kill += 1) {
    ends.push(expect(slow(FOREVER)).rejects.toMatchObject({ errorName: 'EngineCrashed' }));
    while ((await engine.status()).state !== 'ready') await underway();
    await underway();
    await killEngine();
    await ends[kill];
  }
  expect(await engine.status()).toMatchObject({ state: 'backing-off', crashes: 4 });
  await expect(slow(QUICK)).rejects.toMatchObject({
    errorName: 'EngineCrashed',
    message: expect.stringContaining('4 times in a row') as string,
  });
  while ((await engine.status()).state !== 'ready') await underway();
  await slow(QUICK);
  expect(await engine.status()).toMatchObject({ state: 'ready', crashes: 0 });
});

test('close answers what runs and what waits, ends the process, and refuses later calls', async () => {
  const { pid } = await engine.status();
  const answers = [slow(FOREVER), slow(QUICK)].map((answer) =>
    expect(answer).rejects.toMatchObject({ errorName: 'ShuttingDown' }),
  );
  await underway();
  await engine.close();
  await Promise.all(answers);
  await expect(slow(QUICK)).rejects.toMatchObject({ errorName: 'ShuttingDown' });
  expect((await engine.status()).state).toBe('closed');
  expect(() => process.kill(pid ?? 0, 0)).toThrow();
});
