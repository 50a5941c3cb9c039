import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import type { ServerNotifications } from '../../src/protocol/types.gen';
import { TEST_DEVICE } from '../support/testDevice';

const DEMO = resolve(__dirname, '../../models/demo');
const folder = mkdtempSync(join(tmpdir(), 'sampo-intent-news-'));

type News = ServerNotifications['intent/changed']['params'];

let server: RunningServer;
let doer: RpcClient;
let listener: RpcClient;
const heardByDoer: News[] = [];
const heard: News[] = [];

beforeAll(async () => {
  server = await startServer({ stateFolder: join(folder, 'state'), device: TEST_DEVICE, roots: [DEMO] });
  doer = await RpcClient.connect(server);
  listener = await RpcClient.connect(server);
  doer.on('intent/changed', (news) => heardByDoer.push(news));
  listener.on('intent/changed', (news) => heard.push(news));
});
afterAll(async () => {
  await doer.close();
  await listener.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  heard.length = 0;
});

/** What the listener has heard so far: the answer to a later request comes after it. */
async function news(): Promise<readonly News[]> {
  await listener.request('server/status', {});
  return heard;
}

test('an intent that is made, changed and deleted is told to the other client, and not to the one that did it', async () => {
  const { intent } = await doer.request('intent/create', { name: 'Lymphocyte', color: [1, 2, 3] });
  const { intentId } = intent;
  await doer.request('intent/update', { intentId, name: 'T cell' });
  await doer.request('intent/delete', { intentId });
  expect(await news()).toEqual([
    { intentId, intent },
    { intentId, intent: expect.objectContaining({ name: 'T cell', color: [1, 2, 3] }) as object },
    { intentId, intent: null },
  ]);
  expect(heardByDoer).toEqual([]);
});

test('what fails is not told', async () => {
  await expect(doer.request('intent/update', { intentId: 'none', name: 'x' })).rejects.toThrow();
  expect(await news()).toEqual([]);
});

test('examples and judgements are told with their counts; a search that shows nothing new is not', async () => {
  const { intent } = await doer.request('intent/create', { name: 'Lymphocyte' });
  const { intentId } = intent;
  const { imageId } = await doer.request('image/open', {
    uri: join(DEMO, 'breast.png'),
    source: 'file',
    pixelSizeMicrons: 0.5,
  });
  const extent = { type: 'rectangle', x: 200, y: 200, width: 200, height: 200 } as const;
  const search = (clicks: { x: number; y: number }[], remember = true) =>
    doer.request('segment/prompt', { imageId, extent, intents: [{ intentId, clicks }], remember });
  const { featureCollection } = await search([{ x: 289, y: 260 }]);
  await search([]);
  await search([{ x: 397, y: 247 }], false);
  const objectId = featureCollection.features[0]!.id;
  await doer.request('preference/submit', { intentId, imageId, judgements: [{ kind: 'accept', objectId }] });
  await doer.request('preference/undo', { intentId });
  expect((await news()).map((told) => [told.intent?.exemplars, told.intent?.judgements])).toEqual([
    [0, 0],
    [1, 0],
    [1, 1],
    [1, 0],
  ]);
});
