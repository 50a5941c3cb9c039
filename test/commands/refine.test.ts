import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startServer, type RunningServer } from '../../src/composition';
import { runCommandLine } from '../../src/commands/run';
import { TEST_DEVICE } from '../support/testDevice';

const folder = mkdtempSync(join(tmpdir(), 'sampo-judge-'));
const image = join(folder, 'tile.png');
let server: RunningServer;
beforeAll(async () => {
  copyFileSync(resolve(__dirname, '../../models/demo/breast.png'), image);
  server = await startServer({ stateFolder: join(folder, 'state'), roots: [folder], device: TEST_DEVICE });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function sampo(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runCommandLine(argv, {
    env: { SAMPO_STATE: join(folder, 'state'), SAMPO_DEVICE: TEST_DEVICE },
    platform: process.platform,
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

const LYMPHOCYTE = ['--intent', 'Lymphocyte'];

describe('wrong use is told before anything starts', () => {
  test.each<[string, string[]]>([
    ['needs one image', ['judge', ...LYMPHOCYTE, '--accept', 'a']],
    ['--intent is missing', ['judge', image, '--accept', 'a']],
    ['nothing to do', ['judge', image, ...LYMPHOCYTE]],
    ['--next takes', ['judge', image, ...LYMPHOCYTE, '--next', '0']],
    ['--out goes with --next', ['judge', image, ...LYMPHOCYTE, '--accept', 'a', '--out', 'x']],
    ['--undo and --redo', ['judge', image, ...LYMPHOCYTE, '--undo']],
    ['--intent is missing', ['refine']],
    ['takes no argument', ['refine', image, ...LYMPHOCYTE]],
    ['--train takes tokens', ['refine', ...LYMPHOCYTE, '--train', 'encoder']],
    ['--seconds takes a number above 0, not "0"', ['refine', ...LYMPHOCYTE, '--seconds', '0']],
    ['say list', ['checkpoints', ...LYMPHOCYTE]],
    ['activate takes one id', ['checkpoints', 'activate', ...LYMPHOCYTE]],
  ])('%s', async (message, argv) => {
    const { code, err } = await sampo(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

test('from clicks to a version and back, over the command line alone', async () => {
  const clicks = ['289,260', '397,247', '141,200'].flatMap((at) => ['--click', at]);
  expect(
    (await sampo('segment', image, ...clicks, ...LYMPHOCYTE, '--out', join(folder, 'a.geojson'))).code,
  ).toBe(0);

  const early = await sampo('refine', ...LYMPHOCYTE);
  expect(early).toMatchObject({ code: 1, err: expect.stringContaining('0 objects are judged') as string });

  const sheet = join(folder, 'next.geojson');
  const next = await sampo('judge', image, ...LYMPHOCYTE, '--next', '6', '--out', sheet);
  expect(next).toMatchObject({ code: 0, err: expect.stringMatching(/0 of \d+ nuclei are judged/) as string });
  const ids = next.out
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]!);
  expect(ids).toHaveLength(6);

  const byId = await sampo(
    'judge',
    image,
    ...LYMPHOCYTE,
    '--accept',
    `${ids[0]},${ids[1]}`,
    '--reject',
    ids[2]!,
  );
  expect(byId).toMatchObject({ code: 0, out: '3 stored; 3 judgements of "Lymphocyte"\n' });
  expect((await sampo('judge', ...LYMPHOCYTE, '--undo')).out).toContain('3 taken back; 0 judgements');
  expect((await sampo('judge', ...LYMPHOCYTE, '--redo')).out).toContain('3 brought back; 3 judgements');

  const collection = JSON.parse(readFileSync(sheet, 'utf8')) as {
    features: { properties: Record<string, unknown> }[];
  };
  expect((await sampo('judge', image, ...LYMPHOCYTE, '--geojson', sheet)).err).toContain('no feature');
  collection.features.forEach(
    ({ properties }, i) => (properties['judgement'] = i < 3 ? 'accept' : i < 5 ? 'reject' : ''),
  );
  writeFileSync(sheet, JSON.stringify(collection));
  const byFile = await sampo('judge', image, ...LYMPHOCYTE, '--geojson', sheet);
  expect(byFile.out).toBe('5 stored, 3 replace earlier ones; 5 judgements of "Lymphocyte"\n');

  const refined = await sampo('refine', ...LYMPHOCYTE, '--steps', '3', '--seconds', '60', '--json');
  const { checkpointId, activated, metrics } = JSON.parse(refined.out) as {
    checkpointId: string;
    activated: boolean;
    metrics: Record<string, number>;
  };
  expect(refined.code).toBe(activated ? 0 : 1);
  expect(metrics).toMatchObject({ steps: 3, judgements: 5, closed: 0 });

  expect((await sampo('checkpoints', 'activate', checkpointId, ...LYMPHOCYTE)).code).toBe(0);
  const list = await sampo('checkpoints', 'list', ...LYMPHOCYTE);
  expect(list.out).toMatch(new RegExp(`^\\* round 1 .* ${checkpointId}  5 judgements`));
  const refused = await sampo('checkpoints', 'delete', checkpointId, ...LYMPHOCYTE);
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringContaining('the active version cannot be deleted') as string,
  });
  await sampo('checkpoints', 'activate', 'shipped', ...LYMPHOCYTE);
  expect((await sampo('checkpoints', 'delete', checkpointId, ...LYMPHOCYTE)).code).toBe(0);
  expect((await sampo('checkpoints', 'list', ...LYMPHOCYTE)).out).toContain('no version yet');
});
