import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IntentPredictor } from '../../src/benchmark/intentPredictor';
import { runIntentBenchmark } from '../../src/benchmark/intentBenchmark';
import { openDataSet } from '../../src/services/labelled/dataset';
import { squarePredictor } from './squarePredictor';
import { writeTinySet } from './tinySet';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-ceilings-'));
  await writeTinySet(folder, 'points');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Ranks rightly, and ends its answer too early. */
const timid: IntentPredictor = {
  ...squarePredictor,
  async prepare(image) {
    const prepared = await squarePredictor.prepare(image);
    return {
      ...prepared,
      scores: async (clicks) => Float64Array.from(await prepared.scores(clicks), (score) => score * 0.4),
      evidence: async () => ({ nuclei: [], decoder: [], shown: new Map() }),
    };
  },
};

test('a ceiling says where an answer loses: here by its threshold, not by its typing', async () => {
  const { rows, reliability } = await runIntentBenchmark(timid, {
    data: openDataSet(folder),
    clicks: [5],
    seeds: 1,
    methods: ['sampo', 'all-nuclei'],
    ceilings: true,
  });
  const f1 = (method: string) =>
    rows.find((row) => row.method === method && row.class === 'mean' && row.negatives === 0)?.f1;
  expect(f1('sampo')).toBe(0);
  expect(f1('sampo: best threshold')).toBe(1);
  expect(f1('sampo: false nuclei removed')).toBe(0);
  expect(f1('sampo: perfect typing')).toBe(1);
  // It has no scores.
  expect(f1('all-nuclei: best threshold')).toBeUndefined();
  // 0.36 and 0.04 where 1 and 0 are true: of 13 nuclei 7 and 6 are wanted in turn.
  expect(reliability).toHaveLength(1);
  expect(reliability[0]!.bins.map(({ score, share }) => [score, share])).toEqual([
    [0.04, 0],
    [0.36, 1],
  ]);
  expect(reliability[0]!.ece).toBeCloseTo((0.04 + 0.64) / 2, 2);
});
