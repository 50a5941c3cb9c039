import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RpcClient } from '../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../src/composition';
import { encodeModel } from '../../src/autodiff/onnxCodec';
import type { SegmentPromptParams, SegmentPromptResult } from '../../src/protocol/types.gen';
import { sha256 } from '../../src/store/files';
import { FileHost } from '../support/fileHost';
import {
  efficientSamGraphs,
  encoder,
  huggingFaceGraphs,
  renamed,
  sam2Graphs,
  sam2HuggingFaceGraphs,
  samGraphs,
  writeGraphs,
} from '../support/samGraphs';
import { TEST_DEVICE } from '../support/testDevice';

const TILE = resolve(__dirname, '../../models/demo/breast.png');

let folder: string;
let server: RunningServer;
let client: RpcClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-models-'));
  mkdirSync(join(folder, 'exports'));
  server = await startServer({
    stateFolder: join(folder, 'state'),
    device: TEST_DEVICE,
    roots: [join(folder, 'exports')],
  });
  client = await RpcClient.connect(server);
});
afterAll(async () => {
  await client.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const place = (name: string) => join(folder, 'exports', name);
const take = (path: string, name?: string) =>
  client.request('model/import', { path, ...(name !== undefined && { name }) });

test.each([
  ['sam', samGraphs(), { masks: 4, points: 16 }],
  ['sam-hwc', samGraphs({ hwc: true }), { masks: 4, points: 16 }],
  ['sam2', sam2Graphs(), { masks: 3, points: 16 }],
  ['efficient-sam', efficientSamGraphs(256), { masks: 3, points: 6 }],
  ['sam-hf', huggingFaceGraphs(), { masks: 3, points: 16 }],
  ['sam2-hf', sam2HuggingFaceGraphs(), { masks: 3, points: 16 }],
])('%s: the form is found, both graphs run, and the manifest is kept', async (name, graphs, limits) => {
  const path = writeGraphs(place(name), { encoder: graphs.encoder, decoder: graphs.decoder });
  const { manifest, warnings } = await take(path);
  expect(manifest).toMatchObject({
    name,
    family: 'sam',
    form: name.replace('-hwc', ''),
    layout: name === 'sam-hwc' ? 'hwc' : 'nchw',
    tileSize: 256,
    micronsPerPixel: 0.5,
    imageSize: 128,
    // 8 cells over 256 px; masks of 32 cells.
    embedding: { channels: 4, stride: 32 },
    limits: { ...limits, maskStride: 8 },
  });
  const bytes = readFileSync(join(path, 'decoder.onnx'));
  expect((manifest as unknown as { files: object }).files).toMatchObject({
    decoder: { path: join(path, 'decoder.onnx'), bytes: bytes.length, sha256: sha256(bytes) },
  });
  expect(warnings.map((warning) => warning.name)).toEqual(['LicenceUnknown']);
  const { models } = await client.request('model/list', {});
  expect(models.find(({ modelId }) => modelId === name)).toMatchObject({ loaded: false, licence: 'unknown' });
  const kept = readFileSync(join(folder, 'state', 'models', name, 'model.json'), 'utf8');
  expect(JSON.parse(kept)).toEqual(manifest);
});

test('a decoder of the real architecture, cut in width, with a fixed number of points and no mask prompt', async () => {
  const path = writeGraphs(place('cut'), {
    encoder: encoder({ image: 'images', embedding: 'embeddings', size: 128, channels: 16 }),
  });
  copyFileSync(resolve(__dirname, '../fixtures/autodiff/samDecoder.onnx'), join(path, 'decoder.onnx'));
  expect((await take(path)).manifest).toMatchObject({
    form: 'sam',
    embedding: { channels: 16, stride: 32 },
    limits: { points: 6, masks: 4, maskStride: 8 },
  });
});

test('the bundled model is listed first, with its licence', async () => {
  const { models } = await client.request('model/list', {});
  expect(models[0]).toMatchObject({ modelId: 'sampo-tiny', family: 'sampo-tiny', licence: 'Apache-2.0' });
});

test('graphs in a folder called onnx are found, one mask per prompt is told, and a name can be given', async () => {
  const graphs = samGraphs({ masks: 1 });
  writeGraphs(join(place('repository'), 'onnx'), { a: graphs.encoder, b: graphs.decoder });
  const { manifest, warnings } = await take(place('repository'), 'my-sam');
  expect(manifest).toMatchObject({ name: 'my-sam', limits: { masks: 1 } });
  expect(warnings.map(({ name }) => name)).toContain('OneMask');
});

test('a model of the same name is replaced', async () => {
  const path = writeGraphs(place('again'), { ...samGraphs() });
  await take(path);
  writeGraphs(place('again'), { ...samGraphs({ masks: 2 }) });
  expect((await take(path)).manifest).toMatchObject({ limits: { masks: 2 } });
  const { models } = await client.request('model/list', {});
  expect(models.filter(({ modelId }) => modelId === 'again')).toHaveLength(1);
});

describe('what cannot be taken in', () => {
  const { encoder: image, decoder } = samGraphs();

  test.each<[string, () => string, string, RegExp]>([
    ['an empty folder', () => (mkdirSync(place('empty')), place('empty')), 'ModelInvalid', /no ONNX file/],
    ['a folder that is not there', () => place('absent'), 'FileNotFound', /absent/],
    ['a folder outside the roots', () => tmpdir(), 'PathNotAllowed', /outside the allowed/],
    [
      'a decoder alone, as the script of segment-anything writes it',
      () => writeGraphs(place('alone'), { decoder }),
      'ModelInvalid',
      /holds no encoder/,
    ],
    [
      'a decoder whose input has another name',
      () =>
        writeGraphs(place('named'), {
          encoder: image,
          decoder: renamed(decoder, { point_labels: 'labels' }),
        }),
      'ModelInvalid',
      /decoder\.onnx .* lacks the input point_labels and has the input labels/,
    ],
    [
      'an encoder and a decoder of two models',
      () =>
        writeGraphs(place('mixed'), {
          encoder: {
            ...image,
            outputs: image.outputs.map((one) => ({ ...one, dims: ['n', 'c', 'h', 'w'] })),
          },
          decoder: {
            ...decoder,
            inputs: decoder.inputs.map((one) =>
              one.name === 'image_embeddings' ? { ...one, dims: [1, 9, 8, 8] } : one,
            ),
          },
        }),
      'ModelInvalid',
      /encoder\.onnx gives image_embeddings \[1, 4, 8, 8\], decoder\.onnx wants image_embeddings \[1, 9, 8, 8\]/,
    ],
    [
      'a file that is no graph',
      () => {
        writeGraphs(place('damaged'), { encoder: image, decoder });
        writeFileSync(join(place('damaged'), 'decoder.onnx'), 'not a graph');
        return place('damaged');
      },
      'ModelInvalid',
      /loading decoder\.onnx failed/,
    ],
  ])('%s', async (_, make, errorName, message) => {
    const before = (await client.request('server/status', {})).engine.models;
    await expect(take(make())).rejects.toMatchObject({
      errorName,
      message: expect.stringMatching(message) as string,
    });
    // Nothing stays in the engine.
    expect((await client.request('server/status', {})).engine.models).toEqual(before);
  });

  test.each(['../evil', 'Über', '', 'sampo-tiny'])('the name %j', async (name) => {
    await expect(take(place('sam'), name)).rejects.toMatchObject({ errorName: 'InvalidParams' });
  });

  test('the error says what to do next', async () => {
    await expect(take(place('alone'))).rejects.toMatchObject({
      data: { hint: expect.stringContaining('samexporter') as string, missing: ['encoder'] },
    });
  });
});

describe('model/pull', () => {
  const graphs = samGraphs();
  const files = { encoder: encodeModel(graphs.encoder), decoder: encodeModel(graphs.decoder) };
  let host: FileHost;

  beforeAll(async () => {
    host = await FileHost.start();
    const remote = (part: 'encoder' | 'decoder') => {
      host.files.set(`/${part}`, files[part]);
      return { url: host.url(`/${part}`), bytes: files[part].length, sha256: sha256(files[part]) };
    };
    const entry = {
      licence: 'Apache-2.0',
      files: { encoder: remote('encoder'), decoder: remote('decoder') },
    };
    const bad = { ...entry.files, decoder: { ...entry.files.decoder, sha256: '0'.repeat(64) } };
    mkdirSync(join(folder, 'state', 'models'), { recursive: true });
    writeFileSync(
      join(folder, 'state', 'models', 'sources.json'),
      JSON.stringify({
        models: [
          { name: 'pulled', ...entry },
          { name: 'forged', ...entry, files: bad },
        ],
      }),
    );
  });
  afterAll(() => host.close());

  test('a listed model is fetched with progress, taken in with its licence, and listed', async () => {
    const seen: number[] = [];
    const { manifest, warnings } = await client.request(
      'model/pull',
      { name: 'pulled' },
      { progress: ({ percentage }) => percentage !== undefined && seen.push(percentage) },
    );
    expect(manifest).toMatchObject({ name: 'pulled', form: 'sam', licence: 'Apache-2.0' });
    expect(warnings).toEqual([]);
    expect(seen.at(-1)).toBe(100);
    const { models } = await client.request('model/list', {});
    expect(models.map(({ modelId }) => modelId)).toContain('pulled');
  });

  test('two at once fetch it once', async () => {
    rmSync(join(folder, 'state', 'models', 'pulled'), { recursive: true });
    host.asked.length = 0;
    await Promise.all([1, 2].map(() => client.request('model/pull', { name: 'pulled' })));
    expect(host.asked.map(({ path }) => path)).toEqual(['/encoder', '/decoder']);
  });

  test('a file that is not the listed one is refused, and the model is not there', async () => {
    await expect(client.request('model/pull', { name: 'forged' })).rejects.toMatchObject({
      errorName: 'FileDamaged',
    });
    const { models } = await client.request('model/list', {});
    expect(models.map(({ modelId }) => modelId)).not.toContain('forged');
  });

  test('a name that is not listed: those that are', async () => {
    await expect(client.request('model/pull', { name: 'sam-9' })).rejects.toMatchObject({
      errorName: 'ModelNotFound',
      data: { listed: ['pulled', 'forged', 'efficientsam-ti', 'efficientsam-s', 'sam-vit-b-quantized'] },
    });
  });
});

describe('segment/prompt with an imported model, which takes no exemplars', () => {
  const CLICKS = [
    { x: 289, y: 260 },
    { x: 397, y: 247 },
    { x: 141, y: 200 },
  ];
  let imageId: string;
  let intentId: string;
  const segment = (change: Partial<SegmentPromptParams> = {}, clicks: typeof CLICKS = []) =>
    client.request('segment/prompt', {
      imageId,
      extent: { type: 'rectangle', x: 100, y: 150, width: 230, height: 160 },
      ...change,
      intents: [{ intentId, clicks }],
    });
  const names = ({ warnings }: SegmentPromptResult) => warnings.map(({ name }) => name);
  const modelOf = async () => (await client.request('intent/get', { intentId })).intent.modelId;

  beforeAll(async () => {
    writeGraphs(place('alike'), { ...samGraphs({ size: 512 }) });
    await take(place('alike'));
    copyFileSync(TILE, place('tile.png'));
    const opened = await client.request('image/open', { uri: place('tile.png'), source: 'file' });
    imageId = opened.imageId;
    intentId = (await client.request('intent/create', { name: 'Lymphocyte' })).intent.intentId;
  });

  test('it finds a clicked nucleus and says with which model the examples were made', async () => {
    const { featureCollection, candidates, tiles } = await segment({ modelId: 'alike' }, CLICKS);
    expect(tiles.failed).toEqual([]);
    const boxes = featureCollection.features.map(({ geometry }) => {
      const ring = geometry.coordinates[0] as number[][];
      return [0, 1]
        .map((axis) => ring.map((at) => at[axis]!))
        .map((all) => [Math.min(...all), Math.max(...all)]);
    });
    const inside = ({ x, y }: { x: number; y: number }) =>
      boxes.some(([h, v]) => x >= h![0]! && x <= h![1]! && y >= v![0]! && y <= v![1]!);
    // Its disc of one size fits the third nucleus; the second lies outside the extent.
    expect(CLICKS.map(inside).slice(1)).toEqual([false, true]);
    expect(candidates).toEqual([]);
    expect(await modelOf()).toMatch(/^alike@/);
    const { models } = await client.request('model/list', {});
    expect(models.find(({ modelId }) => modelId === 'alike')).toMatchObject({ loaded: true });
  });

  test('the same intent with the bundled model, and back: its examples are embedded again, and it says so', async () => {
    expect(names(await segment())).toContain('ExemplarsEmbeddedAgain');
    expect(await modelOf()).toMatch(/^sampo-tiny@/);
    expect(names(await segment({ modelId: 'alike' }))).toContain('ExemplarsEmbeddedAgain');
    expect(names(await segment({ modelId: 'alike' }))).not.toContain('ExemplarsEmbeddedAgain');
  });

  test('where the image of its examples is not open: refused, naming it', async () => {
    const other = place('other.png');
    copyFileSync(TILE, other);
    await client.request('image/close', { imageId });
    imageId = (await client.request('image/open', { uri: other, source: 'file' })).imageId;
    await expect(segment()).rejects.toMatchObject({
      errorName: 'IntentModelMismatch',
      data: { madeWith: expect.stringMatching(/^alike@/) as string, images: [place('tile.png')] },
    });
  });

  test('a model that is not there', async () => {
    await expect(segment({ modelId: 'absent' }, CLICKS)).rejects.toMatchObject({
      errorName: 'ModelNotFound',
    });
  });
});
