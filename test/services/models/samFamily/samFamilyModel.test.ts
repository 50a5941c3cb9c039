import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../../src/engine/engine';
import { createEngineClient } from '../../../../src/engine/engineClient';
import { EmbeddingCache } from '../../../../src/services/embeddings/embeddingCache';
import { Models } from '../../../../src/services/models/models';
import { NucleusModel } from '../../../../src/services/models/nucleusModel';
import { SamFamilyModel } from '../../../../src/services/models/samFamily/samFamilyModel';
import { Search } from '../../../../src/services/search/search';
import { makeTissue } from '../../../segmentation/tissue';
import {
  efficientSamGraphs,
  huggingFaceGraphs,
  sam2Graphs,
  sam2HuggingFaceGraphs,
  samGraphs,
  writeGraphs,
  type SamGraphs,
} from '../../../support/samGraphs';
import { ask, clicksOn } from '../../search/asking';
import { fakeEngine, MODEL_FOLDER, tissueImage } from '../../fakeEngine';
import { TEST_DEVICE } from '../../../support/testDevice';

const TISSUE = makeTissue({ width: 300, height: 200 }, 11, 0.0009);
const IMAGE = tissueImage(TISSUE);
/** Of the encoder's input: half of the real thing's, so cells of 8 px, masks of 2 px. */
const SIZE = 512;

let folder: string;
let real: Engine;
let engine: Engine;
const runs: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-sam-family-'));
  real = await createEngineClient({ device: TEST_DEVICE, threads: 1 });
  // The nuclei of synthetic tissue come from the fake model, everything else from real graphs in the real engine.
  const fake = fakeEngine();
  const of = (id: string): Engine => (id.startsWith('sampo-tiny/') ? fake : real);
  engine = {
    load: (id, source, options) => of(id).load(id, source, options),
    run: (id, feeds, options) => {
      runs.push(id);
      return of(id).run(id, feeds, options);
    },
    release: (id) => real.release(id),
    setResident: (name, tensor) => real.setResident(name, tensor),
    getResident: (name) => real.getResident(name),
    dropResident: (name) => real.dropResident(name),
    status: () => real.status(),
    close: () => real.close(),
  };
});
afterAll(async () => {
  await real.close();
  rmSync(folder, { recursive: true, force: true });
});

async function take(name: string, { encoder, decoder }: SamGraphs, positives = 4): Promise<SamFamilyModel> {
  const nuclei = new NucleusModel(engine, MODEL_FOLDER);
  const models = new Models({ engine, bundled: nuclei, folder: join(folder, 'models') });
  const { manifest } = await models.import(writeGraphs(join(folder, name), { encoder, decoder }));
  const autoPrompt = { ...manifest.autoPrompt, positives };
  return new SamFamilyModel(engine, nuclei, { ...manifest, autoPrompt }, models.folderOf(name));
}

const truthAt = ({ x, y }: { x: number; y: number }) =>
  TISSUE.truth[Math.floor(y) * TISSUE.width + Math.floor(x)]!;
const even = () => [...clicksOn(TISSUE, 0, 3), ...clicksOn(TISSUE, 1, 3, false)];

function search(model: SamFamilyModel, cache = new EmbeddingCache()) {
  return new Search(model, cache).run({
    image: IMAGE,
    prompts: [ask('even', even())],
    extent: { type: 'image' },
  });
}

const wanted = new Set([...TISSUE.truth].filter((label) => label > 0 && label % 2 === 0)).size;

test.each([
  ['sam', samGraphs({ size: SIZE })],
  ['sam-hwc', samGraphs({ size: SIZE, hwc: true })],
  ['sam2', sam2Graphs(SIZE)],
  ['efficient-sam', efficientSamGraphs(256, SIZE)],
  ['sam-hf', huggingFaceGraphs(SIZE)],
  ['sam2-hf', sam2HuggingFaceGraphs(SIZE)],
])('%s: clicks find nuclei of the type where nobody clicked, and no others', async (name, graphs) => {
  const { result, tiles, warnings } = await search(await take(name, graphs, 40));
  const found = result.objects
    .filter((object) => object.scores[0]! >= 0.5)
    .map(({ anchor }) => truthAt(anchor));
  expect(tiles).toMatchObject({ total: 2, done: 2, failed: [] });
  expect(warnings).toEqual([]);
  const right = new Set(found.filter((label) => label % 2 === 0 && label > 0));
  // Far more than the three that were clicked, though these graphs know colour alone.
  expect(right.size).toBeGreaterThan(0.45 * wanted);
  expect(found.length).toBe(right.size);
});

test('its exemplars and its results say which model they are of, and no candidate is offered', async () => {
  const model = await take('names', samGraphs());
  const { result, learned } = await search(model);
  expect(result.setting.modelId).toBe(model.id);
  expect(model.id).toMatch(/^names@[0-9a-f]{8}\+[0-9a-f]{12}\/sampo-tiny@/);
  expect(learned[0]!.map(({ feature }) => feature.length)).toEqual([4, 4, 4, 4, 4, 4]);
  expect(result.candidates).toEqual([]);
});

test('a tile comes out of the cache, on disk too, with all that its decoder needs', async () => {
  const model = await take('kept', sam2Graphs());
  const cacheFolder = join(folder, 'cache');
  const first = new EmbeddingCache({ folder: cacheFolder });
  const before = await search(model, first);
  await first.close();
  runs.length = 0;
  const after = await search(model, new EmbeddingCache({ folder: cacheFolder }));
  expect(runs).not.toContain('kept/encoder');
  expect(runs).toContain('kept/decoder');
  const scores = ({ result }: typeof before) => result.objects.map((object) => object.scores[0]!);
  expect(scores(after)).toEqual(scores(before));
});

test('nothing stays in the engine when a search ends', async () => {
  await search(await take('tidy', samGraphs()));
  expect((await real.status()).residentBytes).toBe(0);
});

test('a graph that was changed after its import is refused, and found when it is put back', async () => {
  const graphs = samGraphs();
  const model = await take('changed', graphs);
  const path = join(folder, 'changed', 'decoder.onnx');
  writeFileSync(path, 'another');
  await expect(search(model)).rejects.toMatchObject({
    errorName: 'FileDamaged',
    data: { path, hint: expect.stringContaining('import the model again') as string },
  });
  rmSync(path);
  await expect(search(model)).rejects.toMatchObject({ errorName: 'FileNotFound' });
  writeGraphs(join(folder, 'changed'), { decoder: graphs.decoder });
  expect((await search(model)).tiles.failed).toEqual([]);
});
