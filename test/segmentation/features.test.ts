import fc from 'fast-check';
import {
  readFeature,
  roundOutline,
  toFeatureCollection,
  type FeatureSource,
} from '../../src/segmentation/features';
import { stableUuid } from '../../src/segmentation/identifiers';
import { oneFeature } from './oneFeature';
import { traceMask } from '../../src/segmentation/outlines';
import { rasterizeOutline } from '../../src/segmentation/rasterize';
import { drawn, masks } from './generators';
import { qupathFaults } from './qupathRules';

const ID = '7d9c0273-6584-4f4a-97ff-6a27dc8164e3';
const SQUARE = [[[10, 10, 20, 10, 20, 21, 10, 21]]];

test('the canonical feature, as text', () => {
  const source: FeatureSource = {
    id: ID,
    outline: SQUARE,
    classification: { name: 'Lymphocyte', color: [160, 90, 160] },
    measurements: { score: 0.93, 'area µm²': 41.2, round: 2, broken: NaN },
  };
  expect(JSON.parse(JSON.stringify(oneFeature(source)))).toEqual({
    type: 'Feature',
    id: ID,
    geometry: {
      type: 'Polygon',
      coordinates: [
        [
          [10, 10],
          [20, 10],
          [20, 21],
          [10, 21],
          [10, 10],
        ],
      ],
    },
    properties: {
      objectType: 'detection',
      classification: { name: 'Lymphocyte', color: [160, 90, 160] },
      measurements: { 'SAMPO score': 0.93, 'SAMPO area µm²': 41.2, 'SAMPO round': 2 },
    },
  });
});

test('features of any mask obey QuPath and read back to the same pixels', () => {
  fc.assert(
    fc.property(masks(), fc.boolean(), ({ mask, width, height }, classed) => {
      const outline = roundOutline(traceMask(mask, width, height), 1.37, 1000.123, 2000.456);
      const source: FeatureSource = {
        id: stableUuid('image', width, height),
        outline,
        ...(classed && { classification: { name: 'Tumor', color: [200, 0, 0] as const }, name: 'one' }),
        measurements: { score: 0.5 },
      };
      const { features } = toFeatureCollection([source]);
      expect(features).toHaveLength(outline.length === 0 ? 0 : 1);
      for (const feature of features) {
        const sent: unknown = JSON.parse(JSON.stringify(feature));
        expect(qupathFaults(sent)).toEqual([]);
        const frame = { x: 1000, y: 2000, width: 24, height: 24 };
        const read = readFeature(sent);
        expect(read.id).toBe(source.id);
        expect(rasterizeOutline(read.outline, frame)).toEqual(rasterizeOutline(outline, frame));
      }
    }),
    { numRuns: 200 },
  );
});

test('a feature read from a viewer keeps class and mask whatever the direction of its rings', () => {
  const { mask, width, height } = drawn('####', '#..#', '####');
  const feature = oneFeature({ id: ID, outline: traceMask(mask, width, height) });
  const { coordinates } = feature.geometry;
  const turned = {
    ...feature,
    geometry: { type: 'Polygon', coordinates: coordinates.map((ring) => [...ring].reverse()) },
  };
  const read = readFeature({
    ...turned,
    properties: { objectType: 'annotation', classification: 'Tumor: Positive' },
  });
  expect(read).toMatchObject({ className: 'Tumor: Positive', objectType: 'annotation', id: ID });
  expect(Array.from(rasterizeOutline(read.outline, { x: 0, y: 0, width, height }))).toEqual(Array.from(mask));
  expect(read.outline).toHaveLength(1);
});

test.each<[string, unknown, RegExp]>([
  ['null', null, /object/],
  ['no geometry', { type: 'Feature', geometry: null }, /coordinates/],
  ['a point', { type: 'Point', coordinates: [1, 2] }, /Polygon/],
  [
    'an open ring',
    {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ],
      ],
    },
    /end where/,
  ],
  [
    'three positions',
    {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [0, 0],
        ],
      ],
    },
    /four/,
  ],
  [
    'no area',
    {
      type: 'Polygon',
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [2, 0],
          [0, 0],
        ],
      ],
    },
    /area/,
  ],
  [
    'text',
    {
      type: 'Polygon',
      coordinates: [
        [
          ['0', 0],
          [1, 0],
          [1, 1],
          ['0', 0],
        ],
      ],
    },
    /finite/,
  ],
  ['an empty multipolygon', { type: 'MultiPolygon', coordinates: [] }, /at least one/],
])('unreadable: %s', (_, value, message) => {
  expect(() => readFeature(value)).toThrow(message);
});

test('the rules of QuPath are really checked', () => {
  const good = oneFeature({ id: ID, outline: SQUARE, classification: { name: 'A', color: [1, 2, 3] } });
  const variants: unknown[] = [
    { ...good, id: 'cell-1' },
    { ...good, geometry: null },
    { ...good, properties: { ...good.properties, classification: { name: 'A' } } },
    { ...good, properties: { ...good.properties, type: 'x' } },
    { ...good, properties: { ...good.properties, score: 1 } },
    { ...good, properties: { ...good.properties, measurements: { 'SAMPO score': null } } },
    { ...good, geometry: { type: 'MultiPolygon', coordinates: [good.geometry.coordinates] } },
    {
      ...good,
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [0, 0],
            [1.001, 0],
            [1, 1],
            [0, 0],
          ],
        ],
      },
    },
  ];
  expect(qupathFaults(good)).toEqual([]);
  for (const variant of variants) expect(qupathFaults(variant)).not.toEqual([]);
});

test('stable identifiers: same place same name, elsewhere another', () => {
  expect(stableUuid('a', 1, 2)).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(stableUuid('a', 1, 2)).toBe(stableUuid('a', 1, 2));
  const names = new Set<string>();
  for (let y = 0; y < 100; y++) for (let x = 0; x < 100; x++) names.add(stableUuid('a', x / 2, y / 2));
  for (let y = 0; y < 20; y++) names.add(stableUuid('b', y, y));
  expect(names.size).toBe(10020);
});
