import { BridgeError } from '../../../src/errors';
import { planTiles } from '../../../src/segmentation/coordinates';
import { BlockCache } from '../../../src/services/search/blockCache';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { ResidentEmbeddings } from '../../../src/services/models/residentEmbeddings';
import type { EncodedTile } from '../../../src/services/models/promptableModel';
import { makeTissue } from '../../segmentation/tissue';
import { fakeEngine, MODEL_FOLDER, tissueImage } from '../fakeEngine';

const TISSUE = makeTissue({ width: 256, height: 256 }, 5);
const TILE = planTiles({ modelSize: TISSUE, tileSize: 256, overlap: 32 }).tiles[0]!;

function decode(model: NucleusModel, encoded: EncodedTile) {
  const { data } = encoded.embedding;
  const point = { x: 9, y: 9, label: 1 as const, feature: data.slice(0, model.promptLimits.channels) };
  return model.predictMasks(TILE, encoded, { points: [point] });
}

async function encodedTile() {
  const engine = fakeEngine();
  const model = new NucleusModel(engine, MODEL_FOLDER);
  const pixels = await tissueImage(TISSUE).read({ x: 0, y: 0, width: 256, height: 256, downsample: 1 });
  return { engine, model, encoded: await model.encode(pixels) };
}

test('an encoded tile lies in the engine already; one from the cache is sent once', async () => {
  const { engine, model, encoded } = await encodedTile();
  const set = jest.spyOn(engine, 'setResident');
  const first = await decode(model, encoded);
  expect(set).not.toHaveBeenCalled();
  const fromDisk = { ...encoded, embedding: { ...encoded.embedding } };
  expect(await decode(model, fromDisk)).toEqual(first);
  expect(await decode(model, fromDisk)).toEqual(first);
  expect(set).toHaveBeenCalledTimes(1);
});

test('what the engine lost by a restart is sent again', async () => {
  const { engine, model, encoded } = await encodedTile();
  const before = await decode(model, encoded);
  engine.residents.clear();
  expect(await decode(model, encoded)).toEqual(before);
  expect(engine.residents.size).toBe(1);
});

test('a failed run leaves nothing behind, and another error is told', async () => {
  const { engine, model } = await encodedTile();
  engine.residents.clear();
  engine.before = () => {
    throw new BridgeError('EngineCrashed', 'gone');
  };
  const dropped = jest.spyOn(engine, 'dropResident');
  const white = { width: 9, height: 9, data: new Uint8Array(243).fill(255) };
  await expect(model.encode(white)).rejects.toMatchObject({ errorName: 'EngineCrashed' });
  expect(dropped).toHaveBeenCalledTimes(1);
});

test('the embeddings used longest ago leave the engine', async () => {
  const engine = fakeEngine();
  engine.run = async () => ({});
  const residents = new ResidentEmbeddings(engine, 'test', 2);
  const make = () => ({ data: new Float32Array(4), channels: 1, side: 2, stride: 4 });
  const [a, b, c] = [make(), make(), make()];
  for (const one of [a, b, a, c]) await residents.run('decoder', 'image_embeddings', one, {}, {});
  expect([...engine.residents.keys()]).toEqual(['test/1', 'test/3']);
});

test('nuclei of blocks are kept up to a size, those used longest ago leave', () => {
  const nucleus = {
    outline: [[[0, 0, 9, 0, 9, 9]]],
    area: 81,
    centroid: { x: 5, y: 5 },
    anchor: { x: 5, y: 5 },
    nucleusScore: 1,
    pixels: new Int32Array(100),
  };
  const cache = new BlockCache(3500);
  cache.set('a', [nucleus]);
  cache.set('b', [nucleus]);
  expect(cache.get('a')).toEqual([nucleus]);
  cache.set('c', [nucleus]);
  expect(cache.get('b')).toBeUndefined();
  expect(cache.get('a')).toBeDefined();
  expect(cache.bytes).toBeLessThanOrEqual(3500);
  cache.set('a', []);
  cache.set('c', []);
  expect(cache.bytes).toBeLessThan(10);
});
