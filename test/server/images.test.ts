import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { startServer, type RunningServer } from '../../src/composition';
import { RpcClient } from '../../src/commands/rpcClient';
import { readConnectionFile } from '../../src/server/connectionFile';
import { writeBlobFrame } from '../../src/server/blobFrame';
import { TEST_DEVICE } from '../support/testDevice';

const WIDTH = 40;
const HEIGHT = 30;
const sample = (x: number, y: number, channel: number) =>
  channel === 0 ? 5 * x : channel === 1 ? 7 * y : 100;

/** A region of the picture all tests look at, interleaved RGB. */
function regionOf({ x, y, width, height }: { x: number; y: number; width: number; height: number }) {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return sample(x + (pixel % width), y + Math.floor(pixel / width), at % 3);
  });
}

let folder: string;
let server: RunningServer;
let client: RpcClient;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo server-'));
  server = await startServer({
    stateFolder: join(folder, 'state'),
    device: TEST_DEVICE,
    roots: [folder],
    viewerTimeoutMs: 200,
  });
  const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 } } as const;
  const whole = regionOf({ x: 0, y: 0, width: WIDTH, height: HEIGHT });
  writeFileSync(join(folder, 'picture.png'), await sharp(whole, raw).png().toBuffer());
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const info = readConnectionFile(server.connectionFile);
  if (!info) throw new Error('no connection file');
  client = await RpcClient.connect(info);
});
afterEach(() => client.close());

const openFile = () => client.request('image/open', { uri: join(folder, 'picture.png'), source: 'file' });
const openViewer = () =>
  client.request('image/open', { uri: 'the picture', source: 'client', width: WIDTH, height: HEIGHT });
const REGION = { x: 3, y: 4, width: 8, height: 6 };

async function regionPixels(imageId: string): Promise<number[]> {
  const { base64, width, height } = await client.request('image/region', {
    imageId,
    ...REGION,
    downsample: 1,
  });
  const { data, info } = await sharp(Buffer.from(base64, 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([width, height, 3]);
  return [...data];
}

test('a file: its size, its pixels, and who has it open', async () => {
  const image = await openFile();
  expect(image).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3, bitsPerSample: 8 });
  expect(await regionPixels(image.imageId)).toEqual([...regionOf(REGION)]);
  expect(await client.request('server/status', {})).toMatchObject({ openImages: 1 });
  expect(await client.request('image/close', { imageId: image.imageId })).toBeNull();
  await expect(regionPixels(image.imageId)).rejects.toMatchObject({ errorName: 'ImageNotOpen' });
});

test.each([
  ['as a binary frame', 'frame'],
  ['within the answer', 'inline'],
] as const)('pixels of a viewer, %s', async (_name, way) => {
  const image = await openViewer();
  client.answer('image/readRegion', async ({ x, y, width, height, uri }) => {
    expect(uri).toBe('the picture');
    const bytes = regionOf({ x, y, width, height });
    const header = { encoding: 'raw', width, height, channels: 3 } as const;
    if (way === 'inline') return { ...header, base64: Buffer.from(bytes).toString('base64') };
    client.sendBytes(writeBlobFrame({ blob: 'b1', ...header, bytes }));
    return { blob: 'b1' };
  });
  expect(await regionPixels(image.imageId)).toEqual([...regionOf(REGION)]);
});

test.each([
  ['never answers', () => new Promise<never>(() => undefined), 'ViewerTimeout'],
  ['names a frame that it did not send', async () => ({ blob: 'nowhere' }), 'BlobMissing'],
  [
    'sends too little',
    async () => ({ base64: 'AAAA', encoding: 'raw' as const, width: 1, height: 1, channels: 3 }),
    'PixelsInvalid',
  ],
  ['answers something else', async () => ({ pixels: 1 }) as never, 'ClientFailed'],
])('a viewer that %s fails the request, not the server', async (_name, answer, errorName) => {
  const image = await openViewer();
  client.answer('image/readRegion', answer);
  await expect(regionPixels(image.imageId)).rejects.toMatchObject({ errorName });
  expect(await client.request('server/status', {})).toHaveProperty('uptimeSeconds');
});

test('a region runs through a graph', async () => {
  const image = await openFile();
  const base64 = readFileSync(join(__dirname, '../fixtures/onnx/regionMean.onnx')).toString('base64');
  const { modelId } = await client.request('model/load', { base64 });
  const { outputs } = await client.request('model/run', {
    modelId,
    feeds: { pixels: { region: { imageId: image.imageId, ...REGION, scale: 1 / 255 } } },
  });
  const mean = new Float32Array(Uint8Array.from(Buffer.from(outputs['mean']!.base64, 'base64')).buffer);
  const pixels = regionOf(REGION);
  const expected = [0, 1, 2].map(
    (channel) => pixels.reduce((sum, value, at) => sum + (at % 3 === channel ? value : 0), 0) / 48 / 255,
  );
  expect(outputs['mean']?.dims).toEqual([1, 3, 1, 1]);
  expected.forEach((value, channel) => expect(mean[channel]).toBeCloseTo(value, 5));
});

test('what a client had open is closed when it is gone; another one is served', async () => {
  await openFile();
  await openViewer();
  await client.close();
  client = await RpcClient.connect(readConnectionFile(server.connectionFile)!);
  expect(await client.request('server/status', {})).toMatchObject({ openImages: 0, clients: 1 });
});

test.each([
  ['outside the roots', '/etc/hostname', 'PathNotAllowed'],
  ['that is not there', 'missing.png', 'FileNotFound'],
  ['that is no image', 'state/connection.json', 'UnsupportedImage'],
])('a path %s', async (_name, path, errorName) => {
  const uri = path.startsWith('/') ? path : join(folder, path);
  await expect(client.request('image/open', { uri, source: 'file' })).rejects.toMatchObject({ errorName });
});
