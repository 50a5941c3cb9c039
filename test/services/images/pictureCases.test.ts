import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBridgeError } from '../../../src/errors';
import { ImageRegistry, type OpenImage } from '../../../src/services/images/images';
import { COMPRESSIONS, REFUSED_COMPRESSIONS } from '../../../src/services/images/tiffCompression';
import { TIFF_READINGS } from '../../../src/services/images/tiffReading';
import { PICTURE_CASES, type PictureCase } from './pictureCases';

const PAGE = join(__dirname, '../../../docs/formats.md');
let folder: string;
let images: ImageRegistry;
/** What happened, by case, for the page of formats. */
const told = new Map<PictureCase, string>();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-cases-'));
  images = new ImageRegistry({ roots: [folder] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function outcomeOf(
  each: PictureCase,
): Promise<{ image?: OpenImage; data?: Uint8Array; error?: unknown }> {
  const uri = join(folder, each.file);
  writeFileSync(uri, await each.bytes());
  let image: OpenImage | undefined;
  try {
    image = await images.open('cases', { uri, source: 'file' });
    const { width, height } = image;
    const { data } = await images.readRegion(image.imageId, { x: 0, y: 0, width, height, downsample: 1 });
    return { image, data };
  } catch (error) {
    return { ...(image !== undefined && { image }), error };
  }
}

test.each(PICTURE_CASES.map((each) => [`${each.group}: ${each.name}`, each] as const))(
  '%s',
  async (_, each) => {
    const { image, data, error } = await outcomeOf(each);
    if (each.refused !== undefined) {
      if (!isBridgeError(error)) throw new Error('it was not refused by name', { cause: error });
      expect(error.errorName).toBe(each.refused);
      expect(error.message).toMatch(each.says ?? /./);
      expect(error.data.hint).toMatch(/\w/);
      if (each.warnings !== undefined)
        expect(image?.warnings.map(({ name }) => name)).toEqual(expect.arrayContaining([...each.warnings]));
      told.set(each, `${image === undefined ? 'refused' : 'opened; regions there fail'}: ${error.message}`);
      return;
    }
    if (error !== undefined) throw new Error('it was not read', { cause: error });
    const names = image!.warnings.map(({ name }) => name).filter((name) => name !== 'PixelSizeUnknown');
    expect(names.sort()).toEqual([...(each.warnings ?? [])].sort());
    if (each.micronsPerPixel !== undefined) {
      if (each.micronsPerPixel === null) {
        expect(image).toMatchObject({ pixelSizeMicrons: null, pixelSizeFrom: null });
      } else {
        expect(image!.pixelSizeMicrons).toBeCloseTo(each.micronsPerPixel, 6);
        expect(image!.pixelSizeFrom).toMatch(/\w/);
      }
    }
    if (each.levels !== undefined)
      expect(image!.levels.map(({ downsample }) => downsample)).toEqual(each.levels);
    if (each.truth !== undefined) {
      const truth = await each.truth();
      expect(image).toMatchObject({ width: truth.width, height: truth.height });
      const worst = truth.data.reduce((most, value, at) => Math.max(most, Math.abs(value - data![at]!)), 0);
      expect(worst).toBeLessThanOrEqual(each.tolerance ?? 0);
    }
    const size =
      image!.pixelSizeMicrons === null
        ? 'pixel size unknown'
        : `${Number(image!.pixelSizeMicrons.toPrecision(4))} µm/px from ${image!.pixelSizeFrom}`;
    told.set(
      each,
      [`read, ${size}`, ...image!.warnings.map(({ name, message }) => `${name}: ${message}`)].join('; '),
    );
  },
);

test('docs/formats.md says what happens (UPDATE_DOCS=1 writes it)', () => {
  const page = formatsPage();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});

function formatsPage(): string {
  const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');
  const names = (numbers: readonly number[]): string =>
    [...new Set(numbers.map((number) => COMPRESSIONS[number]!.name))].join(', ');
  const rows = TIFF_READINGS.map(
    ({ name, samplesText, kinds, planar, compressions, note }) =>
      `| ${name} | ${samplesText} | ${kinds.join(', ')} | ${planar.includes(2) ? 'together or separate' : 'together'} | ${names(compressions)} | ${note ?? ''} |`,
  );
  const groups = [...new Set(PICTURE_CASES.map(({ group }) => group))].map((group) =>
    [
      `### ${group}`,
      '',
      '| file | what happens |',
      '|---|---|',
      ...PICTURE_CASES.filter((each) => each.group === group).map(
        (each) => `| ${escape(each.name)} | ${escape(told.get(each) ?? '')} |`,
      ),
    ].join('\n'),
  );
  return [
    '# Which pictures are read, and how',
    '',
    '*Printed by `test/services/images/pictureCases.test.ts` from what happened; change nothing here by hand.*',
    '',
    'A measuring instrument may refuse, but never be silently wrong. A picture is read as it is, refused by name, or read with a',
    'note that says what was assumed: `image/open` gives the notes as `warnings`, says which page and levels were taken',
    '(`picture`), where the pixel size is from (`pixelSizeFrom`), and which channel is shown as which stain (`stains`).',
    '',
    '## TIFF',
    '',
    'What is on this list is read, everything else is refused when the file is opened. Every combination is tried by',
    '`tiffGrid.test.ts`.',
    '',
    '| Photometric | samples | kinds of sample | planes | compression | |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `JPEG and WebP hold 8 bits, CCITT 1 bit; less than 8 bits come one sample a pixel. Refused by name: ${[...new Set(Object.values(REFUSED_COMPRESSIONS))].join(', ')}, and whatever has no name.`,
    '',
    '## Cases',
    '',
    'Kinds of file that users of microscopy programs have reported trouble with, made again from a tile of which the right pixels',
    'are known.',
    '',
    groups.join('\n\n'),
    '',
  ].join('\n');
}
