import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { startServer, type RunningServer } from '../../src/composition';
import { runCommandLine } from '../../src/commands/run';
import { qupathFaults } from '../segmentation/qupathRules';
import { TEST_DEVICE } from '../support/testDevice';

const TILE = resolve(__dirname, '../../models/demo/breast.png');
const CLICKS = ['--click', '289,260', '--click', '397,247,+', '--click', '141,200'];
const folder = mkdtempSync(join(tmpdir(), 'sampo segment-'));
const state = join(folder, 'state');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Change {
  readonly interactive?: boolean;
  readonly signal?: AbortSignal;
  readonly hear?: () => void;
}

async function sampo(argv: string[], { hear, ...change }: Change = {}) {
  const said = { out: '', err: '' };
  const code = await runCommandLine(argv, {
    env: { SAMPO_STATE: state, SAMPO_DEVICE: TEST_DEVICE },
    platform: process.platform,
    out: (text) => (said.out += text),
    err: (text) => {
      said.err += text;
      hear?.();
    },
    signal: new AbortController().signal,
    ...change,
  });
  return { code, ...said };
}

interface Found {
  readonly id: string;
  readonly geometry: { readonly coordinates: number[][][] };
  readonly properties: {
    readonly classification: { readonly name: string };
    readonly measurements: Record<string, number>;
  };
}

function read(path: string): Found[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as { features: Found[] }).features;
}

describe('wrong use is told before anything starts', () => {
  test.each<[string, string[]]>([
    ['needs an image', ['--out', 'x']],
    ['needs --out', [TILE, ...CLICKS]],
    ['needs a --click', [TILE, '--out', 'x']],
    ['belong to one image', [TILE, 'other.png', ...CLICKS, '--out', 'x']],
    ['belong to one intent', [TILE, ...CLICKS, '--intent', 'a', '--intent', 'b', '--out', 'x']],
    ['--click is x,y', [TILE, '--click', '3', '--out', 'x']],
    ['--click takes a number, not "3a"', [TILE, '--click', '3a,4', '--out', 'x']],
    ['--click takes a number, not ""', [TILE, '--click', '3,', '--out', 'x']],
    ['--region is x,y,width,height', [TILE, ...CLICKS, '--region', '1,2,3', '--out', 'x']],
    ['--min-score takes a number from 0 to 1', [TILE, ...CLICKS, '--min-score', '70', '--out', 'x']],
    ['above 0', [TILE, ...CLICKS, '--mpp', '0', '--out', 'x']],
    ['the same file', ['a/x.png', 'b/x.tif', '--intent', 'i', '--out', 'x']],
    ['overwritten by its own result', [TILE, ...CLICKS, '--out', TILE]],
  ])('%s', async (message, argv) => {
    const { code, out, err } = await sampo(['segment', ...argv]);
    expect(err).toContain(message);
    expect(err).toContain('usage: sampo segment');
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});

test('without a running server it starts its own, ends it, and remembers what an intent learned', async () => {
  const out = join(folder, 'first.geojson');
  const overlay = join(folder, 'first.png');
  const argv = [TILE, ...CLICKS, '--intent', 'Lymphocyte', '--out', out, '--overlay', overlay];
  const { code, ...said } = await sampo(['segment', ...argv]);
  expect({ code, err: code === 0 ? '' : said.err }).toEqual({ code: 0, err: '' });
  const features = read(out);
  expect(features.length).toBeGreaterThan(70);
  expect(features.length).toBeLessThan(300);
  expect(features.flatMap((feature) => qupathFaults(feature))).toEqual([]);
  expect(said.out).toContain(`${features.length} Lymphocyte in 4 tiles`);
  expect(said.err).toMatch(/breast\.png +\d+ % {2}tile 1 of 4, \d+ objects/);
  expect(said.err).not.toContain('\r');
  expect(await sharp(overlay).metadata()).toMatchObject({ format: 'png', width: 930, height: 930 });
  expect(readdirSync(state)).not.toContain('connection.json');

  const listed = await sampo(['intents', 'list']);
  expect(listed.out).toMatch(/^name .*\nLymphocyte +3 +0 +no +[0-9a-f-]{36}\n$/);
});

describe('with a running server', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const roots = [folder, resolve(TILE, '..')];
    server = await startServer({ stateFolder: state, device: TEST_DEVICE, roots });
  });
  afterAll(() => server.close());

  test('a region and a least score limit what is written; a terminal sees a bar', async () => {
    const out = join(folder, 'part.geojson');
    const overlay = join(folder, 'part.png');
    const options = [
      '--region',
      '100.5,100,200,150',
      '--min-score',
      '0.6',
      '--out',
      out,
      '--overlay',
      overlay,
    ];
    const { code, err } = await sampo(['segment', TILE, ...CLICKS, ...options], { interactive: true });
    expect(code).toBe(0);
    expect(err).toMatch(/\r\x1b\[Kbreast\.png █+░* +\d+ %/);
    const features = read(out);
    expect(features.length).toBeGreaterThan(5);
    for (const { properties, geometry } of features) {
      expect(properties.classification.name).toBe('Clicked');
      expect(properties.measurements['SAMPO score']).toBeGreaterThanOrEqual(0.6);
      for (const [x, y] of geometry.coordinates[0]!) {
        // Objects that begin inside are whole: they may reach out by a nucleus.
        expect(x).toBeGreaterThan(60);
        expect(y).toBeLessThan(290);
      }
    }
    expect(await sharp(overlay).metadata()).toMatchObject({ width: 402, height: 300 });
    // What was made for this run alone is gone.
    expect((await sampo(['intents', 'list'])).out).not.toContain('Clicked');
  });

  test('a negative click takes objects away, a box adds an example', async () => {
    const out = join(folder, 'signs.geojson');
    await sampo(['segment', TILE, ...CLICKS, '--out', out]);
    const before = read(out).length;
    const { code } = await sampo(['segment', TILE, ...CLICKS, '--click', '330,330,-', '--out', out]);
    expect(code).toBe(0);
    expect(read(out).length).not.toBe(before);
    expect((await sampo(['segment', TILE, '--box', '279,250,20,20', '--out', out])).code).toBe(0);
  });

  test('a batch: a file for each image, the broken one told, the rest done, exit code 1', async () => {
    const images = join(folder, 'images');
    mkdirSync(images);
    copyFileSync(TILE, join(images, 'a.png'));
    writeFileSync(join(images, 'b.png'), 'this is no picture');
    await sharp(TILE).extract({ left: 0, top: 0, width: 200, height: 120 }).toFile(join(images, 'c.png'));
    const paths = ['a.png', 'b.png', 'missing.png', 'c.png'].map((name) => join(images, name));
    const out = join(folder, 'results');
    const { code, err, ...said } = await sampo(['segment', ...paths, '--intent', 'Lymphocyte', '--out', out]);
    expect(code).toBe(1);
    expect(readdirSync(out).sort()).toEqual(['a.geojson', 'c.geojson']);
    expect(err).toMatch(/b\.png: .*neither .*PNG, JPEG, TIFF/);
    expect(err).toMatch(/missing\.png: there is no file/);
    expect(said.out).toMatch(/a\.png: \d+ Lymphocyte[^]*c\.png: \d+ Lymphocyte[^]*4 images, 2 failed\n$/);
    expect(read(join(out, 'a.geojson')).length).toBeGreaterThan(70);
    const fine = await sampo(['segment', paths[0]!, paths[3]!, '--intent', 'Lymphocyte', '--out', out]);
    expect(fine.code).toBe(0);
  }, 60_000);

  test('an image outside the folders of the server, and a name nobody knows: exit code 1 and a way out', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'sampo outside-'));
    copyFileSync(TILE, join(outside, 'a.png'));
    const refused = await sampo([
      'segment',
      join(outside, 'a.png'),
      ...CLICKS,
      '--out',
      join(folder, 'no.geojson'),
    ]);
    rmSync(outside, { recursive: true });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/outside the allowed folders[^]*--root/);
    const unknown = await sampo([
      'segment',
      TILE,
      '--intent',
      'Mitosis',
      '--out',
      join(folder, 'no.geojson'),
    ]);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/no intent is called "Mitosis"\n {2}there are: Lymphocyte/);
    const miss = await sampo(['segment', TILE, '--click', '9999,3', '--out', join(folder, 'no.geojson')]);
    expect(miss.err).toMatch(/lies outside the image of 465 x 465/);
  });

  test('interrupted: exit code 130, nothing written', async () => {
    const controller = new AbortController();
    // At 4 µm per px the tile is 3720 px wide for the model: there is time to interrupt after the first tile.
    const argv = [TILE, ...CLICKS, '--mpp', '4', '--out', join(folder, 'cut.geojson')];
    const { code, err } = await sampo(['segment', ...argv], {
      signal: controller.signal,
      hear: () => controller.abort(),
    });
    expect(err).toContain('cancelled');
    expect(code).toBe(130);
    expect(readdirSync(folder)).not.toContain('cut.geojson');
  });

  test('intents: show, export, use of the file, import, rename, delete', async () => {
    const file = join(folder, 'lymphocyte.json');
    const shown = JSON.parse((await sampo(['intents', 'show', 'Lymphocyte'])).out) as { intentId: string };
    expect((await sampo(['intents', 'export', 'Lymphocyte', '--out', file])).code).toBe(0);
    const out = join(folder, 'from-file.geojson');
    const again = join(folder, 'from-name.geojson');
    expect((await sampo(['segment', TILE, '--intent', file, '--out', out])).code).toBe(0);
    await sampo(['segment', TILE, '--intent', shown.intentId, '--out', again]);
    expect(readFileSync(out)).toEqual(readFileSync(again));

    const second = await sampo(['intents', 'import', file]);
    expect(second.err).toContain('a new one');
    expect((await sampo(['intents', 'show', 'Lymphocyte'])).err).toMatch(/2 intents are called "Lymphocyte"/);
    const id = /: ([0-9a-f-]{36})\n/.exec(second.out)![1]!;
    expect((await sampo(['intents', 'rename', id, 'Plasma cell'])).out).toContain('is now "Plasma cell"');
    const listed = JSON.parse((await sampo(['intents', 'list', '--json'])).out) as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['Lymphocyte', 'Plasma cell']);
    expect((await sampo(['intents', 'delete', 'Plasma cell'])).code).toBe(0);
    expect((await sampo(['intents', 'delete', 'Plasma cell'])).code).toBe(1);

    writeFileSync(file, '{');
    expect((await sampo(['intents', 'import', file])).err).toContain('is not JSON');
  });

  test.each<[string[]]>([
    [[]],
    [['lsit']],
    [['show']],
    [['export', 'x']],
    [['rename', 'x']],
    [['list', 'x']],
  ])('intents %j: exit code 2', async (argv) => {
    expect((await sampo(['intents', ...argv])).code).toBe(2);
  });
});
