import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import { writeCheckpoint } from '../../src/services/intents/checkpointFile';
import { TEST_DEVICE } from '../support/testDevice';

const FIXTURES = resolve(__dirname, '../fixtures/images');
const DEMO = resolve(__dirname, '../../models/demo');
const TILE = join(DEMO, 'breast.png');
const CLICKS = [
  { x: 289, y: 260 },
  { x: 397, y: 247 },
  { x: 141, y: 200 },
  { x: 330, y: 330, positive: false },
];
const WHOLE = { type: 'image' } as const;
const folder = mkdtempSync(join(tmpdir(), 'sampo-intents-wire-'));

interface Exemplar {
  modelId: string;
  feature: string;
  imageUri?: string;
  label: number;
}
type Document = { exemplars: Exemplar[]; modelId: string; checkpoint?: { file: string } } & Record<
  string,
  unknown
>;

/** Two servers that know nothing of each other. */
const servers: RunningServer[] = [];
const clients: RpcClient[] = [];
beforeAll(async () => {
  for (const name of ['one', 'two']) {
    const server = await startServer({
      stateFolder: join(folder, name),
      device: TEST_DEVICE,
      roots: [FIXTURES, DEMO],
    });
    servers.push(server);
    clients.push(await RpcClient.connect(server));
  }
});
afterAll(async () => {
  for (const client of clients) await client.close();
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(client: RpcClient, uri = TILE): Promise<string> {
  return (await client.request('image/open', { uri, source: 'file', pixelSizeMicrons: 0.5 })).imageId;
}

async function find(client: RpcClient, imageId: string, intentId: string, clicks: typeof CLICKS = []) {
  const intents = [{ intentId, clicks }];
  return client.request('segment/prompt', { imageId, extent: WHOLE, intents });
}

/** An intent that has learned from clicks on the bundled tile. */
async function learn(client: RpcClient, name: string) {
  const imageId = await open(client);
  const { intent } = await client.request('intent/create', { name, color: [1, 2, 3] });
  const found = await find(client, imageId, intent.intentId, CLICKS);
  return { imageId, intentId: intent.intentId, found };
}

async function exported(client: RpcClient, intentId: string): Promise<Document> {
  return (await client.request('intent/export', { intentId })).document as unknown as Document;
}

test('a refined intent goes to another server whole: same examples, same refinement, same objects', async () => {
  const [one, two] = clients as [RpcClient, RpcClient];
  const { imageId, intentId, found } = await learn(one, 'Lymphocyte');
  const objects = found.featureCollection.features;
  await one.request('preference/submit', {
    intentId,
    imageId,
    judgements: objects.slice(0, 12).map(({ id }, i) => ({
      kind: i % 3 === 0 ? ('reject' as const) : ('accept' as const),
      objectId: id,
      resultId: found.resultId,
    })),
  });
  const { checkpointId } = await one.request('training/start', {
    intentId,
    settings: { steps: 3, seconds: 60 },
  });
  await one.request('checkpoint/activate', { intentId, checkpointId });
  // What was judged stays with the server that heard it: there it is scored as judged, here it is asked like any other.
  await one.request('preference/undo', { intentId });
  const expected = await find(one, imageId, intentId);

  const document = await exported(one, intentId);
  // As a file it goes through JSON.
  const sent = JSON.parse(JSON.stringify(document)) as Document;
  const { intent, warnings } = await two.request('intent/import', { document: sent });
  expect(warnings).toEqual([]);
  expect(intent).toMatchObject({
    intentId,
    name: 'Lymphocyte',
    color: [1, 2, 3],
    exemplars: 4,
    positives: 3,
    checkpointId: expect.any(String) as string,
  });
  const again = await find(two, await open(two), intentId);
  expect(again.featureCollection).toEqual(expected.featureCollection);
  expect(again.featureCollection.features[0]!.properties).toMatchObject({
    measurements: { 'SAMPO round': 1 },
  });

  const back = await exported(two, intentId);
  // Only when its checkpoint was stored differs.
  const facts = ({ checkpoint, ...rest }: Document) => ({
    ...rest,
    checkpoint: { ...checkpoint, createdAt: '' },
  });
  expect(facts(back)).toEqual(facts(document));

  const second = await two.request('intent/import', { document: sent });
  expect(second.warnings.map(({ name }) => name)).toEqual(['IntentIdTaken']);
  expect(second.intent.intentId).not.toBe(intentId);
  const files = () => readdirSync(join(folder, 'two', 'checkpoints')).length;
  expect(files()).toBe(2);
  await two.request('intent/delete', { intentId: second.intent.intentId });
  expect(files()).toBe(1);
  expect((await find(two, await open(two), intentId)).featureCollection).toEqual(expected.featureCollection);
});

test.each<[string, (document: Document) => unknown, string]>([
  ['another form', (d) => ({ ...d, formatVersion: 9 }), 'IntentInvalid'],
  [
    'a feature cut short',
    (d) => ({ ...d, exemplars: [{ ...d.exemplars[0]!, feature: 'AAAA' }] }),
    'IntentInvalid',
  ],
  ['a refinement that is none', (d) => ({ ...d, checkpoint: 'x' }), 'IntentInvalid'],
  [
    'a damaged refinement',
    (d) => ({ ...d, checkpoint: { file: 'AAAA', round: 1, metrics: {}, provenance: {} } }),
    'CheckpointDamaged',
  ],
  [
    'a refinement of another decoder',
    (d) => ({ ...d, checkpoint: { file: strangeCheckpoint(), round: 1, metrics: {}, provenance: {} } }),
    'CheckpointDamaged',
  ],
])('%s is refused, and nothing of it stays', async (_, change, errorName) => {
  const [one, two] = clients as [RpcClient, RpcClient];
  const { intentId } = await learn(one, 'Broken');
  const before = await two.request('intent/list', {});
  const files = () => readdirSync(join(folder, 'two', 'checkpoints')).sort();
  const stored = files();
  const document = change(await exported(one, intentId)) as Record<string, unknown>;
  await expect(two.request('intent/import', { document })).rejects.toMatchObject({ errorName });
  expect(await two.request('intent/list', {})).toEqual(before);
  expect(files()).toEqual(stored);
});

test('a name that would break the files of viewers is refused, an odd one is put in order', async () => {
  const client = clients[0]!;
  for (const name of [' ', 'a\nb', 'Tumor:'])
    await expect(client.request('intent/create', { name })).rejects.toMatchObject({
      errorName: 'InvalidParams',
      data: { hint: expect.stringContaining('one line') as string },
    });
  const { intent } = await client.request('intent/create', { name: ' Tumor:Positive' });
  expect(intent.name).toBe('Tumor: Positive');
  const { intentId } = intent;
  await expect(client.request('intent/update', { intentId, name: '\n' })).rejects.toMatchObject({
    errorName: 'InvalidParams',
  });
  await client.request('intent/update', { intentId, color: [9, 9, 9] });
  expect((await client.request('intent/get', { intentId })).intent.name).toBe('Tumor: Positive');
});

describe('an intent made with another model', () => {
  /** The same intent as another model would have made it: longer features that mean nothing here. */
  async function foreign(): Promise<Document> {
    const { intentId } = await learn(clients[0]!, 'Foreign');
    const document = await exported(clients[0]!, intentId);
    const feature = Buffer.from(new Float32Array(7).fill(1).buffer).toString('base64');
    return {
      ...document,
      intentId: `other-${intentId}`,
      modelId: 'other@1',
      exemplars: document.exemplars.map((one) => ({ ...one, modelId: 'other@1', feature })),
      checkpoint: { ...{ round: 3, metrics: {}, provenance: {} }, file: strangeCheckpoint() },
    };
  }

  test('is taken in with a word; asked elsewhere it says where its examples lie; with that image open it works', async () => {
    const two = await RpcClient.connect(servers[1]!);
    const document = await foreign();
    const { intent, warnings } = await two.request('intent/import', { document });
    expect(warnings.map(({ name }) => name)).toEqual(['IntentOfOtherModel', 'RefinementLeftOut']);
    expect(warnings[0]!.message).toContain(TILE);
    expect(intent).toMatchObject({ modelId: 'other@1', exemplars: 4, checkpointId: null });

    const elsewhere = await open(two, join(FIXTURES, 'brca-val.png'));
    // The other tests' client has the tile open on this server: without it nobody can embed again.
    for (const client of clients.slice(1)) await client.close();
    await expect(find(two, elsewhere, intent.intentId)).rejects.toMatchObject({
      errorName: 'IntentModelMismatch',
      message: expect.stringContaining(`lie in ${TILE}`) as string,
      data: {
        madeWith: 'other@1',
        images: [TILE],
        hint: expect.stringContaining('embedded again') as string,
      },
    });

    await open(two);
    const found = await find(two, elsewhere, intent.intentId);
    expect(found.warnings.map(({ name }) => name)).toEqual(['ExemplarsEmbeddedAgain']);
    expect(found.featureCollection.features.length).toBeGreaterThan(5);
    // What it has become is what the same clicks give here.
    const { intentId } = await learn(two, 'Native');
    const made = await exported(two, intentId);
    const became = await exported(two, intent.intentId);
    expect(became.modelId).toBe(made.modelId);
    const features = ({ exemplars }: Document) =>
      exemplars.map(({ feature, label }) => `${label} ${feature}`).sort();
    expect(features(became)).toEqual(features(made));
    const again = await find(two, elsewhere, intent.intentId);
    expect(again.warnings).toEqual([]);
    expect(again.featureCollection).toEqual(found.featureCollection);
    await two.close();
  });

  test('is refused when its examples do not say where they lie', async () => {
    const document = await foreign();
    for (const one of document.exemplars) delete one.imageUri;
    await expect(clients[0]!.request('intent/import', { document })).rejects.toMatchObject({
      errorName: 'IntentModelMismatch',
      data: { madeWith: 'other@1', hint: expect.stringContaining('click') as string },
    });
  });
});

/** A whole checkpoint file, of a decoder that has a parameter this one lacks. */
function strangeCheckpoint(): string {
  const parameters = new Map([['nobody.knows', Float32Array.of(1, 2)]]);
  return Buffer.from(writeCheckpoint({ parameters, tokens: new Float32Array(0), exemplars: [] })).toString(
    'base64',
  );
}
