import { join } from 'node:path';
import sharp from 'sharp';
import { bundledFolder } from '../../../src/bundledModels';
import { startServer } from '../../../src/composition';
import { PACKAGE_ROOT } from '../../../src/packageFiles';
import { createEngineClient } from '../../../src/engine/engineClient';
import type { Engine } from '../../../src/engine/engine';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import { TEST_DEVICE } from '../../support/testDevice';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngineClient({ device: TEST_DEVICE, threads: 2 });
});
afterAll(() => engine.close());

async function demoTile() {
  const picture = sharp(join(PACKAGE_ROOT, 'models', 'demo', 'breast.png')).removeAlpha();
  const extract = { left: 100, top: 100, width: 256, height: 256 };
  const { data, info } = await picture.extract(extract).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

test('the int8 encoder sees the same nuclei, and goes by another name', async () => {
  const [full, small] = ['sampo-tiny', 'sampo-tiny-int8'].map(
    (name) => new NucleusModel(engine, bundledFolder(name)),
  );
  expect(full!.id).not.toBe(small!.id);
  expect(full!.manifest.files.decoder.sha256).toBe(small!.manifest.files.decoder.sha256);
  const tile = await demoTile();
  const [a, b] = [await full!.encode(tile), await small!.encode(tile)];
  let [both, either] = [0, 0];
  a.nucleusLogits.forEach((logit, i) => {
    const [one, other] = [logit > 0, b.nucleusLogits[i]! > 0];
    if (one && other) both++;
    if (one || other) either++;
  });
  expect(either).toBeGreaterThan(2000);
  expect(both / either).toBeGreaterThan(0.93);
  expect(both).toBeLessThan(either);
});

test('another name than those that ship is refused, with those that do', async () => {
  expect(() => bundledFolder('../../etc')).toThrow('no model "../../etc" is in the package');
  const start = startServer({
    stateFolder: join(PACKAGE_ROOT, 'never'),
    device: TEST_DEVICE,
    model: 'sampo-huge',
  });
  await expect(start).rejects.toMatchObject({
    errorName: 'ModelInvalid',
    data: { reason: 'there is sampo-tiny and sampo-tiny-int8' },
  });
});
