import { copyFileSync, cpSync, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OpenSlide } from '../../../src/services/images/openSlide/openSlide';
import { slideFormat } from '../../../src/services/images/openSlide/slideFormat';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { fixturePicture, withWhite } from '../../support/fixturePicture';
import { testLibrary } from '../../support/openSlideLibrary';
import { formatSuite } from './formatSuite';

// Slides of scanners' formats, written by public tools (test/fixtures/make/slides.py), through the real library.

const FIXTURES = join(__dirname, '../../fixtures/slides');
const openSlide = new OpenSlide({ named: testLibrary(), platform: process.platform, env: {}, home: '' });
const truths: Record<string, RgbPixels> = {};
beforeAll(async () => {
  const picture = await fixturePicture(192, 160);
  Object.assign(truths, {
    picture,
    firstTileWhite: withWhite(picture, picture, { x: 0, y: 0, width: 64, height: 64 }),
    middleTileWhite: withWhite(picture, { width: 192, height: 192 }, { x: 64, y: 64, width: 64, height: 64 }),
  });
});
afterAll(() => openSlide.close());

/** Copies a fixture; some slides live in a folder of their name, and a DICOM slide is all files of a folder. */
const copied = (name: string) => (folder: string) => {
  const source = join(FIXTURES, name);
  const beside = source.replace(/\.\w+$/, '');
  if (dirname(name) !== '.') cpSync(dirname(source), folder, { recursive: true });
  else copyFileSync(source, join(folder, name));
  if (existsSync(beside)) cpSync(beside, join(folder, basename(beside)), { recursive: true });
  return join(folder, basename(name));
};
const slide = (name: string, truth: string, levels = [1, 2], tolerance = 0) => ({
  write: copied(name),
  levels,
  tolerance,
  pixelSizeMicrons: 0.5,
  // Decoded in `beforeAll`, after the suite has taken the truth.
  truth: {
    width: 192,
    height: truth === 'middleTileWhite' ? 192 : 160,
    channels: 3 as const,
    get data() {
      return truths[truth]!.data;
    },
  },
});

formatSuite(slideFormat(openSlide), {
  'Aperio SVS with JPEG 2000': slide('aperio-jpeg2000.svs', 'picture'),
  'Aperio SVS, a tile left out': slide('aperio-missing-tile.svs', 'firstTileWhite'),
  // JPEG at quality 95 errs by at most 21; OpenSlide adds the levels that a JPEG scales down to.
  'Hamamatsu NDPI': slide('hamamatsu.ndpi', 'picture', [1, 2, 4, 8, 16], 24),
  'Leica SCN, a scanned area inside a larger slide': slide('leica.scn', 'picture'),
  DICOM: slide('dicom/level0.dcm', 'picture'),
  '3DHISTECH MIRAX, a tile left out': slide('mirax.mrxs', 'middleTileWhite'),
});
