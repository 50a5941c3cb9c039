import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../src/commands/run';
import { qupathFaults } from '../segmentation/qupathRules';
import { TEST_DEVICE } from '../support/testDevice';

test('the demo finds nuclei of the clicked type, without and with clicks, and writes files that viewers take', async () => {
  const out = mkdtempSync(join(tmpdir(), 'sampo-demo-test-'));
  const said: string[] = [];
  const code = await runCommandLine(['demo', '--out', out], {
    env: { SAMPO_DEVICE: TEST_DEVICE },
    platform: process.platform,
    out: (text) => said.push(text),
    err: (text) => said.push(text),
    signal: new AbortController().signal,
  });
  expect({ code, said: code === 0 ? '' : said.join('') }).toEqual({ code: 0, said: '' });
  const { features } = JSON.parse(readFileSync(join(out, 'demo.geojson'), 'utf8')) as {
    features: { geometry: { coordinates: unknown } }[];
  };
  // The tile holds 143 labelled lymphocytes; a handful or everything would both be wrong.
  expect(features.length).toBeGreaterThan(70);
  expect(features.length).toBeLessThan(300);
  expect(features.flatMap((feature) => qupathFaults(feature))).toEqual([]);
  expect(readFileSync(join(out, 'demo.png')).subarray(1, 4).toString()).toBe('PNG');
  const told = said.join('');
  expect(told).toMatch(/judged the most uncertain ones: 3 rejected, 4 accepted/);
  const f1 = [...told.matchAll(/F1 (\d\.\d+)/g)].map(([, figure]) => Number(figure));
  expect(f1).toHaveLength(2);
  // Refining must not hurt; the hold-out would have kept the old version.
  expect(f1[1]).toBeGreaterThan(f1[0]! - 0.05);
  expect(readFileSync(join(out, 'refined.png')).subarray(1, 4).toString()).toBe('PNG');
  const refined = JSON.parse(readFileSync(join(out, 'refined.geojson'), 'utf8')) as { features: unknown[] };
  expect(refined.features.length).toBeGreaterThan(70);
  const remembered = Number(/remembers: (\d+)/.exec(said.join(''))?.[1]);
  expect(Math.abs(remembered - features.length)).toBeLessThan(0.2 * features.length);
});
