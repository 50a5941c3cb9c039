import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommandLine } from '../../src/commands/run';
import { labelledPoints } from '../services/training/refineHarness';
import { TEST_DEVICE } from '../support/testDevice';

const FIXTURES = resolve(__dirname, '../fixtures/images');
const MODEL = resolve(__dirname, '../../models/sampo-tiny');
const folder = mkdtempSync(join(tmpdir(), 'sampo-train-'));
const data = join(folder, 'data');
const out = join(folder, 'out');
beforeAll(() => {
  for (const name of ['images', 'points']) mkdirSync(join(data, name), { recursive: true });
  for (const name of ['brca-train', 'brca-val']) {
    copyFileSync(join(FIXTURES, `${name}.png`), join(data, 'images', `${name}.png`));
    const points = labelledPoints(join(FIXTURES, `${name}.points.json`));
    writeFileSync(join(data, 'points', `${name}.json`), JSON.stringify({ mpp: 0.5, points }));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function train(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runCommandLine(['train', ...argv], {
    env: {},
    platform: process.platform,
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

test.each<[string, string[]]>([
  ['--data and --out', ['--data', data]],
  ['--fraction takes', ['--data', data, '--out', out, '--fraction', '1.5']],
  ['--objective takes', ['--data', data, '--out', out, '--objective', 'dice']],
  ['must not be the folder', ['--data', data, '--out', MODEL]],
])('wrong use is told: %s', async (message, argv) => {
  const { code, err } = await train(...argv);
  expect({ code, told: err.includes(message) }).toEqual({ code: 2, told: true });
});

test('trains on labelled images, writes a model that loads, and goes on where it was', async () => {
  const args = ['--data', data, '--out', out, '--device', TEST_DEVICE];
  const first = await train(...args, '--steps', '4');
  expect({ code: first.code, err: first.code === 0 ? '' : first.err }).toEqual({ code: 0, err: '' });
  expect(first.out).toMatch(/^4 steps on 1 images, .* nuclei of 1 images kept back: \d+ % right before/);
  const decoder = (path: string): Buffer => readFileSync(join(path, 'decoder.onnx'));
  const four = decoder(out);
  expect(four.equals(decoder(MODEL))).toBe(false);
  expect(readFileSync(join(out, 'encoder.onnx')).equals(readFileSync(join(MODEL, 'encoder.onnx')))).toBe(
    true,
  );

  const again = await train(...args, '--steps', '6');
  expect(again.out).toMatch(/^6 steps/);
  const report = JSON.parse(readFileSync(join(out, 'train.json'), 'utf8')) as Record<string, number>;
  expect(report).toMatchObject({ steps: 6, images: 1, heldOutImages: 1 });
  expect(decoder(out).equals(four)).toBe(false);
  expect(existsSync(join(out, 'training.sampo'))).toBe(true);

  writeFileSync(join(out, 'training.sampo'), 'cut off');
  expect(await train(...args, '--steps', '7')).toMatchObject({ code: 1 });
});
