import type { LabelImage } from '../../src/segmentation/components';
import { countOverlaps, matchMasks, matchPoints } from '../../src/segmentation/matching';
import {
  aggregatedJaccard,
  detectionScores,
  diceOfUnions,
  panopticQuality,
  scoreMasks,
} from '../../src/segmentation/metrics';

/** A label image of one row, one digit per pixel. */
function row(digits: string): LabelImage {
  const labels = Int32Array.from(digits, Number);
  return { width: digits.length, height: 1, labels, count: Math.max(0, ...labels) };
}

test('rates from counts, and the empty cases', () => {
  expect(detectionScores(2, 4, 3)).toEqual({
    truePositives: 2,
    falsePositives: 2,
    falseNegatives: 1,
    precision: 0.5,
    recall: 2 / 3,
    f1: 4 / 7,
  });
  expect(detectionScores(0, 0, 3)).toMatchObject({ precision: 0, recall: 0, f1: 0 });
  expect(detectionScores(0, 3, 0)).toMatchObject({ precision: 0, recall: 0, f1: 0 });
  expect(detectionScores(0, 0, 0)).toMatchObject({ precision: 1, recall: 1, f1: 1 });
});

test.each<[string, string, string, [number, number][]]>([
  ['IoU of exactly one half counts', '1100', '1000', [[1, 1]]],
  ['less than one half does not', '1110', '1000', []],
  ['labels and objects are used once', '1122', '1111', [[1, 1]]],
  ['one object over two labels takes one of them', '1111', '1122', [[1, 1]]],
  [
    'two objects, two labels, crossed numbers',
    '0112200',
    '0221100',
    [
      [1, 2],
      [2, 1],
    ],
  ],
])('masks: %s', (_, found, truth, pairs) => {
  const matches = matchMasks(countOverlaps(row(found), row(truth)));
  expect(matches.map(({ object, label }) => [object, label])).toEqual(pairs);
});

test('points: nearest pair first, each once, the radius included', () => {
  const p = (x: number): { x: number; y: number } => ({ x, y: 0 });
  // Object 0 lies between both labels; the closer pair (1, 0) goes first and leaves it label 1.
  expect(matchPoints([p(4), p(1)], [p(0), p(10)], 6)).toEqual([
    { object: 1, label: 0, value: 1 },
    { object: 0, label: 1, value: 6 },
  ]);
  // The nearest pair (0, 0) would leave object 1 with nothing; both can be served.
  expect(matchPoints([p(1), p(-4)], [p(0), p(6)], 5)).toEqual([
    { object: 1, label: 0, value: 4 },
    { object: 0, label: 1, value: 5 },
  ]);
  expect(matchPoints([p(0), p(1)], [p(0.4)], 3)).toEqual([{ object: 0, label: 0, value: 0.4 }]);
  expect(matchPoints([p(0)], [p(3.01)], 3)).toEqual([]);
  expect(matchPoints([], [p(0)], 3)).toEqual([]);
});

test('Dice of the unions', () => {
  expect(diceOfUnions([1, 2, 0, 0], [0, 1, 1, 0])).toBe(0.5);
  expect(diceOfUnions([0, 0], [0, 0])).toBe(1);
  expect(diceOfUnions([1, 0], [0, 0])).toBe(0);
});

test('AJI: a perfect, a shifted, a split and a spurious object', () => {
  expect(aggregatedJaccard(row('0110220'), row('0220110'))).toBe(1);
  // Intersection 1, union 3.
  expect(aggregatedJaccard(row('0110'), row('0011'))).toBeCloseTo(1 / 3, 12);
  // Label 1 (4 px) takes object 1 (3 px): 3 / 4; object 2 (1 px inside it) is left over: 3 / 5.
  expect(aggregatedJaccard(row('11120'), row('11110'))).toBeCloseTo(3 / 5, 12);
  // 2 of 2 px, and 3 px of nothing.
  expect(aggregatedJaccard(row('110222'), row('110000'))).toBeCloseTo(2 / 5, 12);
  // One object over two labels serves the first only: 2 / (4 + 2).
  expect(aggregatedJaccard(row('1111'), row('1122'))).toBeCloseTo(2 / 6, 12);
  expect(aggregatedJaccard(row('000'), row('000'))).toBe(1);
});

test('panoptic quality', () => {
  // Label 1 matched with IoU 3/4, label 2 missed, object 2 spurious: DQ = 1/2.
  expect(panopticQuality(row('11100020'), row('11110300'))).toMatchObject({
    detectionQuality: 0.5,
    segmentationQuality: 0.75,
    panopticQuality: 0.375,
  });
  // IoU of exactly one half is a match of the benchmark but not of PQ.
  expect(scoreMasks(row('1100'), row('1000'))).toMatchObject({
    f1: 1,
    panopticQuality: 0,
    dice: 2 / 3,
    aji: 0.5,
  });
});
