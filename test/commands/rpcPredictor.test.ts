import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { openRpcPredictor } from '../../src/commands/rpcPredictor';
import { startServer } from '../../src/composition';
import { PACKAGE_ROOT } from '../../src/packageFiles';
import { createEngineClient } from '../../src/engine/engineClient';
import { openDataSet } from '../../src/services/labelled/dataset';
import { runIntentBenchmark } from '../../src/benchmark/intentBenchmark';
import { openTinyPredictor } from '../../src/benchmark/tinyPredictor';
import { TEST_DEVICE } from '../support/testDevice';

const IMAGES = resolve(__dirname, '../fixtures/images');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-rpc-'));
  for (const part of ['images', 'points']) mkdirSync(join(folder, part));
  copyFileSync(join(IMAGES, 'brca-train.png'), join(folder, 'images', 'one.png'));
  const points = readFileSync(join(IMAGES, 'brca-train.points.json'));
  writeFileSync(join(folder, 'points', 'one.json'), points);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the benchmark through a real server gives the rows of the one in process', async () => {
  const data = openDataSet(folder);
  const options = { data, clicks: [1, 3], seeds: 1, methods: ['sampo', 'all-nuclei'] };
  const engine = await createEngineClient({ device: TEST_DEVICE, threads: 1 });
  const inside = await openTinyPredictor(engine, join(PACKAGE_ROOT, 'models', 'sampo-tiny'));
  const expected = await runIntentBenchmark(inside, options);
  await engine.close();
  const server = await startServer({ stateFolder: join(folder, 'state'), device: TEST_DEVICE });
  try {
    const client = await RpcClient.connect(server);
    const { rows } = await runIntentBenchmark(await openRpcPredictor(client, inside.model), options);
    await client.close();
    expect(rows).toEqual(expected.rows);
    expect(rows.some(({ method, f1 }) => method === 'sampo' && f1 > 0)).toBe(true);
  } finally {
    await server.close();
  }
});
