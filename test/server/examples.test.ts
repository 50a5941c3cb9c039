import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import { TEST_DEVICE } from '../support/testDevice';

const TILE = resolve(__dirname, '../../models/demo/breast.png');
const CLICKS = [
  { x: 289, y: 260 },
  { x: 397, y: 247 },
  { x: 141, y: 200 },
];

let folder: string;
let server: RunningServer;
let client: RpcClient;
/** The same pixels under two names: in one image the examples have a place, in the other they do not. */
let here: string;
let elsewhere: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-examples-'));
  server = await startServer({ stateFolder: join(folder, 'state'), device: TEST_DEVICE, roots: [folder] });
  client = await RpcClient.connect(server);
  const open = async (name: string): Promise<string> => {
    const uri = join(folder, name);
    copyFileSync(TILE, uri);
    return (await client.request('image/open', { uri, source: 'file' })).imageId;
  };
  here = await open('here.png');
  elsewhere = await open('elsewhere.png');
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Scores of all nuclei by their id, whatever their score. */
async function scores(imageId: string, intentId: string, clicks: typeof CLICKS) {
  const { featureCollection } = await client.request('segment/prompt', {
    imageId,
    extent: { type: 'image' },
    filters: { threshold: 0 },
    intents: [{ intentId, clicks }],
  });
  return featureCollection.features
    .map(({ properties, geometry }) => ({
      outline: geometry.coordinates.join(),
      score: (properties as { measurements: Record<string, number> }).measurements['SAMPO score']!,
    }))
    .sort((a, b) => (a.outline < b.outline ? -1 : 1));
}

test('nuclei clicked now and nuclei clicked earlier in the same image are one question, all at once or one by one', async () => {
  const newIntent = async () =>
    (await client.request('intent/create', { name: 'Lymphocyte' })).intent.intentId;
  const intentId = await newIntent();
  const clicked = await scores(here, intentId, CLICKS);
  expect(clicked.length).toBeGreaterThan(200);
  expect(await scores(here, intentId, [])).toEqual(clicked);

  const oneByOne = await newIntent();
  for (const click of CLICKS) await scores(here, oneByOne, [click]);
  expect(await scores(here, oneByOne, [])).toEqual(clicked);

  // In another image an example has no place, and the decoder answers it a little differently even over the same pixels:
  // 3.5 % of the verdicts turned, scores moved by 0.017 on average, with the mean of the masks as answer. And where nothing was
  // clicked the decoder answers alone (docs/decisions/0090): 12.6 % turned when this was written.
  const carried = await scores(elsewhere, intentId, []);
  expect(carried.map(({ outline }) => outline)).toEqual(clicked.map(({ outline }) => outline));
  const differences = carried.map(({ score }, i) => Math.abs(score - clicked[i]!.score));
  const turned = carried.filter(({ score }, i) => score >= 0.5 !== clicked[i]!.score >= 0.5);
  expect(turned.length / carried.length).toBeLessThan(0.2);
  expect(differences.reduce((sum, one) => sum + one, 0) / carried.length).toBeLessThan(0.12);
});
