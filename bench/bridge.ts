/**
 * The whole bridge from a client's side, against the built command line: start, round trip while idle and while the engine runs flat
 * out, pixels of a viewer as binary frame and as base64, cancel, recovery, memory. `npm run build`, then
 * `node -r ./scripts/swcRegister.cjs bench/bridge.ts > bench/records/bridge.json`. Budgets: ready within 1.5 s, p99 of server/status
 * 10 ms both times, cancel 0.5 s, next answer after a SIGKILL 2 s, memory +5 % after 10,000 requests.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RpcClient } from '../src/commands/rpcClient';
import { writeBlobFrame } from '../src/server/blobFrame';
import { readConnectionFile } from '../src/server/connectionFile';
import { circumstances, quantile, series, startBuilt, stopBuilt, timed } from './builtServer';

const ROOT = join(__dirname, '..');
const SIDE = 1024;
const graph = (name: string) =>
  readFileSync(join(ROOT, `test/fixtures/onnx/${name}.onnx`)).toString('base64');
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function summary(times: readonly number[]) {
  return {
    n: times.length,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    worst: Math.max(...times),
  };
}

/** Memory of a fresh server, idle and after each 10,000 requests, every tenth of them a run in the engine. */
async function measureMemory(client: RpcClient) {
  const { modelId } = await client.request('model/load', { base64: graph('arithmetic') });
  const base64 = Buffer.from(Float32Array.of(3, 4).buffer).toString('base64');
  const pair = { tensor: { type: 'float32' as const, dims: [1, 2], base64 } };
  const hundred = () =>
    Promise.all(
      Array.from({ length: 100 }, (_, at): Promise<unknown> =>
        at % 10 === 0
          ? client.request('model/run', { modelId, feeds: { a: pair, b: pair } })
          : client.request('server/status', {}),
      ),
    );
  const now = async () => {
    const { rssBytes, engine } = await client.request('server/status', {});
    return { server: rssBytes, engine: engine.rssBytes };
  };
  // A fresh process grows to its working size first; a leak would go on growing.
  const series10000 = [await now()];
  for (let round = 0; round < 4; round++) {
    await series(100, hundred);
    series10000.push(await now());
  }
  const at = (index: number, side: 'server' | 'engine') => series10000[index]?.[side] ?? NaN;
  const growth = (from: number, to: number) => ({
    server: at(to, 'server') / at(from, 'server') - 1,
    engine: at(to, 'engine') / at(from, 'engine') - 1,
  });
  return {
    every10000Requests: series10000,
    growthOfTheFirst10000: growth(0, 1),
    growthOf10000To40000: growth(1, 4),
  };
}

async function measure(client: RpcClient) {
  const status = () => client.request('server/status', {});
  const residentBytes = await measureMemory(client);
  const slow = await client.request('model/load', { base64: graph('slow') });
  const mean = await client.request('model/load', { base64: graph('regionMean') });
  const value = (type: 'int64' | 'float32', dims: number[], data: BigInt64Array | Float32Array) => ({
    tensor: { type, dims, base64: Buffer.from(data.buffer).toString('base64') },
  });
  /** A run that does not end by itself. */
  const endless = (signal?: AbortSignal) =>
    client
      .request(
        'model/run',
        {
          modelId: slow.modelId,
          feeds: {
            times: value('int64', [], BigInt64Array.of(100_000_000n)),
            x: value('float32', [64, 64], new Float32Array(64 * 64)),
          },
        },
        signal ? { signal } : {},
      )
      .catch((error: unknown) => error);

  await series(500, status);
  const idle = await series(2000, status);
  const busyUntil = new AbortController();
  const busy = endless(busyUntil.signal);
  await pause(100);
  const whileRunning = await series(2000, status);
  busyUntil.abort();
  await busy;

  const pixels = new Uint8Array(SIDE * SIDE * 3).map((_, at) => at);
  const image = { uri: 'bench', source: 'client', width: SIDE, height: SIDE } as const;
  const { imageId } = await client.request('image/open', image);
  const region = { imageId, x: 0, y: 0, width: SIDE, height: SIDE };
  const run = () => client.request('model/run', { modelId: mean.modelId, feeds: { pixels: { region } } });
  const header = { encoding: 'raw', width: SIDE, height: SIDE, channels: 3 } as const;
  const asFrame = async () => {
    client.sendBytes(writeBlobFrame({ blob: 'b', ...header, bytes: pixels }));
    return { blob: 'b' };
  };
  const asBase64 = async () => ({ ...header, base64: Buffer.from(pixels).toString('base64') });
  const frames: number[] = [];
  const texts: number[] = [];
  const copies: number[] = [];
  const copy = new Uint8Array(pixels.length);
  for (let repeat = 0; repeat < 22; repeat++) {
    client.answer('image/readRegion', asFrame);
    const frame = await timed(run);
    client.answer('image/readRegion', asBase64);
    const text = await timed(run);
    const memory = await timed(async () => copy.set(pixels));
    // The first two warm up.
    if (repeat < 2) continue;
    frames.push(frame);
    texts.push(text);
    copies.push(memory);
  }

  const cancels: number[] = [];
  const served: number[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    const controller = new AbortController();
    const running = endless(controller.signal);
    await pause(100);
    cancels.push(await timed(async () => (controller.abort(), running)));
    await run();
    const killed = endless();
    await pause(100);
    process.kill((await status()).engine.pid ?? 0, 'SIGKILL');
    // From the kill to the answer of the next request that needs the engine.
    served.push(await timed(async () => (await killed, run())));
  }

  return {
    statusIdle: summary(idle),
    statusWhileTheEngineRuns: summary(whileRunning),
    region1024ClientToEngine: {
      binaryFrame: summary(frames),
      base64: summary(texts),
      memcpyOfTheBytes: summary(copies),
    },
    cancelOfARunningJob: summary(cancels),
    killOfTheEngineToNextAnswer: summary(served),
    residentBytes,
  };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  try {
    const starts: number[] = [];
    for (let repeat = 0; repeat < 5; repeat++) {
      const started = await startBuilt(join(folder, `state${repeat}`));
      starts.push(started.milliseconds);
      await stopBuilt(started);
    }
    const server = await startBuilt(join(folder, 'state'));
    try {
      const info = readConnectionFile(server.connectionFile);
      if (!info) throw new Error('no connection file');
      const client = await RpcClient.connect(info);
      const figures = await measure(client);
      await client.close();
      const record = {
        benchmark: 'bridge',
        command: 'node -r ./scripts/swcRegister.cjs bench/bridge.ts',
        ...circumstances(),
        unit: 'milliseconds',
        startToReady: summary(starts),
        ...figures,
      };
      process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    } finally {
      await stopBuilt(server);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
