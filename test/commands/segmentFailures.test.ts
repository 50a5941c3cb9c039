import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/commands/run';
import { BridgeError } from '../../src/errors';
import type { HandlerTable } from '../../src/protocol/handler';
import { connectionFilePath, writeConnectionFile } from '../../src/server/connectionFile';
import type { Session } from '../../src/server/session';
import { serveStubs, TOKEN } from '../server/hosting';

const folder = mkdtempSync(join(tmpdir(), 'sampo segment failures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const INTENT = {
  intentId: 'i',
  name: 'Clicked',
  color: [1, 2, 3] as [number, number, number],
  modelId: 'm',
  exemplars: 0,
  positives: 0,
  checkpointId: null,
  judgements: 0,
  createdAt: '',
  updatedAt: '',
};
const FEATURE = {
  type: 'Feature' as const,
  id: '7d9c0273-6584-4f4a-97ff-6a27dc8164e3',
  geometry: { type: 'Polygon' as const, coordinates: [[[0, 0], [4, 0], [4, 4], [0, 0]]] }, // prettier-ignore
  properties: {
    objectType: 'detection' as const,
    classification: { name: 'Clicked', color: [1, 2, 3] as const },
    measurements: {},
  },
};

/** A server whose searches end as they are told to; what was asked of it is noted. */
async function serve(state: string, prompt: HandlerTable<Session>['segment/prompt']) {
  const asked: string[] = [];
  const note =
    <P, R>(name: string, answer: (params: P) => R) =>
    async (params: P) => {
      asked.push(name);
      return answer(params);
    };
  const { transport, url } = await serveStubs({
    'intent/create': note('create', () => ({ intent: INTENT })),
    'intent/list': note('list', () => ({ intents: [INTENT] })),
    'intent/delete': note('delete', () => null),
    'image/open': note('open', ({ uri }) => ({
      imageId: uri,
      format: 'PNG',
      picture: 'the only picture',
      width: 100,
      height: 80,
      channels: 3,
      channelNames: [],
      stains: 'rgb' as const,
      bitsPerSample: 8,
      pixelSizeMicrons: null,
      pixelSizeSource: 'unknown' as const,
      pixelSizeFrom: null,
      levels: [],
      warnings: [{ name: 'PixelSizeUnknown', message: 'unknown' }],
    })),
    'image/close': note('close', () => null),
    'segment/prompt': prompt!,
  });
  mkdirSync(state);
  writeConnectionFile(connectionFilePath(state), {
    url,
    token: TOKEN,
    pid: process.pid,
    protocolVersion: '1.0',
  });
  return { transport, asked };
}

async function sampo(state: string, ...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runCommandLine(['segment', ...argv, '--state', state], {
    env: {},
    platform: process.platform,
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

test('a search that lost tiles: the rest is written, the tiles are named, exit code 1', async () => {
  const state = join(folder, 'lost');
  const { transport, asked } = await serve(state, async () => ({
    resultId: 'r',
    featureCollection: { type: 'FeatureCollection', features: [FEATURE] },
    candidates: [],
    tiles: { total: 3, done: 2, failed: [{ x: 224, y: 0, error: 'EngineCrashed: gone' }], cached: 0 },
    pixelSizeMicrons: 0.5,
    seconds: 0.25,
    warnings: [
      { name: 'PixelSizeAssumed', message: '0.5 µm is assumed' },
      { name: 'TilesFailed', message: '1 of 3 tiles could not be computed' },
    ],
  }));
  const out = join(folder, 'lost.geojson');
  const { code, err, ...said } = await sampo(state, 'a.png', '--click', '3,3', '--out', out);
  await transport.close();
  expect(code).toBe(1);
  expect(said.out).toContain('a.png: 1 Clicked in 2 tiles, 0.3 s');
  expect(err.split('\n')).toEqual([
    'a.png: note: 0.5 µm is assumed',
    'a.png: note: 1 of 3 tiles could not be computed',
    'a.png: the tile at (224, 0) failed: EngineCrashed: gone',
    '',
  ]);
  expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ type: 'FeatureCollection', features: [FEATURE] });
  expect(asked).toEqual(['create', 'open', 'close', 'delete']);
});

test('a search that fails: its error and hint, no file, and nothing stays open or stored', async () => {
  const state = join(folder, 'failed');
  const { transport, asked } = await serve(state, async () => {
    throw new BridgeError('EngineCrashed', 'the engine is gone', { retryable: true });
  });
  const out = join(folder, 'failed.geojson');
  const one = await sampo(state, 'a.png', '--click', '3,3', '--out', out);
  expect(one.code).toBe(1);
  expect(one.err).toMatch(/^sampo segment: the engine is gone\n {2}it restarts by itself.*\n$/);
  expect(asked).toEqual(['create', 'open', 'close', 'delete']);
  const both = await sampo(state, 'a.png', 'b.png', '--intent', 'Clicked', '--out', folder);
  expect(both).toMatchObject({ code: 1, out: '2 images, 2 failed\n' });
  expect(both.err).toMatch(/^a\.png: the engine is gone\n.*\nb\.png: the engine is gone\n/);
  expect(readdirSync(folder).filter((name) => /^(a|b|failed)\.geojson$/.test(name))).toEqual([]);
  expect(asked.slice(4)).toEqual(['list', 'open', 'close', 'open', 'close']);
  await transport.close();
});

test('a server that goes away in the middle: told as such, exit code 1', async () => {
  const state = join(folder, 'gone');
  const { transport } = await serve(state, () => {
    setTimeout(() => void transport.close(), 20);
    return new Promise(() => undefined);
  });
  const { code, err } = await sampo(state, 'a.png', '--click', '3,3', '--out', join(folder, 'gone.geojson'));
  expect(code).toBe(1);
  expect(err).toMatch(/the server closed the connection/);
});
