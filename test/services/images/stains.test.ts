import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { ImageRegistry, type OpenImage } from '../../../src/services/images/images';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { chooseStains, type StainRequest } from '../../../src/services/images/stains';
import { tiffBytes, type TiffPage } from '../../support/tiffWriter';

const FIXTURES = join(__dirname, '../../fixtures/fluorescence');
const CELLS = join(FIXTURES, 'cells.png');
const BRIGHTFIELD = join(__dirname, '../../fixtures/images/brca-val.png');

let folder: string;
let images: ImageRegistry;
let cells: Uint8Array;
const SIDE = 256;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-stains-'));
  images = new ImageRegistry({ roots: [folder, join(__dirname, '../../fixtures')] });
  cells = await sharp(CELLS).toColourspace('b-w').raw().toBuffer();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
const open = (uri: string, stains?: StainRequest): Promise<OpenImage> =>
  images.open('stains', { uri, source: 'file', pixelSizeMicrons: 0.4, stains });
const whole = ({ imageId, width, height }: OpenImage): Promise<RgbPixels> =>
  images.readRegion(imageId, { x: 0, y: 0, width, height, downsample: 1 });
const page = (more: Partial<TiffPage>): TiffPage => ({
  width: SIDE,
  height: SIDE,
  samples: 1,
  bits: 8,
  data: cells,
  ...more,
});
const named = (names: readonly string[], prefix = '') =>
  `<OME><Image><Pixels DimensionOrder="XYCZT" SizeX="${SIDE}" SizeY="${SIDE}" SizeC="${names.length}" SizeZ="1" SizeT="1" Type="uint8">${names
    .map((name) => `<Channel Name="${prefix}${name}"/>`)
    .join('')}<TiffData/></Pixels></Image></OME>`;
/** Channels in pages: the cells where the name is wanted, else their mirror image in darker. */
const channels = (names: readonly string[], nuclear: number): Buffer =>
  tiffBytes(
    names.map((_, index) =>
      page({
        data: index === nuclear ? cells : cells.map((__, at) => cells[cells.length - 1 - at]! / 2),
        ...(index === 0 && { description: named(names) }),
      }),
    ),
  );

test('nuclei that glow become blue on white, and it is told', async () => {
  const image = await open(CELLS);
  expect(image.stains).toEqual([{ channel: 0, stain: 'haematoxylin' }]);
  expect(image.warnings.map(({ name }) => name)).toEqual(['StainsAssumed']);
  const { data } = await whole(image);
  const mean = (wanted: (value: number) => boolean, channel: number): number => {
    const chosen = [...cells.keys()].filter((at) => wanted(cells[at]!));
    return chosen.reduce((sum, at) => sum + data[at * 3 + channel]!, 0) / chosen.length;
  };
  const brightest = Math.max(...cells);
  for (const channel of [0, 1, 2])
    expect(mean((value) => value < brightest / 20, channel)).toBeGreaterThan(225);
  const nuclei = [0, 1, 2].map((channel) => mean((value) => value > brightest / 2, channel));
  expect(nuclei[0]).toBeLessThan(140);
  expect(nuclei[1]).toBeLessThan(nuclei[0]!);
  expect(nuclei[2]).toBeGreaterThan(nuclei[0]! + 30);
});

describe('the same cells in another writing are the same picture', () => {
  const wide = (factor: number): TiffPage =>
    page({ bits: 16, data: Uint16Array.from(cells, (value) => value * factor) });
  test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['16 bit', () => tiffBytes([wide(257)])],
    ['12 bit in 16', () => tiffBytes([wide(16)])],
    ['8 bit in 16', () => tiffBytes([wide(1)])],
    [
      'floats from 0 to 1',
      () => tiffBytes([page({ bits: 32, data: Float32Array.from(cells, (value) => value / 255) })]),
    ],
    [
      'floats in electrons',
      () => tiffBytes([page({ bits: 32, data: Float32Array.from(cells, (value) => 100 + 37.5 * value) })]),
    ],
    [
      'white is zero',
      () => tiffBytes([page({ data: cells.map((value) => 255 - value), tags: { 262: [0] } })]),
    ],
    ['tiles', () => tiffBytes([page({ tileSize: 64 })])],
    [
      'saved as RGB',
      () =>
        sharp(cells, { raw: { width: SIDE, height: SIDE, channels: 1 } })
          .toColourspace('srgb')
          .png()
          .toBuffer(),
    ],
    [
      'saved as RGBA',
      () =>
        sharp(cells, { raw: { width: SIDE, height: SIDE, channels: 1 } })
          .toColourspace('srgb')
          .ensureAlpha()
          .png()
          .toBuffer(),
    ],
    [
      'a channel called Hoechst among five',
      () => channels(['CD3', 'CD8', 'Hoechst 33342', 'CK', 'PD-L1'], 2),
    ],
    ['a channel called DAPI of an OME-TIFF', () => channels(['DAPI', 'GFP', 'mCherry'], 0)],
  ])('%s', async (name, bytes) => {
    const image = await open(put(`${name}.bin`, await bytes()));
    expect(image.warnings.map((warning) => warning.name)).toContain('StainsAssumed');
    const [expected, actual] = [await whole(await open(CELLS)), await whole(image)];
    const worst = expected.data.reduce(
      (most, value, at) => Math.max(most, Math.abs(value - actual.data[at]!)),
      0,
    );
    expect(worst).toBeLessThanOrEqual(1);
  });
});

test('a tile looks as it does in the whole picture, however dark or bright the tile is', async () => {
  const image = await open(put('tiles.tif', tiffBytes([page({ tileSize: 64 })])));
  const all = await whole(image);
  for (const [x, y] of [
    [0, 0],
    [128, 64],
    [192, 192],
  ] as const) {
    const part = await images.readRegion(image.imageId, { x, y, width: 64, height: 64, downsample: 1 });
    const row = part.data.subarray(0, 3 * 64);
    expect(row).toEqual(all.data.slice(3 * (y * SIDE + x), 3 * (y * SIDE + x + 64)));
  }
});

test('brightfield stays as it is, in colours and in grey', async () => {
  const colours = await open(BRIGHTFIELD);
  expect(colours.stains).toBe('rgb');
  expect(colours.warnings).toEqual([]);
  const grey = await open(put('grey.png', await sharp(BRIGHTFIELD).toColourspace('b-w').png().toBuffer()));
  expect(grey).toMatchObject({ stains: 'rgb', channels: 1, warnings: [] });
  const [value] = await sharp(BRIGHTFIELD).toColourspace('b-w').raw().toBuffer();
  expect([...(await whole(grey)).data.subarray(0, 3)]).toEqual([value, value, value]);
});

test('colours on black are told, and read as one asks', async () => {
  const blue = new Uint8Array(SIDE * SIDE * 3);
  cells.forEach((value, at) => (blue[at * 3 + 2] = value));
  const path = put(
    'blue.png',
    await sharp(blue, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .png()
      .toBuffer(),
  );
  const guessed = await open(path);
  expect(guessed).toMatchObject({ stains: 'rgb', warnings: [{ name: 'DarkBackground' }] });
  const asked = await open(path, [{ channel: 'blue', stain: 'haematoxylin' }]);
  expect(asked.warnings).toEqual([]);
  expect((await whole(asked)).data).toEqual((await whole(await open(CELLS))).data);
});

test('a second channel of two is a marker: brown where it glows', async () => {
  const image = await open(put('marker.tif', channels(['DAPI', 'Ki67'], 0)));
  expect(image.stains).toEqual([
    { channel: 0, stain: 'haematoxylin' },
    { channel: 1, stain: 'dab' },
  ]);
  const { data } = await whole(image);
  const marker = (at: number): number => cells[cells.length - 1 - at]!;
  const bright = 0.8 * Math.max(...cells);
  const pixel = [...cells.keys()].find((at) => marker(at) > bright && cells[at]! < 10)!;
  const [red, green, blue] = data.subarray(pixel * 3, pixel * 3 + 3);
  expect(red).toBeGreaterThan(green! + 20);
  expect(green).toBeGreaterThan(blue! + 5);
});

test('64 channels are read, 65 are not; each of them can be asked for', async () => {
  const many = (count: number): Buffer => {
    const names = Array.from({ length: count }, (_, index) => `marker ${index + 1}`);
    const small = (index: number): TiffPage => ({
      width: 16,
      height: 16,
      samples: 1,
      bits: 16,
      data: Array.from({ length: 256 }, (_, at) => (at === index ? 60_000 : at)),
      ...(index === 0 && { description: named(names).replaceAll(`"${SIDE}"`, '"16"') }),
    });
    return tiffBytes(names.map((_, index) => small(index)));
  };
  const path = put('many.ome.tif', many(64));
  const image = await open(path, [{ channel: 'marker 40', stain: 'haematoxylin' }]);
  expect(image).toMatchObject({ channels: 64, stains: [{ channel: 39, stain: 'haematoxylin' }] });
  const { data } = await whole(image);
  const darkest = data.indexOf(Math.min(...data.filter((_, at) => at % 3 === 0)));
  expect(Math.floor(darkest / 3)).toBe(39);
  await expect(open(put('more.ome.tif', many(65)))).rejects.toMatchObject({ errorName: 'UnsupportedImage' });
});

describe('what is asked for', () => {
  const three = [{ name: 'DAPI' }, { name: 'CD3' }, { name: 'CD8' }];
  test.each<[string, StainRequest]>([
    ['by name', [{ channel: 'CD8', stain: 'dab' }]],
    ['in other letters', [{ channel: ' cd8 ', stain: 'dab' }]],
    ['by number from 1', [{ channel: 3, stain: 'dab' }]],
    ['by number as text', [{ channel: '3', stain: 'dab' }]],
  ])('%s', (_, request) => {
    expect(chooseStains(request, three, 'dark')).toEqual({
      map: [{ channel: 2, stain: 'dab' }],
      warnings: [],
    });
  });
  test('a channel that is not there is refused with the names of those that are', () => {
    expect(() => chooseStains([{ channel: 'CD4', stain: 'dab' }], three, 'dark')).toThrow('no channel CD4');
    expect(() => chooseStains([{ channel: 0, stain: 'dab' }], three, 'dark')).toThrow('no channel 0');
    const twice: StainRequest = [
      { channel: 1, stain: 'dab' },
      { channel: 'dapi', stain: 'eosin' },
    ];
    expect(() => chooseStains(twice, three, 'dark')).toThrow('two stains');
  });
  test.each([
    'DAPI',
    'dapi_01',
    'Hoechst 33342',
    'DNA1',
    'DRAQ5',
    'Nuclei',
    'nuclear',
    'H2B-GFP',
    '191Ir',
    'Ir193',
    'SYTO 13',
    'PI',
    'Hematoxylin',
  ])('%s is a nuclear stain', (name) => {
    const { map } = chooseStains('auto', [{ name: 'CD3' }, { name }, { name: 'CD8' }], 'dark');
    expect(map).toEqual([{ channel: 1, stain: 'haematoxylin' }]);
  });
  test.each(['PD-1', 'GFP', 'Pan-CK', 'mCherry', 'CD45RO', 'Actin', 'AF488'])('%s is none', (name) => {
    const { map } = chooseStains('auto', [{ name }, { name: 'DAPI' }, { name: 'x' }], 'dark');
    expect(map).toEqual([{ channel: 1, stain: 'haematoxylin' }]);
  });
});
