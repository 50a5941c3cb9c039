import { distanceTransform, otsuThreshold, segmentClassically } from '../../src/segmentation/classical';

test('Otsu cuts between two groups', () => {
  const cut = otsuThreshold(Float32Array.from([1, 1.1, 0.9, 5, 5.1, 4.9, 1]));
  expect(cut).toBeGreaterThan(1.1);
  expect(cut).toBeLessThan(4.9);
  expect(otsuThreshold(Float32Array.from([2, 2, 2]))).toBe(2);
});

test('distance to the nearest zero pixel, against all pairs', () => {
  const width = 9;
  const mask = Uint8Array.from({ length: 63 }, (_, i) => ((i * 7) % 11 < 8 ? 1 : 0));
  const found = distanceTransform(mask, width, 7);
  for (let i = 0; i < mask.length; i++) {
    let least = Infinity;
    for (let j = 0; j < mask.length; j++)
      if (mask[j] === 0)
        least = Math.min(
          least,
          Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width)),
        );
    expect(found[i]).toBeCloseTo(least, 5);
  }
});

test('dark discs on a pale ground are found, and two touching ones split', () => {
  const size = 96;
  const centres = [
    [20, 20],
    [60, 20],
    [40, 70],
    [55, 70],
  ] as const;
  const data = new Uint8Array(size * size * 3);
  for (let i = 0; i < size * size; i++) {
    const dark = centres.some(([x, y]) => Math.hypot((i % size) - x, Math.floor(i / size) - y) < 9);
    data.set(dark ? [70, 50, 120] : [240, 215, 228], 3 * i);
  }
  const { count, labels } = segmentClassically({ width: size, height: size, data });
  expect(count).toBe(4);
  expect(new Set(centres.map(([x, y]) => labels[y * size + x])).size).toBe(4);
});
