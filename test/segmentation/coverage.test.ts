import { coverageMask, coveredArea } from '../../src/segmentation/coverage';
import { outlineContains, rectangleOutline } from '../../src/segmentation/geometry';

const SQUARE = rectangleOutline({ x: 10, y: 10, width: 20, height: 20 });
const OVERLAPPING = [...SQUARE, ...rectangleOutline({ x: 20, y: 20, width: 20, height: 20 })];
const WITH_HOLE = [[...SQUARE[0]!, [15, 15, 15, 25, 25, 25, 25, 15]]];

test('a point in two parts is inside, one in a hole is not', () => {
  expect(outlineContains(OVERLAPPING, 25, 25)).toBe(true);
  expect(outlineContains(OVERLAPPING, 12, 12)).toBe(true);
  expect(outlineContains(OVERLAPPING, 12, 35)).toBe(false);
  expect(outlineContains(WITH_HOLE, 20, 20)).toBe(false);
});

test.each([
  ['all of it', SQUARE, { x: 0, y: 0, width: 100, height: 100 }, 400],
  ['a part of it', SQUARE, { x: 0, y: 0, width: 20, height: 100 }, 200],
  ['nothing of it', SQUARE, { x: 40, y: 40, width: 10, height: 10 }, 0],
  ['an overlap once', OVERLAPPING, { x: 0, y: 0, width: 100, height: 100 }, 700],
  ['a hole not', WITH_HOLE, { x: 0, y: 0, width: 100, height: 100 }, 300],
])('area: %s', (_, outline, within, expected) => {
  expect(Math.abs(coveredArea(outline, within) - expected)).toBeLessThanOrEqual(expected * 0.005);
});

test('areas of squares that tile the plane add up to the whole', () => {
  let sum = 0;
  for (let y = 0; y < 50; y += 7)
    for (let x = 0; x < 50; x += 7) sum += coveredArea(WITH_HOLE, { x, y, width: 7, height: 7 });
  expect(Math.abs(sum - 300)).toBeLessThan(1);
});

test('a mask marks every cell that an outline touches, however small it is', () => {
  const image = { width: 1000, height: 1000 };
  const speck = rectangleOutline({ x: 555, y: 333, width: 2, height: 2 });
  const { data } = coverageMask(speck, { width: 10, height: 10 }, image);
  expect([...data.entries()].filter(([, value]) => value === 1).map(([at]) => at)).toEqual([35]);
  const half = coverageMask(
    rectangleOutline({ x: 0, y: 0, width: 500, height: 1000 }),
    { width: 10, height: 10 },
    image,
  );
  expect(half.data[4]).toBe(1);
  expect(half.data[6]).toBe(0);
});

test('a mask holds every cell whose middle is inside: holes are left out, overlaps are in', () => {
  const image = { width: 60, height: 60 };
  for (const outline of [OVERLAPPING, WITH_HOLE]) {
    const { data } = coverageMask(outline, { width: 60, height: 60 }, image);
    for (let y = 0; y < 60; y++)
      for (let x = 0; x < 60; x++)
        if (outlineContains(outline, x + 0.5, y + 0.5)) expect([x, y, data[60 * y + x]]).toEqual([x, y, 1]);
  }
  const { data } = coverageMask(WITH_HOLE, { width: 60, height: 60 }, image);
  expect([data[60 * 20 + 20], data[60 * 20 + 40], data[60 * 12 + 12]]).toEqual([0, 0, 1]);
});
