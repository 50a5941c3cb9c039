import fc from 'fast-check';
import { connectedComponents, fillHoles, labelAreas } from '../../src/segmentation/components';
import { DEFAULT_INSTANCE_OPTIONS, segmentInstances } from '../../src/segmentation/instances';
import { findMarkers, flood, toLevels } from '../../src/segmentation/watershed';
import { drawn } from './generators';
import { makeTissue } from './tissue';

const OPTIONS = { ...DEFAULT_INSTANCE_OPTIONS, minAreaPixels: 1, minMarkerAreaPixels: 1 };

/** One row of heights 0..9 as a map in 0..0.9. */
const heights = (row: string): Float32Array => Float32Array.from(row, (digit) => Number(digit) / 10);

test('touching nuclei of perfect maps come back one by one', () => {
  const tissue = makeTissue({ width: 400, height: 360 }, 5);
  const found = segmentInstances(tissue.nucleusLogits, tissue.distanceMap, tissue.width, tissue.height);
  expect(tissue.count).toBeGreaterThan(100);
  let same = 0;
  const together = new Map<string, number>();
  found.labels.forEach((label, i) => {
    const key = `${label},${tissue.truth[i]!}`;
    if (label > 0) together.set(key, (together.get(key) ?? 0) + 1);
  });
  const areas = labelAreas(found);
  for (const [key, pixels] of together) if (pixels > 0.85 * areas[Number(key.split(',')[0])]!) same++;
  expect(same / tissue.count).toBeGreaterThan(0.97);
});

test.each<[string, string, number, number, string]>([
  // name, heights, threshold, dynamics, marker per pixel: the summit's index + 1
  ['two summits', '0290820950', 0.5, 0.1, '0030500880'],
  ['a saddle that is too shallow joins them', '0688760', 0.5, 0.3, '0333330'],
  ['a saddle that is deep enough does not', '0695780', 0.5, 0.15, '0333660'],
  ['without dynamics every summit counts', '0787680', 0.5, 0, '0333360'],
  ['a plateau is one summit, its first pixel', '0777770', 0.5, 0.1, '0222220'],
])('markers: %s', (_, row, threshold, dynamics, expected) => {
  const levels = toLevels(heights(row), new Uint8Array(row.length).fill(1));
  const mask = new Uint8Array(row.length).fill(1);
  const markers = findMarkers(levels, mask, row.length, threshold, dynamics);
  expect(Array.from(markers).join('')).toBe(expected);
});

test('the flood stops at the mask and meets at the saddle', () => {
  const row = '1358531247421';
  const labels = Int32Array.from('0001000002000', Number);
  const mask = Uint8Array.from('1111111111101', Number);
  flood(labels, toLevels(heights(row), new Uint8Array(row.length).fill(1)), mask, row.length);
  expect(Array.from(labels).join('')).toBe('1111111222200');
});

test('instances are 4-connected, complete, at least as large as asked, in raster order, and the same every time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 999 }),
      fc.integer({ min: 1, max: 9 }),
      (width, height, seed, minAreaPixels) => {
        const { nucleusLogits, distanceMap } = makeTissue({ width, height }, seed, 0.05);
        const options = { ...OPTIONS, minAreaPixels };
        const found = segmentInstances(nucleusLogits, distanceMap, width, height, options);
        expect(connectedComponents(found.labels, width, height).count).toBe(found.count);
        labelAreas(found).forEach((area, label) => {
          if (label > 0) expect(area).toBeGreaterThanOrEqual(minAreaPixels);
        });
        const order = [...new Set(found.labels)].filter((label) => label > 0);
        expect(order).toEqual(Array.from({ length: found.count }, (_, i) => i + 1));
        if (minAreaPixels === 1)
          found.labels.forEach((label, i) => {
            if (nucleusLogits[i]! > 0) expect(label).toBeGreaterThan(0);
          });
        const again = segmentInstances(nucleusLogits, distanceMap, width, height, options);
        expect(again.labels).toEqual(found.labels);
      },
    ),
    { numRuns: 200 },
  );
});

test('foreground without a summit is still an object; all white and all black give none and one', () => {
  const flat = new Float32Array(100);
  const black = segmentInstances(
    flat.map(() => 3),
    flat,
    10,
    10,
  );
  expect([black.count, black.labels[55]]).toEqual([1, 1]);
  expect(
    segmentInstances(
      flat.map(() => -3),
      flat.map(() => 1),
      10,
      10,
    ).count,
  ).toBe(0);
  expect(
    segmentInstances(
      flat.map(() => NaN),
      flat.map(() => NaN),
      10,
      10,
    ).count,
  ).toBe(0);
});

test('holes are filled when one object surrounds them, not when two do or the border is open', () => {
  const { mask, width, height } = drawn('#####..', '#.#.###', '#####.#', '..#.##.');
  const labels = Int32Array.from(mask);
  fillHoles({ width, height, labels, count: 1 });
  expect(Array.from(labels).join('')).toBe('1111100' + '1111111' + '1111101' + '0010110');
  const two = Int32Array.from('1121' + '1002' + '1112', Number);
  fillHoles({ width: 4, height: 3, labels: two, count: 2 });
  expect(Array.from(two).join('')).toBe('112110021112');
});

test('holes of any label image, against their definition', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 80 }),
      (width, drawing) => {
        const height = Math.ceil(drawing.length / width);
        // Mostly objects, so that there is something to fill.
        const labels = Int32Array.from({ length: width * height }, (_, i) => Math.min(2, drawing[i] ?? 1));
        const expected = labels.slice();
        const background = connectedComponents(
          Uint8Array.from(labels, (label) => (label === 0 ? 1 : 0)),
          width,
          height,
          8,
        );
        for (let hole = 1; hole <= background.count; hole++) {
          const places = [...background.labels.keys()].filter((i) => background.labels[i] === hole);
          const beside = (i: number): (number | undefined)[] => {
            const x = i % width;
            return [
              x > 0 ? labels[i - 1] : undefined,
              x < width - 1 ? labels[i + 1] : undefined,
              labels[i - width],
              labels[i + width],
            ];
          };
          const around = new Set(places.flatMap(beside));
          around.delete(0);
          const [owner] = around;
          if (around.size === 1 && owner !== undefined) for (const i of places) expected[i] = owner;
        }
        fillHoles({ width, height, labels, count: 2 });
        expect(Array.from(labels)).toEqual(Array.from(expected));
      },
    ),
    { numRuns: 500 },
  );
});
