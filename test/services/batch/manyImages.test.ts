import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contactSheet } from '../../../src/services/batch/contactSheet';
import type { JobDocument } from '../../../src/services/batch/job';
import { JobStore } from '../../../src/services/batch/jobStore';
import { errorsCsv, summaryCsv } from '../../../src/services/batch/reports';
import { openStore } from '../../../src/store/store';

const IMAGES = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'sampo-many-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a job of 10,000 images: its rows are looked up one at a time, and its tables hold them all', () => {
  const store = openStore(folder);
  const jobs = new JobStore(store.database);
  const document: JobDocument = {
    version: 'test',
    modelId: 'm',
    intents: [{ intentId: 'i', name: 'nuclei', color: [1, 2, 3], sha256: '', round: 0 }],
    images: Array.from({ length: IMAGES }, (_, i) => ({ path: `/s/${i}.png`, name: String(i) })),
    outputFolder: '/out',
    filters: {},
    tissue: false,
  };
  jobs.create('job', 'key', document);
  const plan = { width: 9, height: 9, pixelSizeMicrons: 0.5, stamp: 's', areaMm2: 0.001, warnings: [] };
  const unit = { index: 0, x: 0, y: 0, width: 9, height: 9 };
  const classes = [{ name: 'nuclei', count: 2, meanScore: 0.5, meanArea: 30, density: 2000 }];
  // As a run does it, each statement on its own; in one transaction, so that the disk is not what is tested.
  let statements = 0;
  const run = store.database.run.bind(store.database);
  const all = store.database.all.bind(store.database);
  let rowsRead = 0;
  store.database.run = (...args) => {
    statements++;
    return run(...args);
  };
  store.database.all = <T extends object>(...args: Parameters<typeof all>) => {
    const rows = all<T>(...args);
    rowsRead += rows.length;
    return rows;
  };
  store.database.transaction(() => {
    for (let i = 0; i < IMAGES; i++) {
      run(
        `INSERT INTO batchUnits (jobId, position, unit, x, y, width, height, state, attempts) VALUES ('job', ?, 0, 0, 0, 9, 9, 'waiting', 0)`,
        i,
      );
      if (i % 100 === 7) {
        const error = { name: 'ImageUnreadable' as const, message: `tile of ${i}` };
        jobs.unitFailed('job', i, unit.index, error, true);
        jobs.imageFailed('job', i, error);
      } else {
        jobs.unitDone('job', i, unit.index, { objects: 2, areaMm2: 0.001, seconds: 1, sha256: '' });
        expect(jobs.image('job', i).position).toBe(i);
        jobs.imageDone('job', i, {
          file: `${i}.geojson`,
          objects: 2,
          areaMm2: plan.areaMm2,
          classes,
          failedUnits: 0,
        });
      }
    }
  });
  // Two statements an image, and one row read: what a whole job costs does not grow with the square of its images.
  expect(statements).toBe(2 * IMAGES);
  expect(rowsRead).toBe(9900);
  const counts = jobs.counts('job');
  expect(counts.images).toEqual({ total: IMAGES, done: 9900, failed: 100 });
  expect(counts.objects).toBe(19_800);
  const images = jobs.images('job');
  const failed = jobs.failedUnits('job');
  expect(failed.size).toBe(100);
  expect(failed.get(107)![0]!.error!.message).toBe('tile of 107');
  const summary = summaryCsv(document, images).trim().split('\r\n');
  expect(summary).toHaveLength(IMAGES + 1);
  const rows = images.flatMap(({ position, error }) =>
    error === undefined ? [] : [{ image: document.images[position]!.path, ...error }],
  );
  expect(errorsCsv(rows).trim().split('\r\n')).toHaveLength(101);
  const page = contactSheet(jobs.get('job'), images, counts, () => undefined);
  expect(page.split('<article').length - 1).toBe(IMAGES);
  store.close();
});
