import fc from 'fast-check';
import {
  boxFeature,
  clickFeature,
  maskFeature,
  poolEmbedding,
  sampleEmbedding,
  type Embedding,
} from '../../src/segmentation/embeddingFeatures';
import {
  buildPromptFeeds,
  selectDiverse,
  type Exemplar,
  type PointPrompt,
} from '../../src/segmentation/prompts';

const LIMITS = { points: 16, exemplars: 32, intentTokens: 4, channels: 2 };
const tile = (x: number, y: number): Parameters<typeof buildPromptFeeds>[0] => ({
  key: '0,0',
  column: 0,
  row: 0,
  x,
  y,
  width: 256,
  height: 256,
});
/** Channel 0 holds the cell's column, channel 1 its row. */
const RAMP: Embedding = {
  channels: 2,
  side: 8,
  stride: 4,
  data: Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? i % 8 : Math.floor((i - 64) / 8))),
};
const NUCLEI = { width: 32, height: 32, count: 1, labels: new Int32Array(1024) };
// A nucleus over columns 8..15, rows 6..9: half of cell row 1, half of cell row 2.
for (let y = 6; y < 10; y++) for (let x = 8; x < 16; x++) NUCLEI.labels[y * 32 + x] = 1;

test('sampling is exact at cell centres, linear between, constant outside', () => {
  expect([...sampleEmbedding(RAMP, 14, 10)]).toEqual([3, 2]);
  expect([...sampleEmbedding(RAMP, 16, 9)]).toEqual([3.5, 1.75]);
  expect([...sampleEmbedding(RAMP, 0, 32)]).toEqual([0, 7]);
});

test('a click on a nucleus takes the mean over it, a click beside it the sample under it', () => {
  const hit = clickFeature(RAMP, NUCLEI, 8.2, 9.9);
  expect([hit.label, ...hit.feature]).toEqual([1, 2.5, 1.5]);
  const miss = clickFeature(RAMP, NUCLEI, 14, 12);
  expect([miss.label, ...miss.feature]).toEqual([0, 3, 2.5]);
});

test('pooling weighs cells by the pixels of the mask', () => {
  const pooled = poolEmbedding(RAMP, (x, y) => y === 0 && x >= 3 && x < 7);
  expect(pooled?.[0]).toBeCloseTo(0.75, 6);
  expect(poolEmbedding(RAMP, () => false)).toBeUndefined();
  const mask = Uint8Array.from([0, 1]);
  expect([...maskFeature(RAMP, mask, { x: 3, y: 5, width: 2, height: 1 })!]).toEqual([1, 1]);
});

test('a box takes the nucleus it holds, else its own mean, else nothing', () => {
  expect([...boxFeature(RAMP, NUCLEI, { x: 0, y: 0, width: 12, height: 12 })!]).toEqual([2.5, 1.5]);
  expect([...boxFeature(RAMP, NUCLEI, { x: 0, y: 16, width: 8, height: 4 })!]).toEqual([0.5, 4]);
  expect(boxFeature(RAMP, NUCLEI, { x: 90, y: 0, width: 8, height: 4 })).toBeUndefined();
});

const point = (x: number, y: number, label: 0 | 1, ...feature: number[]): PointPrompt => ({
  x,
  y,
  label,
  feature: Float32Array.from(feature),
});

test('a click is a point where it lies and an exemplar everywhere', () => {
  const points = [point(300, 10, 1, 1, 2), point(10, 20, 0, 3, 4)];
  const here = buildPromptFeeds(tile(256, 0), { points }, LIMITS);
  expect([...here['point_coords']!.data.slice(0, 4)]).toEqual([44, 10, 0, 0]);
  expect([...here['point_labels']!.data]).toEqual([1, ...Array<number>(15).fill(-1)]);
  expect([...here['point_features']!.data.slice(0, 4)]).toEqual([1, 2, 0, 0]);
  const away = buildPromptFeeds(tile(0, 512), { points }, LIMITS);
  expect([...away['point_labels']!.data]).toEqual(Array<number>(16).fill(-1));
  for (const feeds of [here, away]) {
    expect([...feeds['exemplar_labels']!.data.slice(0, 3)]).toEqual([1, 0, -1]);
    expect([...feeds['exemplar_features']!.data.slice(0, 6)]).toEqual([1, 2, 3, 4, 0, 0]);
    expect(feeds['intent_tokens']!.dims).toEqual([1, 4, 2]);
  }
});

test('a box gives two corners, cut at the tile, in the tiles it touches only', () => {
  const boxes = [{ x: 250, y: 30, width: 20, height: 10 }];
  const feeds = buildPromptFeeds(tile(256, 0), { points: [point(260, 31, 1, 0, 0)], boxes }, LIMITS);
  expect([...feeds['point_labels']!.data.slice(0, 4)]).toEqual([1, 2, 3, -1]);
  expect([...feeds['point_coords']!.data.slice(2, 6)]).toEqual([0, 30, 14, 40]);
  const away = buildPromptFeeds(tile(512, 0), { points: [], boxes }, LIMITS);
  expect([...away['point_labels']!.data]).toEqual(Array<number>(16).fill(-1));
});

test('when there are too many, the newest stay, the rest is diverse, order and a positive are kept', () => {
  const exemplars: fc.Arbitrary<Exemplar[]> = fc.array(
    fc.record({
      label: fc.constantFrom<0 | 1>(0, 1),
      feature: fc
        .array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 2 })
        .map((v) => Float32Array.from(v)),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(exemplars, fc.integer({ min: 2, max: 32 }), (all, limit) => {
      const kept = selectDiverse<Exemplar>(all, limit);
      expect(kept).toHaveLength(Math.min(limit, all.length));
      const places = kept.map((one) => all.indexOf(one));
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
      expect(kept.slice(-Math.ceil(limit / 2))).toEqual(all.slice(-Math.ceil(limit / 2)));
      if (all.some(({ label }) => label === 1)) expect(kept.some(({ label }) => label === 1)).toBe(true);
    }),
  );
  const alike = Array.from({ length: 10 }, () => point(0, 0, 1, 1, 0));
  const odd = point(0, 0, 1, 0, 1);
  expect(selectDiverse([odd, ...alike], 4)).toContain(odd);
});
