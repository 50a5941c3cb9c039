import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from '../../../src/errors';
import { JobStore } from '../../../src/services/batch/jobStore';
import { makeTissue } from '../../segmentation/tissue';
import { tissueImage } from '../fakeEngine';
import { BatchHarness } from './batchHarness';

const PATHS = ['/slides/a.tif', '/slides/b.tif'];
let harness: BatchHarness;

beforeEach(() => (harness = new BatchHarness()));
afterEach(() => harness.dispose());

/** Starts a job over both images and waits for its end. */
async function runBoth(intentIds: readonly string[], tissue = false) {
  const { jobId } = await harness.batch.start({
    intentIds,
    images: PATHS.map((path) => ({ path })),
    outputFolder: harness.out,
    tissue,
  });
  await harness.batch.idle();
  return harness.batch.status(jobId);
}

test('units cut nothing and double nothing: a job finds what one search of each image finds', async () => {
  const intentIds = [await harness.intent('even', 0), await harness.intent('odd', 1)];
  const report = await runBoth(intentIds);
  expect(report).toMatchObject({ state: 'done', message: '', intents: ['even', 'odd'] });
  expect(report.counts.images).toEqual({ total: 2, done: 2, failed: 0 });
  expect(report.counts.units.total).toBeGreaterThan(8);
  for (const [name, path] of [
    ['a', PATHS[0]!],
    ['b', PATHS[1]!],
  ] as const) {
    const whole = await harness.wholeSearch(path, intentIds);
    const found = harness.result(name);
    expect(whole.size).toBeGreaterThan(30);
    expect([...found.entries()].sort()).toEqual([...whole.entries()].sort());
  }
});

test('tables, paragraph, record and page say what was done', async () => {
  const report = await runBoth([await harness.intent('even', 0)]);
  const lines = harness.text('summary.csv').trim().split('\r\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^\/slides\/a\.tif,a\.geojson,done,even,\d+,0\.\d{4},/);
  const counted = lines.slice(1).reduce((sum, line) => sum + Number(line.split(',')[4]), 0);
  expect(counted).toBe(report.counts.objects);
  expect(harness.text('errors.csv')).toBe('image,x,y,error,message\r\n');
  expect(harness.text('methods.txt')).toContain('"even" (not refined)');
  expect(JSON.parse(harness.text('job.json'))).toMatchObject({
    format: 'sampo-batch',
    modelId: harness.model.id,
  });
  const page = harness.text('index.html');
  expect(page).toContain('2 of 2 images');
  expect(page).toContain('href="a.geojson"');
});

test('a server that ends at any unit leaves nothing lost: the next one writes the same bytes', async () => {
  const intentIds = [await harness.intent('even', 0)];
  await runBoth(intentIds);
  const undisturbed = ['a.geojson', 'b.geojson', 'summary.csv'].map((file) => harness.text(file));
  for (const stopAfter of [3, 17, 30]) {
    const before = harness.engine.runs.length;
    let reached = (): void => undefined;
    const moment = new Promise<void>((resolve) => (reached = resolve));
    harness.engine.before = (_, run) => {
      if (run - before >= stopAfter) reached();
    };
    const { jobId } = await harness.batch.start({
      intentIds,
      images: PATHS.map((path) => ({ path })),
      outputFolder: harness.out,
    });
    await moment;
    await harness.stop();
    harness.restart();
    expect(harness.batch.status(jobId).state).toBe('stopped');
    harness.batch.goOn();
    await harness.batch.idle();
    expect(harness.batch.status(jobId).state).toBe('done');
    expect(['a.geojson', 'b.geojson', 'summary.csv'].map((file) => harness.text(file))).toEqual(undisturbed);
  }
});

test('a cancelled job keeps what is finished, and the same request goes on with it', async () => {
  const intentIds = [await harness.intent('even', 0)];
  let reached = (): void => undefined;
  const moment = new Promise<void>((resolve) => (reached = resolve));
  const before = harness.engine.runs.length;
  harness.engine.before = (_, run) => {
    if (run - before > 20) reached();
  };
  const request = { intentIds, images: PATHS.map((path) => ({ path })), outputFolder: harness.out };
  const { jobId } = await harness.batch.start(request);
  await moment;
  const cancelled = await harness.batch.cancel(jobId);
  expect(cancelled.state).toBe('cancelled');
  const kept = cancelled.counts.units.done;
  expect(kept).toBeGreaterThan(0);
  const again = await harness.batch.start(request);
  expect(again.jobId).toBe(jobId);
  expect(again.counts.units.done).toBe(kept);
  await harness.batch.idle();
  expect(harness.batch.status(jobId).state).toBe('done');
});

test('an image that is gone is told, the others are done, and a resumed job takes it up when it is back', async () => {
  const gone = harness.images.get(PATHS[0]!)!;
  const intentIds = [await harness.intent('even', 0)];
  harness.images.delete(PATHS[0]!);
  const report = await runBoth(intentIds);
  expect(report.state).toBe('failed');
  expect(report.counts.images).toEqual({ total: 2, done: 1, failed: 1 });
  expect(harness.text('errors.csv')).toContain('/slides/a.tif,,,FileNotFound,there is no file /slides/a.tif');
  expect(harness.result('b').size).toBeGreaterThan(20);
  harness.images.set(PATHS[0]!, gone);
  harness.batch.resume(report.jobId);
  await harness.batch.idle();
  expect(harness.batch.status(report.jobId).state).toBe('done');
  expect(harness.result('a')).toEqual(await harness.wholeSearch(PATHS[0]!, intentIds));
});

test('a unit that fails each time is set aside and reported; the rest of its image is written', async () => {
  const intentIds = [await harness.intent('even', 0)];
  const image = harness.images.get(PATHS[0]!)!;
  harness.images.set(PATHS[0]!, {
    ...image,
    // The corner of the slide is damaged; the small level is not.
    read: (region, signal) =>
      region.width < 620 && region.x + region.width > 590 && region.y + region.height > 410
        ? Promise.reject(new BridgeError('ImageUnreadable', 'a tile is damaged'))
        : image.read(region, signal),
  });
  const report = await runBoth(intentIds);
  expect(report.state).toBe('failed');
  expect(report.counts.units.failed).toBeGreaterThan(0);
  expect(report.counts.images).toEqual({ total: 2, done: 1, failed: 1 });
  expect(harness.text('errors.csv')).toMatch(/\/slides\/a\.tif,460,230,\w+,.*a tile is damaged/);
  const found = harness.result('a');
  const whole = await harness.wholeSearch(PATHS[1]!, intentIds);
  expect(found.size).toBeGreaterThan(15);
  expect(harness.result('b')).toEqual(whole);
});

test('a job keeps the intent as it was when it was made', async () => {
  const intentId = await harness.intent('even', 0);
  const whole = await harness.wholeSearch(PATHS[0]!, [intentId]);
  const ready = harness.batch.start({
    intentIds: [intentId],
    images: [{ path: PATHS[0]! }],
    outputFolder: harness.out,
  });
  const { jobId } = await ready;
  await harness.product.intentTransfer.delete(intentId);
  await harness.batch.idle();
  expect(harness.batch.status(jobId).state).toBe('done');
  expect(harness.result('a')).toEqual(whole);
});

test('two jobs do not write into one folder', async () => {
  const intentIds = [await harness.intent('even', 0)];
  const first = await harness.batch.start({
    intentIds,
    images: [{ path: PATHS[0]! }],
    outputFolder: harness.out,
  });
  await expect(
    harness.batch.start({ intentIds, images: [{ path: PATHS[1]! }], outputFolder: harness.out }),
  ).rejects.toMatchObject({ errorName: 'JobConflict', data: { jobId: first.jobId } });
  await harness.batch.idle();
});

test('a result that cannot be written is an error of its image, with the path', async () => {
  const intentIds = [await harness.intent('even', 0)];
  mkdirSync(join(harness.out, 'a.geojson'), { recursive: true });
  const report = await runBoth(intentIds);
  expect(report.state).toBe('failed');
  expect(harness.text('errors.csv')).toMatch(
    /\/slides\/a\.tif,,,OutputBlocked,.*a\.geojson cannot be written/,
  );
});

test('a file that has changed while the job stood still is searched anew', async () => {
  const intentIds = [await harness.intent('even', 0)];
  harness.beforeOpen = (path) => {
    if (path === PATHS[1]) throw new BridgeError('FileNotFound', 'not yet');
  };
  const { jobId } = await runBoth(intentIds);
  const other = harness.images.get(PATHS[0]!)!;
  harness.images.set(PATHS[1]!, { ...other, uri: PATHS[1]!, key: 'b, changed' });
  harness.beforeOpen = () => undefined;
  harness.batch.resume(jobId);
  await harness.batch.idle();
  expect(harness.result('b').size).toBe(harness.result('a').size);
});

test('an intent that has learned nothing is refused before anything is made', async () => {
  const { intentId } = harness.product.intents.create('empty');
  await expect(runBoth([intentId])).rejects.toMatchObject({ errorName: 'NoPositiveClick' });
  expect(harness.batch.list()).toEqual([]);
});

test('an extent of several polygons is kept to: nothing outside, nothing lost, nothing twice', async () => {
  const intentIds = [await harness.intent('even', 0)];
  const ring = (x: number, y: number, side: number) => [
    [
      [x, y],
      [x + side, y],
      [x + side, y + side],
      [x, y + side],
      [x, y],
    ],
  ];
  const corner = ring(300, 100, 200);
  const extent = {
    type: 'multipolygon' as const,
    // Two that overlap, and a third away from them.
    coordinates: [corner, ring(400, 200, 150), ring(20, 20, 120)],
  };
  const { jobId } = await harness.batch.start({
    intentIds,
    images: [{ path: PATHS[0]!, extent }],
    outputFolder: harness.out,
  });
  await harness.batch.idle();
  const report = harness.batch.status(jobId);
  expect(report.state).toBe('done');
  const inside = [...(await harness.searchIn(PATHS[0]!, intentIds, extent)).entries()].sort();
  expect(inside.length).toBeGreaterThan(8);
  expect([...harness.result('a').entries()].sort()).toEqual(inside);
  expect(inside.length).toBeLessThan((await harness.wholeSearch(PATHS[0]!, intentIds)).size);
  // 200² + 150² - 100² + 120² px
  const pixelSize = harness.images.get(PATHS[0]!)!.pixelSizeMicrons!;
  expect(report.counts.areaMm2).toBeCloseTo((66_900 * pixelSize ** 2) / 1e6, 4);
});

test('a job that has ended is not cancelled any more: it is answered as it is', async () => {
  const gone = harness.images.get(PATHS[0]!)!;
  harness.images.delete(PATHS[0]!);
  const { jobId } = await runBoth([await harness.intentOf(gone, 'even', 0)]);
  expect((await harness.batch.cancel(jobId)).state).toBe('failed');
  expect(harness.batch.status(jobId).state).toBe('failed');
});

test('the tables of a cancelled job say what is finished', async () => {
  const intentIds = [await harness.intent('even', 0)];
  let reached = (): void => undefined;
  const moment = new Promise<void>((resolve) => (reached = resolve));
  harness.beforeOpen = (path) => {
    if (path === PATHS[1]) reached();
  };
  const request = { intentIds, images: PATHS.map((path) => ({ path })), outputFolder: harness.out };
  const { jobId } = await harness.batch.start(request);
  await moment;
  await harness.batch.cancel(jobId);
  expect(harness.text('summary.csv')).toMatch(/\/slides\/a\.tif,a\.geojson,done,even,\d+/);
  expect(harness.text('summary.csv')).toContain('/slides/b.tif,,waiting');
  expect(harness.text('index.html')).toContain('cancelled');
});

test('the tables are not written again after every image: the first, then at intervals, and in the end', async () => {
  const intentIds = [await harness.intent('even', 0)];
  const paths = Array.from({ length: 25 }, (_, i) => `/slides/small${i}.tif`);
  const tissue = makeTissue({ width: 90, height: 70 }, 3, 0.0011);
  for (const path of paths) harness.images.set(path, { ...tissueImage(tissue), uri: path, key: path });
  const written = jest.spyOn(JobStore.prototype, 'failedUnits');
  const { jobId } = await harness.batch.start({
    intentIds,
    images: paths.map((path) => ({ path })),
    outputFolder: harness.out,
  });
  await harness.batch.idle();
  const times = written.mock.calls.length;
  written.mockRestore();
  expect(harness.batch.status(jobId).state).toBe('done');
  expect(times).toBeLessThan(10);
  expect(harness.text('summary.csv').trim().split('\r\n')).toHaveLength(26);
});

test('a slide without a small level, too large to be read at once, is looked over in bands', async () => {
  const intentIds = [await harness.intent('even', 0)];
  const image = harness.images.get(PATHS[0]!)!;
  let refused = 0;
  harness.images.set(PATHS[0]!, {
    ...image,
    // As a file does it, with a limit that suits a small picture; a band is then the whole of it.
    read: (region, signal) => {
      if (refused === 0 && region.width === image.width && region.height === image.height) {
        refused++;
        return Promise.reject(new BridgeError('LimitExceeded', 'a region is more than the limit'));
      }
      return image.read(region, signal);
    },
  });
  const report = await runBoth(intentIds);
  expect(refused).toBe(1);
  expect(report.state).toBe('done');
  harness.images.set(PATHS[0]!, image);
  expect(harness.result('a')).toEqual(await harness.wholeSearch(PATHS[0]!, intentIds));
});
