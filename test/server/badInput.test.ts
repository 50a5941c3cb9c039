import type * as ChildProcesses from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp, { type Channels } from 'sharp';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import type { SegmentPromptParams, SegmentPromptResult } from '../../src/protocol/types.gen';
import { TEST_DEVICE } from '../support/testDevice';

/** While `doomed`, a new engine process is killed before it can do anything, on machines of any speed. */
const engines = { doomed: false, started: 0 };
jest.mock('node:child_process', () => {
  const actual = jest.requireActual<typeof ChildProcesses>('node:child_process');
  const fork = (...given: Parameters<typeof actual.fork>) => {
    const child = actual.fork(...given);
    engines.started++;
    if (engines.doomed) child.kill('SIGKILL');
    return child;
  };
  return { ...actual, fork };
});

const DEMO = resolve(__dirname, '../../models/demo');
const TILE = join(DEMO, 'breast.png');
const SIDE = 465;
const CLICKS = [
  { x: 289, y: 260 },
  { x: 397, y: 247 },
  { x: 141, y: 200 },
];
const WHOLE = { type: 'image' } as const;

let folder: string;
let server: RunningServer;
let client: RpcClient;
let rgb: Buffer;
let tile: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-bad-input-'));
  server = await startServer({
    stateFolder: join(folder, 'state'),
    device: TEST_DEVICE,
    roots: [folder, DEMO],
  });
  client = await RpcClient.connect(server);
  rgb = await sharp(TILE).removeAlpha().raw().toBuffer();
  tile = (await client.request('image/open', { uri: TILE, source: 'file' })).imageId;
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const newIntent = async (name: string) => (await client.request('intent/create', { name })).intent.intentId;

type Asked = Partial<Omit<SegmentPromptParams, 'intents'>> & {
  clicks?: { x: number; y: number; positive?: boolean }[];
};

async function segment({ clicks = CLICKS, ...change }: Asked = {}): Promise<SegmentPromptResult> {
  const intentId = await newIntent('Lymphocyte');
  return client.request('segment/prompt', {
    imageId: tile,
    extent: WHOLE,
    ...change,
    intents: [{ intentId, clicks }],
  });
}

const names = ({ warnings }: SegmentPromptResult) => [...new Set(warnings.map(({ name }) => name))];
const ids = ({ featureCollection }: SegmentPromptResult) => featureCollection.features.map(({ id }) => id);
const rings = ({ featureCollection }: SegmentPromptResult) =>
  featureCollection.features.map(({ geometry }) => geometry.coordinates);

/** Writes pixels as a PNG and opens it. */
async function open(name: string, data: Uint8Array | Uint16Array, channels: Channels, width = SIDE) {
  const height = data.length / width / channels;
  const wide = data instanceof Uint16Array;
  const path = join(folder, `${name}.png`);
  const image = sharp(data, { raw: { width, height, channels } });
  await (wide ? image.toColourspace('rgb16') : channels === 1 ? image.toColourspace('b-w') : image)
    .png()
    .toFile(path);
  return client.request('image/open', { uri: path, source: 'file', pixelSizeMicrons: 0.5 });
}

describe('clicks and extents', () => {
  test.each<[string, Asked, object]>([
    ['ClickOutside', { clicks: [{ x: SIDE, y: 5 }] }, { x: SIDE, y: 5, width: SIDE, height: SIDE }],
    ['ClickOutside', { clicks: [{ x: -0.1, y: 5 }] }, { x: -0.1 }],
    ['NoPositiveClick', { clicks: [{ ...CLICKS[0]!, positive: false }] }, {}],
    ['NoPositiveClick', { clicks: [] }, {}],
    ['EmptyExtent', { extent: { type: 'rectangle', x: 9, y: 9, width: 0, height: 40 } }, { width: SIDE }],
    ['EmptyExtent', { extent: { type: 'view', x: 500, y: 9, width: 30, height: 40 } }, {}],
    ['GeometryInvalid', { extent: { type: 'polygon', coordinates: [[[0, 0], [9, 0], [5, 0], [0, 0]]] } }, {}], // prettier-ignore
    ['ExtentTooLarge', { pixelSizeMicrons: 40 }, { limit: 2048 }],
    ['ConflictingClicks', { clicks: [CLICKS[0]!, { ...CLICKS[0]!, x: 291, positive: false }] }, {}],
    ['ImageNotOpen', { imageId: 'gone' }, {}],
  ])('%s %#', async (errorName, asked, data) => {
    await expect(segment(asked)).rejects.toMatchObject({
      errorName,
      data: { ...data, hint: expect.stringMatching(/\w/) as string },
    });
  });

  test('two classes on one nucleus: both clicks and their classes are named', async () => {
    const [a, b] = [await newIntent('Lymphocyte'), await newIntent('Tumour')];
    const intents = [
      { intentId: a, clicks: [CLICKS[0]!] },
      { intentId: b, clicks: [{ x: 291, y: 261 }] },
    ];
    await expect(
      client.request('segment/prompt', { imageId: tile, extent: WHOLE, intents }),
    ).rejects.toMatchObject({
      errorName: 'ConflictingClicks',
      data: {
        clicks: [
          { x: 289, intent: 'Lymphocyte' },
          { x: 291, intent: 'Tumour' },
        ],
      },
    });
  });

  test('a click outside the extent teaches, with a word about it', async () => {
    const extent = { type: 'rectangle', x: 0, y: 0, width: 120, height: 465 } as const;
    const found = await segment({ extent });
    expect(found.warnings.filter(({ name }) => name === 'ClickOutsideExtent')).toHaveLength(3);
    expect(found.featureCollection.features.length).toBeGreaterThan(5);
  });

  test('a click on background: used, and told which', async () => {
    const [x, y] = [55, 432]; // no nucleus there, looked up in the overlay
    const found = await segment({ clicks: [...CLICKS, { x, y, positive: false }] });
    expect(found.warnings).toEqual([
      { name: 'ClickOnBackground', message: expect.stringContaining(`(${x}, ${y})`) as string },
    ]);
  });
});

describe('images', () => {
  test('smaller than a tile, and of one pixel', async () => {
    const part = await sharp(TILE).extract({ left: 270, top: 240, width: 60, height: 40 }).raw().toBuffer();
    const { imageId } = await open('small', part, 3, 60);
    const found = await segment({ imageId, clicks: [{ x: 19, y: 20 }] });
    expect(found.featureCollection.features.length).toBeGreaterThan(0);
    expect(found.tiles).toMatchObject({ total: 1, done: 1 });
    for (const [x, y] of rings(found).flat(2) as number[][]) {
      expect(x).toBeLessThanOrEqual(60);
      expect(y).toBeLessThanOrEqual(40);
    }
    const one = await open('one', rgb.subarray(0, 3), 3, 1);
    expect(names(await segment({ imageId: one.imageId, clicks: [{ x: 0.5, y: 0.5 }] }))).toEqual([
      'ClickOnBackground',
      'NoNuclei',
    ]);
  });

  test('16 bit, and RGBA without transparency, give what 8-bit RGB gives', async () => {
    const plain = await open('plain', rgb, 3);
    const wide = await open(
      'wide',
      Uint16Array.from(rgb, (value) => value * 257),
      3,
    );
    const opaque = await open(
      'opaque',
      withAlpha(() => 255),
      4,
    );
    expect([plain, wide, opaque].map((one) => [one.channels, one.bitsPerSample])).toEqual([
      [3, 8],
      [3, 16],
      [4, 8],
    ]);
    const expected = rings(await segment({ imageId: plain.imageId }));
    expect(expected.length).toBeGreaterThan(70);
    expect(rings(await segment({ imageId: wide.imageId }))).toEqual(expected);
    expect(rings(await segment({ imageId: opaque.imageId }))).toEqual(expected);
  });

  test('RGBA with transparency: what cannot be seen has no objects', async () => {
    const { imageId } = await open(
      'clear',
      withAlpha((x) => (x < 100 ? 0 : 255)),
      4,
    );
    const found = await segment({ imageId });
    expect(found.featureCollection.features.length).toBeGreaterThan(50);
    const left = Math.min(...(rings(found).flat(2) as number[][]).map(([x]) => x!));
    expect(left).toBeGreaterThan(95);
  });

  test('one channel: read as grey, and searched', async () => {
    const grey = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => rgb[3 * i + 1]!);
    const opened = await open('grey', grey, 1);
    expect(opened).toMatchObject({ channels: 1, bitsPerSample: 8 });
    const found = await segment({ imageId: opened.imageId });
    expect(found.tiles.failed).toEqual([]);
    expect(found.featureCollection.features.length).toBeGreaterThan(20);
  });

  test.each([
    ['white', 255],
    ['black', 0],
  ])('all %s: no objects, and a word that there is no nucleus', async (name, value) => {
    const { imageId } = await open(name, new Uint8Array(SIDE * SIDE * 3).fill(value), 3);
    const found = await segment({ imageId });
    expect(ids(found)).toEqual([]);
    expect(names(found)).toEqual(['ClickOnBackground', 'NoNuclei']);
  });

  test('a whole slide without tiles is refused before it is decoded; an extent of a whole slide before it is read', async () => {
    const path = join(folder, 'slide.png');
    const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'pink' } })
      .png()
      .toBuffer();
    bytes.writeUInt32BE(60_000, 16);
    bytes.writeUInt32BE(60_000, 20);
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    writeFileSync(path, bytes);
    await expect(client.request('image/open', { uri: path, source: 'file' })).rejects.toMatchObject({
      errorName: 'ImageTooLarge',
      data: { pixels: 3.6e9, hint: expect.stringContaining('tiled') as string },
    });
    const viewers = {
      uri: 'slide',
      source: 'client',
      width: 100_000,
      height: 80_000,
      pixelSizeMicrons: 0.25,
    } as const;
    const { imageId } = await client.request('image/open', viewers);
    let asked = 0;
    client.answer('image/readRegion', async () => {
      asked++;
      throw new Error('not reached');
    });
    await expect(segment({ imageId })).rejects.toMatchObject({
      errorName: 'ExtentTooLarge',
      data: { limit: 2048, hint: expect.stringContaining('smaller') as string },
    });
    expect(asked).toBe(0);
  });
});

test('the engine dies for good in the middle: finished tiles are kept, the answer says which failed', async () => {
  // Other pixels than before, so that nothing is cached.
  const { imageId } = await open(
    'again',
    rgb.map((value) => Math.max(0, value - 1)),
    3,
  );
  const intentId = await newIntent('Lymphocyte');
  const { pid } = (await client.request('server/status', {})).engine;
  const before = engines.started;
  const streamed: string[] = [];
  const found = await client.request(
    'segment/prompt',
    { imageId, extent: WHOLE, pixelSizeMicrons: 0.7, intents: [{ intentId, clicks: CLICKS }] },
    {
      progress: ({ message, objects = [] }) => {
        for (const { id } of objects) streamed.push(id);
        if (engines.doomed || message?.startsWith('tile 3 ') !== true) return;
        engines.doomed = true;
        process.kill(pid!, 'SIGKILL');
      },
    },
  );
  engines.doomed = false;
  expect(engines.started).toBeGreaterThan(before + 1); // it was tried again
  const { total, done, failed } = found.tiles;
  expect(failed.length).toBeGreaterThan(0);
  expect(done).toBeGreaterThanOrEqual(3);
  expect(done + failed.length).toBe(total);
  for (const { x, y, error } of failed) {
    expect(error).toMatch(/^EngineCrashed: /);
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
    expect(Math.max(x, y)).toBeLessThan(SIDE);
  }
  expect(names(found)).toContain('TilesFailed');
  expect(ids(found).length).toBeGreaterThan(0);
  // What was streamed was scored by less than is known now: all of it is among what was found, whatever its score.
  const { featureCollection } = await client.request('segment/threshold', {
    resultId: found.resultId,
    filters: { threshold: 0 },
  });
  const known = new Set(featureCollection.features.map(({ id }) => id));
  expect(streamed.length).toBeGreaterThan(0);
  expect(streamed.filter((id) => !known.has(id))).toEqual([]);
  expect(ids(found).filter((id) => !known.has(id))).toEqual([]);
  // And once an engine lives again, requests are served.
  const next = await untilServed(() => segment());
  expect(next.tiles.failed).toEqual([]);
});

/** Asks again while the engine is said to be gone; the server tries to start it at growing intervals. */
async function untilServed<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if ((error as { errorName?: string }).errorName !== 'EngineCrashed') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function withAlpha(alpha: (x: number) => number): Uint8Array {
  const data = new Uint8Array(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    data[4 * i + 3] = alpha(i % SIDE);
  }
  return data;
}

/** Of a PNG chunk's type and data. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
