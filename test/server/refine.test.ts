import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import type { ObjectsPublishParams } from '../../src/protocol/types.gen';
import { samGraphs, writeGraphs } from '../support/samGraphs';
import { labelledPoints } from '../services/training/refineHarness';
import { TEST_DEVICE } from '../support/testDevice';

const FIXTURES = resolve(__dirname, '../fixtures/images');
const CLASS = 'lymphocyte';

let state: string;
let server: RunningServer;
let client: RpcClient;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'sampo-refine-wire-'));
  const brought = writeGraphs(join(state, 'brought'), { ...samGraphs() });
  server = await startServer({ stateFolder: state, device: TEST_DEVICE, roots: [FIXTURES, brought] });
  client = await RpcClient.connect(server);
  await client.request('model/import', { path: brought });
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(state, { recursive: true, force: true });
});

test('a viewer judges, refines, hears of changed objects, goes back and undoes, with valid messages all the way', async () => {
  const uri = join(FIXTURES, 'brca-val.png');
  const points = labelledPoints(join(FIXTURES, 'brca-val.points.json'));
  const { imageId } = await client.request('image/open', { uri, source: 'file', pixelSizeMicrons: 0.5 });
  const { intent } = await client.request('intent/create', { name: CLASS });
  const { intentId } = intent;
  const clicks = points
    .filter((point) => point.class === CLASS && point.x < 200 && point.y < 200)
    .slice(0, 3);
  const { resultId } = await client.request('segment/prompt', {
    imageId,
    extent: { type: 'rectangle', x: 0, y: 0, width: 200, height: 200 },
    intents: [{ intentId, clicks: clicks.map(({ x, y }) => ({ x, y })) }],
  });
  const page = await client.request('review/next', { resultId, intentId, count: 200 });
  const pictured = await client.request('review/next', {
    resultId,
    intentId,
    count: 40,
    thumbnails: { size: 64 },
  });
  expect(pictured.thumbnails?.map(({ objectId }) => objectId)).toEqual(
    page.objects.slice(0, 40).map(({ id }) => id),
  );
  // Each holds the pixels that it says, 24 µm of 0.5 µm each at this size.
  for (const { base64, x, y, width, height, downsample } of pictured.thumbnails!.slice(0, 3)) {
    expect([width, height, downsample]).toEqual([48, 48, 1]);
    const region = await client.request('image/region', { imageId, x, y, width, height });
    const pixels = await Promise.all(
      [base64, region.base64].map((png) => sharp(Buffer.from(png, 'base64')).raw().toBuffer()),
    );
    expect(pixels[0]!.equals(pixels[1]!)).toBe(true);
  }
  await expect(
    client.request('review/next', { resultId, intentId, count: 101, thumbnails: {} }),
  ).rejects.toMatchObject({ errorName: 'LimitExceeded', data: { limit: 'thumbnails', value: 100 } });
  const judgements = page.objects.flatMap(({ id, geometry }) => {
    const ring = (geometry as { coordinates: readonly (readonly (readonly number[])[])[] }).coordinates[0]!;
    const [x, y] = [0, 1].map((axis) => ring.reduce((sum, at) => sum + Number(at[axis]), 0) / ring.length);
    const near = points.find((point) => Math.hypot(point.x - x!, point.y - y!) < 5);
    if (!near || id === undefined) return [];
    return [
      { kind: near.class === CLASS ? ('accept' as const) : ('reject' as const), objectId: id, resultId },
    ];
  });
  expect(judgements.length).toBeGreaterThan(10);
  const submitted = await client.request('preference/submit', {
    intentId,
    imageId,
    judgements: judgements.slice(0, 10),
  });
  expect(submitted).toMatchObject({ total: 10, conflicts: [] });
  const left = await client.request('review/next', { resultId, intentId, count: 1 });
  const judged = new Set(judgements.slice(0, 10).map(({ objectId }) => objectId));
  const open = page.objects.find(({ id }) => !judged.has(id ?? ''));
  expect(left).toMatchObject({ judged: 10, objects: [{ id: open!.id }] });

  const published: ObjectsPublishParams[] = [];
  client.on('objects/publish', (params) => published.push(params));
  const steps: unknown[] = [];
  const done = await client.request(
    'training/start',
    { intentId, settings: { steps: 4, seconds: 60 } },
    { progress: (value) => steps.push(value.metrics) },
  );
  expect(steps.filter((metrics) => metrics !== undefined).length).toBeGreaterThan(0);
  expect(done.verdict).toMatch(/in use/);
  expect(await client.request('training/status', {})).toEqual({ running: false });
  const { checkpoints } = await client.request('checkpoint/list', { intentId });
  expect(checkpoints).toMatchObject([{ checkpointId: done.checkpointId, active: done.activated, round: 1 }]);

  const { checkpointId } = checkpoints[0]!;
  await client.request('checkpoint/activate', { intentId, checkpointId });
  const other = await client.request('segment/prompt', {
    imageId,
    extent: { type: 'rectangle', x: 0, y: 0, width: 100, height: 100 },
    intents: [{ intentId }],
    modelId: 'brought',
  });
  expect(other.warnings.map(({ name }) => name)).toContain('RefinementLeftOut');
  const again = await client.request('checkpoint/activate', { intentId, checkpointId: null });
  expect(again.intent).toMatchObject({ checkpointId: null, judgements: 10 });
  expect(published.length).toBe(done.activated ? 3 : 2);
  for (const one of published) expect(one).toMatchObject({ imageId, intentId });
  await client.request('checkpoint/delete', { intentId, checkpointId });
  expect(await client.request('checkpoint/list', { intentId })).toEqual({ checkpoints: [] });

  expect(await client.request('preference/undo', { intentId })).toMatchObject({ total: 0 });
  expect(await client.request('preference/list', { intentId })).toEqual({
    judgements: [],
    canUndo: false,
    canRedo: true,
  });
  expect(await client.request('preference/redo', { intentId })).toMatchObject({ total: 10 });
  await expect(client.request('training/stop', { intentId })).rejects.toMatchObject({
    errorName: 'TrainingNotRunning',
  });
});
