import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer } from '../../src/composition';
import { NucleusModel } from '../../src/services/models/nucleusModel';
import { MODEL_FOLDER, fakeEngine } from '../services/fakeEngine';
import { TEST_DEVICE } from '../support/testDevice';

test('a server that is told to warm loads its model before anybody asks for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-warm-'));
  const lines: string[] = [];
  const server = await startServer({
    stateFolder: folder,
    device: TEST_DEVICE,
    warm: true,
    log: (line) => lines.push(line),
  });
  const client = await RpcClient.connect(server);
  try {
    let loaded = false;
    while (!loaded) {
      const { models } = await client.request('model/list', {});
      loaded = models[0]!.loaded;
    }
  } finally {
    await client.close();
    await server.close(); // while the first run may be going on: nothing is said of it
    rmSync(folder, { recursive: true, force: true });
  }
  expect(lines.filter((line) => line.includes('in advance'))).toEqual([]);
});

test('warming runs both graphs once, behind all other work, and leaves nothing in the engine', async () => {
  const engine = fakeEngine();
  const model = new NucleusModel(engine, MODEL_FOLDER);
  await model.warm();
  expect(engine.runs).toEqual([
    { id: 'sampo-tiny/encoder', priority: 'batch' },
    { id: 'sampo-tiny/decoder', priority: 'batch' },
  ]);
  expect(engine.residents.size).toBe(0);
});
