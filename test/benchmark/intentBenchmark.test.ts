import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawClicks } from '../../src/benchmark/clicks';
import { loadEntry, openDataSet } from '../../src/services/labelled/dataset';
import { runIntentBenchmark } from '../../src/benchmark/intentBenchmark';
import { METHODS } from '../../src/benchmark/methods';
import { formatTable } from '../../src/benchmark/report';
import { squarePredictor } from './squarePredictor';
import { SQUARES, writeTinySet } from './tinySet';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ALL = { clicks: [1, 5], seeds: 2, methods: [...Object.keys(METHODS), 'pixel-loss'] };

describe.each(['points', 'labels'] as const)('a data set with %s', (layout) => {
  beforeEach(() => writeTinySet(folder, layout));

  test('gives every object its centre and class', async () => {
    const { entries } = openDataSet(folder);
    const { objects } = await loadEntry(entries[0]!, 0.5);
    const expected = SQUARES.map(({ x, y, class: kind }) => ({
      x: x + (layout === 'points' ? 5.5 : 5),
      y: y + (layout === 'points' ? 5.5 : 5),
      class: kind,
    }));
    expect(objects).toEqual(expected);
  });

  test('is brought to the scale of the model', async () => {
    const { image, objects, matchRadius } = await loadEntry(openDataSet(folder).entries[0]!, 1);
    expect([image.width, image.height, matchRadius]).toEqual([80, 80, 3]);
    expect(objects[0]!.x).toBeCloseTo(layout === 'points' ? 8.75 : 8.5, 5);
  });

  test('known answers: a predictor that sees the class, one object per click, every nucleus', async () => {
    const { rows, notes } = await runIntentBenchmark(squarePredictor, { data: openDataSet(folder), ...ALL });
    const row = (method: string, name: string, clicks: number, negatives = 0) =>
      rows.find(
        (one) =>
          one.method === method && one.class === name && one.clicks === clicks && one.negatives === negatives,
      )!;
    expect(row('sampo', 'mean', 1)).toMatchObject({ f1: 1, precision: 1, recall: 1, f1Sd: 0, images: 1 });
    // 7 dark and 6 pale of 13: F1 = 14 / 20 and 12 / 19.
    expect(row('all-nuclei', 'dark', 5)).toMatchObject({ f1: 0.7, precision: 0.5385, recall: 1 });
    expect(row('all-nuclei', 'mean', 5, 5).f1).toBeCloseTo((14 / 20 + 12 / 19) / 2, 4);
    // 5 clicks hit 5 of 7: 10 / 12.
    expect(row('one-per-click', 'dark', 5)).toMatchObject({ f1: 0.8333, precision: 1, recall: 0.7143 });
    // Colour tells the classes apart, so the forest must learn it from both kinds of clicks.
    expect(row('forest', 'mean', 5, 5).f1).toBe(1);
    expect(row('sampo', 'mean', 1).dice).toBe(layout === 'labels' ? 1 : undefined);
    expect(row('all-nuclei', 'dark', 1).aji).toBe(layout === 'labels' ? 0.5385 : undefined);
    expect(notes).toEqual([expect.stringMatching(/^pixel-loss: .*--rounds/)]);
  });
});

test('the same input gives the same report; another number of seeds another spread', async () => {
  await writeTinySet(folder, 'points');
  const data = openDataSet(folder, 'val');
  const once = await runIntentBenchmark(squarePredictor, { data, split: 'val', ...ALL });
  const again = await runIntentBenchmark(squarePredictor, { data, split: 'val', ...ALL });
  expect(JSON.stringify(again)).toBe(JSON.stringify(once));
  const one = await runIntentBenchmark(squarePredictor, { data, ...ALL, seeds: 1 });
  expect(one.rows[0]).not.toHaveProperty('f1Sd');
  expect(formatTable(once.rows)).toContain('F1, mean over classes, k positive + k negative clicks');
});

test('clicks are nested, of the right class, and differ between seeds', async () => {
  await writeTinySet(folder, 'points');
  const image = await loadEntry(openDataSet(folder).entries[0]!, 0.5);
  const five = drawClicks(image, 'dark', 5, 5, 0)!;
  expect(drawClicks(image, 'dark', 3, 0, 0)).toEqual(five.slice(0, 3));
  expect(five.map(({ label }) => label)).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  for (const { x, y, label } of five) {
    const hit = image.objects.find((object) => object.x === x && object.y === y)!;
    expect(hit.class).toBe(label === 1 ? 'dark' : 'pale');
  }
  expect(drawClicks(image, 'dark', 5, 0, 1)).not.toEqual(five.slice(0, 5));
  expect(drawClicks(image, 'pale', 7, 0, 0)).toBeUndefined();
});

test('robustness: each kind has a row per method and clicks, with its variants', async () => {
  await writeTinySet(folder, 'labels');
  const { robustness } = await runIntentBenchmark(squarePredictor, {
    data: openDataSet(folder),
    clicks: [1],
    seeds: 1,
    methods: ['sampo'],
    perturb: ['scale', 'jpeg'],
  });
  expect(robustness!.map(({ perturb, negatives }) => [perturb, negatives])).toEqual([
    ['scale', 0],
    ['scale', 1],
    ['jpeg', 0],
    ['jpeg', 1],
  ]);
  expect(robustness![0]).toMatchObject({
    unchanged: 1,
    variants: { 'size x 0.8': 1, 'size x 1.25': 1 },
    spread: 0,
  });
});

describe('a wrong folder is told from a right one', () => {
  test.each([
    ['no images', () => undefined, /no folder images/],
    ['an empty folder of images', (at: string) => mkdirSync(join(at, 'images')), /holds no image/],
  ])('%s', (_, make, message) => {
    make(folder);
    expect(() => openDataSet(folder)).toThrow(message);
  });

  test.each([
    ['no JSON', '{ "mpp": 0.5', /one\.json cannot be used/],
    ['no scale', '{ "points": [] }', /mpp must be a positive number/],
    ['no points', '{ "mpp": 0.5 }', /points must be a list/],
    ['a point without a class', '{ "mpp": 0.5, "points": [{ "x": 1, "y": 2 }] }', /points\[0\]/],
    ['no object', '[]', /not a JSON object/],
  ])('%s', async (_, text, message) => {
    await writeTinySet(folder, 'points');
    writeFileSync(join(folder, 'points', 'one.json'), text);
    expect(() => openDataSet(folder)).toThrow(message);
  });

  test('an image without labels, a split that is not there, a point outside', async () => {
    await writeTinySet(folder, 'points');
    expect(() => openDataSet(folder, 'test')).toThrow(/no image of the split "test"/);
    writeFileSync(
      join(folder, 'points', 'one.json'),
      '{ "mpp": 0.5, "points": [{ "x": 500, "y": 2, "class": "a" }] }',
    );
    await expect(loadEntry(openDataSet(folder).entries[0]!, 0.5)).rejects.toThrow(/outside its image/);
    rmSync(join(folder, 'points', 'one.json'));
    expect(() => openDataSet(folder)).toThrow(/has no labels/);
  });

  test('an instance without a pixel, labels of another size', async () => {
    await writeTinySet(folder, 'labels');
    const json = join(folder, 'labels', 'one.json');
    writeFileSync(json, '{ "mpp": 0.5, "instances": { "7": "dark" } }');
    await expect(loadEntry(openDataSet(folder).entries[0]!, 0.5)).rejects.toThrow(/no pixel of instance 7/);
    writeFileSync(json, '{ "mpp": 0.5, "instances": { "a": "dark" } }');
    expect(() => openDataSet(folder)).toThrow(/class of a positive number/);
  });

  test('a method that does not exist', async () => {
    await writeTinySet(folder, 'points');
    const run = runIntentBenchmark(squarePredictor, {
      data: openDataSet(folder),
      ...ALL,
      methods: ['magic'],
    });
    await expect(run).rejects.toThrow(/no method "magic"/);
  });
});
