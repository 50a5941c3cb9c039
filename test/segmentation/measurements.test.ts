import { forestProbability, growForest } from '../../src/segmentation/forest';
import { rectangleOutline } from '../../src/segmentation/geometry';
import { MEASUREMENT_NAMES, measureObject, stainDensities } from '../../src/segmentation/measurements';
import { traceMask } from '../../src/segmentation/outlines';
import { measureShape } from '../../src/segmentation/shape';
import { seeded } from './tissue';

/** The outline of an ellipse with half axes a and b, turned, drawn on pixels. */
function ellipse(a: number, b: number, turn: number): ReturnType<typeof traceMask> {
  const side = 2 * Math.ceil(Math.max(a, b)) + 2;
  const mask = new Uint8Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [dx, dy] = [x + 0.5 - side / 2, y + 0.5 - side / 2];
      const u = (dx * Math.cos(turn) + dy * Math.sin(turn)) / a;
      const v = (dy * Math.cos(turn) - dx * Math.sin(turn)) / b;
      if (u * u + v * v <= 1) mask[y * side + x] = 1;
    }
  return traceMask(mask, side, side);
}

test('a disc is round, an ellipse has its axes whatever its direction', () => {
  const disc = measureShape(ellipse(12, 12, 0));
  expect(disc.circularity).toBeGreaterThan(0.9);
  expect(disc.perimeter / (24 * Math.PI)).toBeCloseTo(1, 1);
  expect(disc.eccentricity).toBeLessThan(0.1);
  for (const turn of [0, 0.5, 1.2]) {
    const shape = measureShape(ellipse(16, 8, turn));
    expect(shape.majorAxis / 32).toBeCloseTo(1, 1);
    expect(shape.minorAxis / 16).toBeCloseTo(1, 1);
    expect(shape.eccentricity).toBeCloseTo(Math.sqrt(3) / 2, 1);
    expect(shape.solidity).toBeGreaterThan(0.9);
  }
});

test('a rectangle and an L, by hand, in µm', () => {
  const rectangle = measureShape(rectangleOutline({ x: 100, y: 50, width: 6, height: 3 }), 0.5);
  expect(rectangle).toMatchObject({ area: 4.5, solidity: 1 });
  // Second moments of a rectangle: w² / 12, h² / 12; the axes are 4 standard deviations.
  expect(rectangle.majorAxis).toBeCloseTo((0.5 * 4 * 6) / Math.sqrt(12), 9);
  expect(rectangle.minorAxis).toBeCloseTo((0.5 * 4 * 3) / Math.sqrt(12), 9);
  // An L of three unit squares: hull area 3.5.
  expect(measureShape([[[0, 0, 1, 0, 1, 1, 2, 1, 2, 2, 0, 2]]]).solidity).toBeCloseTo(3 / 3.5, 9);
  // A hole counts: a 3 x 3 square without its middle.
  expect(
    measureShape([
      [
        [0, 0, 3, 0, 3, 3, 0, 3],
        [1, 1, 1, 2, 2, 2, 2, 1],
      ],
    ]),
  ).toMatchObject({ area: 8, solidity: 8 / 9 });
});

test('stains: white has none; a pure haematoxylin colour has no eosin, and the other way round', () => {
  const [noH, noE] = stainDensities(255, 255, 255);
  expect([noH, noE]).toEqual([expect.closeTo(0, 9), expect.closeTo(0, 9)]);
  const colour = (...vector: [number, number, number]): [number, number, number] =>
    vector.map((density) => Math.round(256 * 10 ** -(density * 0.8) - 1)) as [number, number, number];
  const [h, e] = stainDensities(...colour(0.65, 0.7, 0.29));
  expect(h).toBeGreaterThan(0.7);
  expect(Math.abs(e)).toBeLessThan(0.02);
  const [h2, e2] = stainDensities(...colour(0.07, 0.99, 0.11));
  expect(e2).toBeGreaterThan(0.7);
  expect(Math.abs(h2)).toBeLessThan(0.02);
});

test('an object is measured inside and around, also at the border of the image', () => {
  const image = { width: 12, height: 8, data: new Uint8Array(12 * 8 * 3).fill(200) };
  for (let y = 0; y < 3; y++)
    for (let x = 0; x < 4; x++) image.data.fill(y === 0 ? 40 : 100, (y * 12 + x) * 3, (y * 12 + x) * 3 + 3);
  const values = measureObject(rectangleOutline({ x: 0, y: 0, width: 4, height: 3 }), image, 0.5, 2);
  expect(values).toHaveLength(MEASUREMENT_NAMES.length);
  const value = (name: string): number => values[MEASUREMENT_NAMES.indexOf(name)]!;
  expect(value('area')).toBe(3);
  expect(value('green mean')).toBeCloseTo(80, 9);
  expect(value('green sd')).toBeCloseTo(Math.sqrt(800), 9);
  expect(value('blue ring mean')).toBe(200);
  expect(value('blue ring sd')).toBe(0);
  expect(values.every(Number.isFinite)).toBe(true);
});

test('a forest of one split, by hand', () => {
  const forest = growForest(
    [
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
    ],
    [0, 0, 1, 1],
    { trees: 25, seed: 3, maxDepth: 4, minLeaf: 1 },
  );
  expect(forestProbability(forest, [0, 5])).toBe(0);
  expect(forestProbability(forest, [9, 5])).toBe(1);
  // Thresholds lie between a negative and a positive example, wherever the bootstrap put it.
  expect(forestProbability(forest, [1, 0])).toBe(0);
  expect(forestProbability(forest, [4, 0])).toBe(1);
});

test('a forest learns what no single threshold can tell, ignores noise, and is the same for the same seed', () => {
  const random = seeded(1);
  const draw = (count: number): { rows: number[][]; labels: number[] } => {
    const rows = Array.from({ length: count }, () => Array.from({ length: 6 }, random));
    return { rows, labels: rows.map(([a = 0, b = 0]) => Number(a > 0.5 !== b > 0.5)) };
  };
  const train = draw(300);
  const test = draw(300);
  const options = { trees: 60, seed: 9, maxDepth: 12, minLeaf: 1 };
  const forest = growForest(train.rows, train.labels, options);
  const right = test.rows.filter(
    (row, i) => Number(forestProbability(forest, row) > 0.5) === test.labels[i],
  ).length;
  expect(right / 300).toBeGreaterThan(0.85);
  expect(growForest(train.rows, train.labels, options)).toEqual(forest);
  expect(growForest(train.rows, train.labels, { ...options, seed: 10 })).not.toEqual(forest);
});

test('one class only, one example, equal rows: a probability all the same', () => {
  expect(forestProbability(growForest([[1], [2]], [1, 1]), [1])).toBe(1);
  expect(forestProbability(growForest([[1]], [0]), [1])).toBe(0);
  expect(forestProbability(growForest([[1], [1]], [0, 1]), [1])).toBe(0.5);
  expect(() => growForest([], [])).toThrow(RangeError);
});
