import { calibrationError, reliabilityBins, reliabilityOf } from '../../src/benchmark/reliability';

test('a score is compared with the share that is of the class, bin by bin', () => {
  const scores = [
    { score: 0.05, wanted: false },
    { score: 0.95, wanted: true },
    { score: 0.95, wanted: false },
    { score: 1, wanted: true },
  ];
  const bins = reliabilityBins(scores);
  expect(bins.map(({ nuclei }) => nuclei)).toEqual([1, 3]);
  expect(bins[1]!.score).toBeCloseTo(2.9 / 3, 12);
  expect(bins[1]!.share).toBeCloseTo(2 / 3, 12);
  expect(calibrationError(bins)).toBeCloseTo((0.05 + 3 * (2.9 / 3 - 2 / 3)) / 4, 12);
  const groups = new Map([
    ['1', scores.slice(0, 1)],
    ['5', scores.slice(1)],
  ]);
  expect(reliabilityOf('sampo', groups)).toMatchObject({ ece: 0.2375, eceByClicks: { '1': 0.05, '5': 0.3 } });
});
