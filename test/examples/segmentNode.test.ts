import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startServer, type RunningServer } from '../../src/composition';
import { qupathFaults } from '../segmentation/qupathRules';
import { TEST_DEVICE } from '../support/testDevice';

const ROOT = join(__dirname, '../..');
const DEMO = join(ROOT, 'models/demo');
const folder = mkdtempSync(join(tmpdir(), 'sampo segment example-'));
const state = join(folder, 'state');
const out = join(folder, 'out.geojson');
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ stateFolder: state, device: TEST_DEVICE, roots: [DEMO] });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const example = (...places: string[]) =>
  promisify(execFile)(process.execPath, [
    join(ROOT, 'docs/examples/segment.mjs'),
    ...[state, join(DEMO, 'breast.png'), out, 'Lymphocyte', ...places],
  ]);

test('the Node example streams objects and writes its answer as GeoJSON', async () => {
  const { stdout } = await example('289,260', '397,247', '141,200');
  const { features } = JSON.parse(readFileSync(out, 'utf8')) as { features: object[] };
  expect(features.length).toBeGreaterThan(70);
  expect(features.length).toBeLessThan(300);
  expect(features.flatMap((feature) => qupathFaults(feature))).toEqual([]);
  const [size, told = '', end] = stdout.split('\n');
  expect([size, end]).toEqual(['image 465 x 465', '']);
  const [, streamed, answered] = /^streamed (\d+) answered (\d+)$/.exec(told)!;
  expect(Number(answered)).toBe(features.length);
  expect(Math.abs(Number(streamed) / features.length - 1)).toBeLessThan(0.3);
});

test('it tells an error with its hint, and fails', async () => {
  await expect(example('9999,1')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the click at \(9999, 1\) lies outside the image .*\(.+\)\n$/) as string,
  });
});
