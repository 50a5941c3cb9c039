import { relateSpaces } from '../../src/segmentation/coordinates';
import { toFeatureCollection } from '../../src/segmentation/features';
import { outlineArea, rectangleOutline } from '../../src/segmentation/geometry';
import { stableUuid } from '../../src/segmentation/identifiers';
import { traceMask } from '../../src/segmentation/outlines';
import {
  assignIntent,
  answerProbabilities,
  bestMask,
  calibrateScore,
  scoreObjects,
  uncertainty,
  type MaskAnswer,
} from '../../src/segmentation/scoring';
import type { FoundObject } from '../../src/segmentation/stitch';
import {
  describeSelected,
  finishOutline,
  reviewOrder,
  selectObjects,
  type ResultFilter,
} from '../../src/segmentation/thresholds';
import { drawn } from './generators';
import { qupathFaults } from './qupathRules';

const object = (side: number, ...scores: number[]): FoundObject => ({
  outline: rectangleOutline({ x: 10, y: 20, width: side, height: side }),
  area: side * side,
  centroid: { x: 10 + side / 2, y: 20 + side / 2 },
  anchor: { x: 10.5, y: 20.5 },
  scores,
  nucleusScore: 1,
});
const LYMPHOCYTE = {
  classification: { name: 'Lymphocyte', color: [0, 0, 255] as const },
  scoreThreshold: 0.5,
};
const TUMOUR = { classification: { name: 'Tumour', color: [255, 0, 0] as const }, scoreThreshold: 0.8 };

test('score and size limits are inclusive, sizes are µm²', () => {
  const objects = [object(4, 0.49), object(4, 0.5), object(8, 0.9), object(2, 0.9)];
  const filter = { intents: [LYMPHOCYTE], minArea: 4, maxArea: 10 };
  expect(selectObjects(objects, filter, 0.5)).toEqual([{ index: 1, intent: 0, score: 0.5, area: 4 }]);
  expect(selectObjects(objects, { intents: [LYMPHOCYTE] }, 0.5).map(({ index }) => index)).toEqual([1, 2, 3]);
});

test.each<[string, number[], number[], number | undefined]>([
  ['below every threshold: none', [0.4, 0.7], [0.5, 0.8], undefined],
  ['the only one above', [0.4, 0.81], [0.5, 0.8], 1],
  ['0.7 over 0.5 is 40 % of the way, 0.85 over 0.8 only 25 %', [0.7, 0.85], [0.5, 0.8], 0],
  ['a tie goes to the first', [0.6, 0.6], [0.5, 0.5], 0],
  ['exactly on the threshold counts', [0.5], [0.5], 0],
  ['no intent', [], [], undefined],
])('of several intents: %s', (_, scores, thresholds, intent) => {
  expect(assignIntent(scores, thresholds)).toBe(intent);
});

test('calibration keeps 0 and 1 and puts the threshold in the middle', () => {
  expect([0, 0.4, 0.8, 0.9, 1].map((score) => calibrateScore(score, 0.8))).toEqual([
    0,
    0.25,
    0.5,
    expect.closeTo(0.75, 9),
    1,
  ]);
  expect(calibrateScore(1, 1)).toBe(0.5);
  expect(uncertainty(0.8, 0.8)).toBe(1);
  expect(uncertainty(0, 0.8)).toBe(0);
});

test('review begins at the threshold', () => {
  expect(reviewOrder([object(4, 0.95), object(4, 0.52), object(4, 0.1), object(4, 0.45)], [0.5])).toEqual([
    1, 3, 2, 0,
  ]);
});

test('selected objects become features in image space, with class, score, area and round', () => {
  const objects = [object(4, 0.9, 0.1), object(4, 0.2, 0.912345)];
  const filter: ResultFilter = { intents: [LYMPHOCYTE, TUMOUR] };
  const spaces = relateSpaces({ width: 999, height: 999 }, 0.25, 0.5);
  const ids = objects.map((_, i) => stableUuid('image', i, i));
  const { features } = toFeatureCollection(
    describeSelected(objects, ids, selectObjects(objects, filter, 0.5), filter, spaces, 2),
  );
  expect(features.flatMap(qupathFaults)).toEqual([]);
  expect(features.map(({ id }) => id)).toEqual(ids);
  expect(features[1]!.properties).toEqual({
    objectType: 'detection',
    classification: TUMOUR.classification,
    measurements: {
      'SAMPO score': 0.9123,
      'SAMPO uncertainty': 0.4383,
      'SAMPO area µm²': 4,
      'SAMPO round': 2,
    },
  });
  expect(features[0]!.geometry.coordinates).toEqual([
    [
      [20, 40],
      [28, 40],
      [28, 48],
      [20, 48],
      [20, 40],
    ],
  ]);
});

test('simplification is measured in full-resolution px', () => {
  const { mask, width, height } = drawn('.##.', '####', '####', '.##.');
  const exact = traceMask(mask, width, height);
  const spaces = relateSpaces({ width: 99, height: 99 }, 0.125, 0.5);
  const count = (tolerance: number): number => finishOutline(exact, spaces, tolerance).flat(2).length / 2;
  expect(count(0)).toBe(12);
  expect(count(2)).toBe(12); // half a model pixel: corners stand out by 0.71
  expect(count(3)).toBeLessThan(12);
  expect(outlineArea(finishOutline(exact, spaces))).toBe(12 * 16);
});

test('object scores are means over mask cells; the mask of the best predicted IoU answers, or the mean of all', () => {
  const image = { width: 4, height: 2, count: 2, labels: Int32Array.from([1, 1, 0, 2, 1, 0, 0, 2]) };
  // Two by two cells over 4 px: the label image is the upper half only.
  expect([...scoreObjects(image, Float32Array.from([0.25, 1, 9, 9]), 4)]).toEqual([0, 0.25, 1]);
  expect(scoreObjects({ ...image, count: 3 }, new Float32Array(4), 4)[3]).toBe(0);
  const masks = Float32Array.from([0, 0, 0, 0, 50, -50, 0, 0]);
  expect(bestMask(Float32Array.from([0.1, 0.7, 0.7]))).toBe(1);
  const answers = (answer?: MaskAnswer) => [
    ...answerProbabilities(masks, Float32Array.from([0.3, 0.6]), 2, answer).map((p) => Math.round(100 * p)),
  ];
  expect(answers()).toEqual([100, 0, 50, 50]);
  expect(answers('best')).toEqual(answers());
  expect(answers('mean')).toEqual([75, 25, 50, 50]);
});
