import type { JobDocument } from '../../../src/services/batch/job';
import type { StoredImage, StoredJob } from '../../../src/services/batch/jobStore';
import { methodsText } from '../../../src/services/batch/reports';

const DOCUMENT = {
  intents: [{ name: 'lymphocyte', round: 1 }],
  images: [{ name: 'a' }, { name: 'b' }],
  filters: {},
  modelId: 'model',
  tissue: false,
  version: '1.2.3',
} as unknown as JobDocument;
const JOB = { jobId: 'job', document: DOCUMENT } as StoredJob;
const searched = {
  plan: { pixelSizeMicrons: 0.5 },
  outcome: { areaMm2: 1.25 },
} as unknown as StoredImage;
const failed = { plan: null, outcome: undefined } as unknown as StoredImage;

test('the paragraph counts what was searched, and tells what was not', () => {
  const partly = methodsText(JOB, [searched, failed]);
  expect(partly).toContain('"lymphocyte" (refined 1 time)');
  expect(partly.replaceAll('\n', ' ')).toContain(
    '1 image with pixel sizes of 0.5 µm was searched as a whole',
  );
  expect(partly).toContain('1.25 mm² in all; 1 image of the job had no result.');
  const whole = methodsText(JOB, [searched, searched]);
  expect(whole.replaceAll('\n', ' ')).toContain('2 images with pixel sizes of 0.5 µm were searched');
  expect(whole).not.toContain('had no result');
});
