import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Judge } from '../../src/benchmark/judge';
import { loadEntry, openDataSet } from '../../src/services/labelled/dataset';
import { runNucleiBenchmark } from '../../src/benchmark/nucleiBenchmark';
import { drawSheet } from '../../src/benchmark/sheet';
import { squarePredictor } from './squarePredictor';
import { writeTinySet } from './tinySet';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  await writeTinySet(folder, 'labels');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('all nuclei: a perfect predictor scores 1 beside the classical way', async () => {
  renameSync(join(folder, 'labels'), join(folder, 'instances'));
  const { rows } = await runNucleiBenchmark(squarePredictor, { folder, micronsPerPixel: 0.5 });
  expect(rows[0]).toMatchObject({ method: 'model', f1: 1, dice: 1, aji: 1, images: 1 });
  expect(rows[1]).toMatchObject({ method: 'classical', images: 1 });
  expect(rows[1]!.f1).toBeGreaterThan(0.5);
  expect(rows[1]!.dice).toBeLessThan(1);
});

test('all nuclei: missing instances and names that are not there are told', async () => {
  mkdirSync(join(folder, 'instances'));
  const run = (names?: Set<string>) =>
    runNucleiBenchmark(squarePredictor, { folder, micronsPerPixel: undefined, ...(names ? { names } : {}) });
  await expect(run()).rejects.toThrow(/has no instances/);
  await expect(run(new Set(['two']))).rejects.toThrow(/none of the images/);
});

test('a sheet has a row per class and marks what was found in green', async () => {
  const image = await loadEntry(openDataSet(folder).entries[0]!, 0.5);
  const prepared = await squarePredictor.prepare(image.image);
  const choice = { clicks: 5, negatives: 0, scoreThreshold: 0.5 };
  const sheet = (await drawSheet(image, prepared, new Judge(image, prepared), choice))!;
  expect([sheet.width, sheet.height]).toEqual([4 * 160 + 3 * 8, 2 * 160 + 8]);
  const colours = new Set<string>();
  for (let y = 0; y < 160; y++)
    for (let x = 3 * 168; x < sheet.width; x++) {
      const at = (y * sheet.width + x) * 3;
      colours.add(sheet.data.subarray(at, at + 3).join());
    }
  expect(colours).toContain('0,200,60');
  expect(colours).not.toContain('220,30,30');
  expect(colours).not.toContain('255,140,0');
});
