import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFormats, openImageFile } from '../../../src/services/images/imageFormats';
import { libraryCandidates } from '../../../src/services/images/openSlide/librarySearch';
import { OpenSlide, findOpenSlide, reportOf } from '../../../src/services/images/openSlide/openSlide';
import { isNewEnough } from '../../../src/services/images/openSlide/openSlideVersion';
import { overWhite } from '../../../src/services/images/openSlide/overWhite';
import { testLibrary } from '../../support/openSlideLibrary';

const FIXTURES = join(__dirname, '../../fixtures/slides');
const SLIDES = [
  ['hamamatsu.ndpi', 'Hamamatsu NDPI'],
  ['aperio-jpeg2000.svs', 'Aperio SVS with JPEG 2000'],
  ['leica.scn', 'Leica SCN'],
  ['mirax.mrxs', '3DHISTECH MIRAX (MRXS)'],
  ['dicom/level0.dcm', 'DICOM slide'],
] as const;
const LIMITS = { imagePixels: 2 ** 24 };
const here = { platform: process.platform, env: {}, home: '/nowhere' };

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sampo-openslide-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where OpenSlide is not there', () => {
  test.each(SLIDES)('%s is refused as a %s, not opened as something else', async (file, kind) => {
    const openSlide = new OpenSlide({ ...here, named: join(folder, 'no-such-library.so') });
    try {
      await expect(
        openImageFile(join(FIXTURES, file), LIMITS, imageFormats({ openSlide })),
      ).rejects.toMatchObject({
        errorName: 'UnsupportedImage',
        message: expect.stringContaining(`${kind} is read through OpenSlide`) as string,
        data: { hint: expect.stringMatching(/install OpenSlide 4\.0\.1 or newer/) as string },
      });
      await expect(openImageFile(join(FIXTURES, file), LIMITS, imageFormats({}))).rejects.toMatchObject({
        errorName: 'UnsupportedImage',
        message: expect.stringContaining(kind) as string,
      });
    } finally {
      await openSlide.close();
    }
  });

  test('what cannot be loaded is told by its path and the reason', async () => {
    const text = join(folder, 'libopenslide.so.1');
    writeFileSync(text, 'no library');
    const report = await findOpenSlide({ ...here, named: text });
    expect(report).toMatchObject({ state: 'unusable', library: text });
    expect(report.message).toContain(text);
    expect(report.hint).toMatch(/install OpenSlide/);
  });

  test('an older version is told apart from none', () => {
    const missing = { library: 'libopenslide.so.1', outcome: 'unusable', reason: 'no such file' } as const;
    const old = { library: 'libopenslide.so.0', outcome: 'tooOld', version: '3.4.1' } as const;
    expect(reportOf([missing], { ...here, platform: 'linux' }).state).toBe('missing');
    expect(reportOf([missing, old], { ...here, platform: 'linux' })).toMatchObject({
      state: 'tooOld',
      version: '3.4.1',
      message: expect.stringMatching(/3\.4\.1.*too old/) as string,
    });
  });
});

test('the library of the tests is found, with its version', async () => {
  const library = testLibrary();
  expect(await findOpenSlide({ ...here, named: library })).toMatchObject({
    state: 'found',
    library,
    version: expect.stringMatching(/^4\./) as string,
  });
  // A folder does as well, since that is what a user knows.
  expect(await findOpenSlide({ ...here, named: join(library, '..') })).toMatchObject({ state: 'found' });
});

test.each([
  ['4.0.1', true],
  ['4.0.10', true],
  ['4.1.0-rc1', true],
  ['10.0', true],
  ['4.0.0', false],
  ['3.4.1', false],
  ['', false],
])('version %s is new enough: %s', (version, expected) => expect(isNewEnough(version)).toBe(expected));

test("libraries of Python and Conda environments are looked for, the user's own name alone", async () => {
  const virtual = join(folder, 'venv');
  const packages = join(virtual, 'lib', 'python3.12', 'site-packages', 'openslide_bin');
  mkdirSync(packages, { recursive: true });
  writeFileSync(join(packages, 'libopenslide.so.1'), '');
  const conda = join(folder, 'conda');
  mkdirSync(join(conda, 'lib'), { recursive: true });
  writeFileSync(join(conda, 'lib', 'libopenslide.so.1'), '');
  const env = { VIRTUAL_ENV: virtual, CONDA_PREFIX: conda };
  const search = { platform: 'linux', env, home: join(folder, 'home') } as const;
  expect(await libraryCandidates(search)).toEqual([
    'libopenslide.so.1',
    join(conda, 'lib', 'libopenslide.so.1'),
    join(packages, 'libopenslide.so.1'),
    'libopenslide.so.0',
  ]);
  expect(await libraryCandidates({ ...search, named: '/opt/x.so' })).toEqual(['/opt/x.so']);
});

test('transparent pixels become white, half-transparent ones half white, opaque ones stay', () => {
  const words = Uint32Array.of(0x00000000, 0xff102030, 0x80402000);
  expect(overWhite(words, 3, 1)).toEqual({
    width: 3,
    height: 1,
    channels: 3,
    data: Uint8Array.of(255, 255, 255, 0x10, 0x20, 0x30, 0xbf, 0x9f, 0x7f),
    leftOut: 1,
  });
});

test.each([1, 3, 4, 7, 64])(
  '%s opaque pixels are their colours, and one that is not is seen wherever it lies',
  (count) => {
    const colour = (pixel: number) =>
      [(pixel * 37) % 256, (pixel * 91 + 200) % 256, (pixel * 53 + 129) % 256] as const;
    const words = Uint32Array.from({ length: count }, (_, pixel) => {
      const [red, green, blue] = colour(pixel);
      return 0xff000000 + red * 65_536 + green * 256 + blue;
    });
    const colours = Array.from({ length: count }, (_, pixel) => colour(pixel)).flat();
    expect(overWhite(words, count, 1)).toEqual({
      width: count,
      height: 1,
      channels: 3,
      data: Uint8Array.from(colours),
      leftOut: 0,
    });
    for (let hole = 0; hole < count; hole += 1) {
      const holed = words.slice();
      holed[hole] = 0;
      const expected = Uint8Array.from(colours).fill(255, 3 * hole, 3 * hole + 3);
      expect(overWhite(holed, count, 1)).toMatchObject({ data: expected, leftOut: 1 });
    }
  },
);

describe('with OpenSlide', () => {
  const openSlide = new OpenSlide({ ...here, named: testLibrary(), timeout: 20_000 });
  const formats = imageFormats({ openSlide });
  afterAll(() => openSlide.close());

  test.each([
    // One of 9 tiles, which the coarser level shows white.
    ['mirax.mrxs', '3DHISTECH MIRAX (MRXS)', 'about 11 % of the slide'],
    // One of 7.5 tiles; OpenSlide fills the coarser level from the finer one.
    ['aperio-missing-tile.svs', 'Aperio SVS with JPEG 2000', 'about 13 % of the slide'],
  ])('a part of %s was never scanned: it is white, and told', async (file, format, words) => {
    const source = await openImageFile(join(FIXTURES, file), LIMITS, formats);
    expect(source.format).toBe(format);
    expect(source.warnings).toEqual([
      { name: 'NotScannedIsWhite', message: expect.stringContaining(words) as string },
    ]);
    await source.close();
  });

  test('of a slide that is larger than its scan, the scan is used, and told', async () => {
    const source = await openImageFile(join(FIXTURES, 'leica.scn'), LIMITS, formats);
    expect(source.warnings).toEqual([
      {
        name: 'ScannedAreaOnly',
        message: expect.stringContaining('coordinates count from (100, 60) of the slide') as string,
      },
    ]);
    await source.close();
  });

  test('when its process is killed in the middle, the slides stay open', async () => {
    const source = await openImageFile(join(FIXTURES, 'aperio-jpeg2000.svs'), LIMITS, formats);
    if (source.kind !== 'rgb') throw new Error('a slide is RGB');
    const all = { x: 0, y: 0, width: 192, height: 160 };
    const before = await source.readRegion(0, all);
    process.kill((await openSlide.pid())!, 'SIGKILL');
    // The one request that was under way is lost, and told.
    await expect(source.readRegion(0, all)).rejects.toMatchObject({
      errorName: 'ImageUnreadable',
      message: expect.stringMatching(/SIGKILL.*aperio-jpeg2000\.svs, 192 x 160 pixels at \(0, 0\)/) as string,
    });
    expect(await source.readRegion(0, all)).toEqual(before);
    await source.close();
  });

  test('a slide that OpenSlide cannot read is refused with its words', async () => {
    const broken = join(folder, 'broken.mrxs');
    writeFileSync(broken, Buffer.from('ffd8ffe000104a464946', 'hex'));
    await expect(openImageFile(broken, LIMITS, formats)).rejects.toMatchObject({
      errorName: 'ImageUnreadable',
      message: expect.stringMatching(/^this 3DHISTECH MIRAX \(MRXS\) cannot be opened: /) as string,
    });
  });
});
