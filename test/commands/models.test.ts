import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommandLine } from '../../src/commands/run';
import { samGraphs, writeGraphs } from '../support/samGraphs';
import { TEST_DEVICE } from '../support/testDevice';

const folder = mkdtempSync(join(tmpdir(), 'sampo models-'));
const TILE = resolve(__dirname, '../../models/demo/breast.png');
const state = join(folder, 'state');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sampo = (...argv: string[]) => run(['models', ...argv]);

async function run(argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runCommandLine(argv, {
    env: { SAMPO_STATE: state, SAMPO_DEVICE: TEST_DEVICE },
    platform: process.platform,
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

test('import says what it found, list shows it; both without a running server', async () => {
  const path = writeGraphs(join(folder, 'My SAM'), { ...samGraphs() });
  const imported = await sampo('import', path);
  expect(imported).toMatchObject({ code: 0, err: expect.stringContaining('licence') as string });
  expect(imported.out).toMatch(/^imported "my-sam": form sam, licence unknown\n[^]*4 masks a prompt/);
  const { out } = await sampo('list');
  expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
    ['name', 'family'],
    ['sampo-tiny', 'sampo-tiny'],
    ['my-sam', 'sam'],
    [''],
  ]);
  const listed = JSON.parse((await sampo('list', '--json')).out) as { modelId: string }[];
  expect(listed.map(({ modelId }) => modelId)).toEqual(['sampo-tiny', 'my-sam']);
});

test('a folder that lacks its encoder: exit code 1, what is missing, and what to do', async () => {
  const { decoder } = samGraphs();
  const { code, err } = await sampo('import', writeGraphs(join(folder, 'alone'), { decoder }));
  expect(code).toBe(1);
  expect(err).toMatch(/holds no encoder[^]*samexporter/);
});

test.each([
  ['no verb', [], /needs a verb/],
  ['an unknown verb', ['train'], /no verb "train"/],
  ['no folder', ['import'], /import takes DIR/],
])('%s is wrong use', async (_, argv, message) => {
  const { code, err } = await sampo(...argv);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) as string });
});

test('sampo segment --model searches with an imported model, and names one that is not there', async () => {
  await sampo('import', writeGraphs(join(folder, 'searching'), { ...samGraphs({ size: 512 }) }));
  const out = join(folder, 'found.geojson');
  const argv = ['segment', TILE, '--click', '397,247', '--region', '340,190,100,100', '--out', out];
  const { code, err } = await run([...argv, '--intent', 'Lymphocyte', '--model', 'searching']);
  expect({ code, err }).toEqual({ code: 0, err: expect.any(String) as string });
  expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ type: 'FeatureCollection' });
  const { out: shown } = await run(['intents', 'show', 'Lymphocyte']);
  expect((JSON.parse(shown) as { modelId: string }).modelId).toMatch(/^searching@/);
  const absent = await run([...argv, '--intent', 'Lymphocyte', '--model', 'absent']);
  expect(absent).toMatchObject({ code: 1, err: expect.stringContaining('no model "absent"') as string });
});
