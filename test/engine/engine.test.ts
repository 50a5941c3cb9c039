import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngineClient } from '../../src/engine/engineClient';
import type { Engine } from '../../src/engine/engine';
import type { Tensor } from '../../src/tensor';
import { TEST_DEVICE } from '../support/testDevice';

const FIXTURES = join(__dirname, '../fixtures/onnx');
const fixture = (name: string) => join(FIXTURES, `${name}.onnx`);
const pair = (values: readonly number[]): Tensor => ({
  type: 'float32',
  dims: [1, 2],
  data: Float32Array.from(values),
});

let engine: Engine;
beforeAll(async () => {
  engine = await createEngineClient({ device: TEST_DEVICE, threads: 1 });
});
afterAll(() => engine.close());

describe('load', () => {
  test('from a path or from bytes: inputs, outputs, symbolic dimensions, device', async () => {
    const fromPath = await engine.load('path', { model: fixture('arithmetic') });
    const fromBytes = await engine.load('bytes', { model: readFileSync(fixture('arithmetic')) });
    expect(fromPath).toEqual({
      id: 'path',
      device: TEST_DEVICE,
      inputs: ['a', 'b'].map((name) => ({ name, type: 'float32', dims: ['rows', 2] })),
      outputs: ['sum', 'difference'].map((name) => ({ name, type: 'float32', dims: ['rows', 2] })),
    });
    expect({ ...fromBytes, id: 'path' }).toEqual(fromPath);
  });

  test.each([
    ['a file that is not there', join(FIXTURES, 'absent.onnx')],
    ['bytes that are no model', new Uint8Array([1, 2, 3, 4])],
    ['half a model', readFileSync(fixture('slow')).subarray(0, 150)],
  ])('%s is ModelInvalid, and the engine goes on', async (_, model) => {
    const { pid } = await engine.status();
    await expect(engine.load('bad', { model })).rejects.toMatchObject({ errorName: 'ModelInvalid' });
    await expect(engine.run('bad', {})).rejects.toMatchObject({ errorName: 'ModelNotFound' });
    expect((await engine.status()).pid).toBe(pid);
  });
});

describe('run', () => {
  beforeAll(() => engine.load('arithmetic', { model: fixture('arithmetic') }));
  const feeds = { a: pair([5, 7]), b: pair([1, -2]) };

  test('returns every output, or those fetched', async () => {
    expect(await engine.run('arithmetic', feeds)).toEqual({ sum: pair([6, 5]), difference: pair([4, 9]) });
    expect(await engine.run('arithmetic', feeds, { fetch: ['difference'] })).toEqual({
      difference: pair([4, 9]),
    });
  });

  test('every element type crosses bit for bit, at any offset into its buffer', async () => {
    const bits = new Uint8Array(8 * 24).map((_, index) => (index * 73 + 11) % 256);
    const at = (offset: number, bytes: number) => bits.slice(offset, offset + bytes).buffer;
    // Views that begin in the middle of a larger buffer, at the smallest offset their type allows.
    const data = {
      float32: new Float32Array(at(0, 64), 4, 5),
      float64: new Float64Array(at(8, 64), 8, 5),
      int32: new Int32Array(at(16, 64), 4, 5),
      int64: new BigInt64Array(at(24, 64), 8, 5),
      uint8: new Uint8Array(at(32, 64), 3, 5),
      int8: new Int8Array(at(40, 64), 1, 5),
      bool: Uint8Array.of(9, 1, 0, 1, 1, 0).subarray(1),
    };
    data.float32[0] = NaN;
    data.float32[1] = -0;
    await engine.load('identity', { model: fixture('identity') });
    const outputs = await engine.run(
      'identity',
      Object.fromEntries(
        Object.entries(data).map(([type, values]) => [type, { type, dims: [5], data: values } as Tensor]),
      ),
    );
    for (const [type, values] of Object.entries(data)) {
      const output = outputs[`${type}_out`];
      expect(output).toMatchObject({ type, dims: [5] });
      const view = output?.data ?? new Uint8Array();
      expect(Buffer.from(view.buffer, view.byteOffset, view.byteLength)).toEqual(
        Buffer.from(values.buffer, values.byteOffset, values.byteLength),
      );
    }
  });

  test.each<[string, string, string, Parameters<Engine['run']>[1], Parameters<Engine['run']>[2]]>([
    ['a model nobody loaded', 'ModelNotFound', 'nobody', {}, {}],
    ['a missing input', 'ModelInputInvalid', 'arithmetic', { a: pair([1, 2]) }, {}],
    [
      'an input of another shape',
      'ModelInputInvalid',
      'arithmetic',
      { ...feeds, b: { type: 'float32', dims: [2], data: new Float32Array(2) } },
      {},
    ],
    [
      'an array that does not fill its shape',
      'ModelInputInvalid',
      'arithmetic',
      { ...feeds, b: { type: 'float32', dims: [1, 2], data: new Float32Array(3) } },
      {},
    ],
    ['an output the model does not have', 'ModelInputInvalid', 'arithmetic', feeds, { fetch: ['product'] }],
    [
      'a tensor nobody put there',
      'ResidentMissing',
      'arithmetic',
      { ...feeds, b: { resident: 'nobody' } },
      {},
    ],
  ])('%s: %s', async (_, errorName, model, given, options) => {
    await expect(engine.run(model, given, options)).rejects.toMatchObject({ errorName });
    expect(await engine.run('arithmetic', feeds, { fetch: ['sum'] })).toEqual({ sum: pair([6, 5]) });
  });

  test('a fault inside the graph is InferenceFailed, with the words of the runtime', async () => {
    const rows = (count: number): Tensor => ({
      type: 'float32',
      dims: [count, 2],
      data: new Float32Array(2 * count),
    });
    await expect(engine.run('arithmetic', { a: rows(5), b: rows(3) })).rejects.toMatchObject({
      errorName: 'InferenceFailed',
      data: { reason: expect.stringContaining('node') as string },
    });
  });

  test('an element type that the engine does not carry is named', async () => {
    await engine.load('half', { model: fixture('half') });
    const x: Tensor = { type: 'float32', dims: [1], data: new Float32Array(1) };
    await expect(engine.run('half', { x })).rejects.toMatchObject({
      errorName: 'ModelInputInvalid',
      message: expect.stringContaining('float16') as string,
    });
  });

  test('an allocation that cannot succeed is OutOfMemory, and the engine goes on', async () => {
    await engine.load('zeros', { model: fixture('zeros') });
    const shape: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(2n ** 24n, 2n ** 24n) };
    await expect(engine.run('zeros', { shape })).rejects.toMatchObject({ errorName: 'OutOfMemory' });
    expect(await engine.run('arithmetic', feeds, { fetch: ['sum'] })).toEqual({ sum: pair([6, 5]) });
  });
});

describe('resident tensors', () => {
  beforeAll(() => engine.load('arithmetic', { model: fixture('arithmetic') }));

  test('are fed by name, kept from an output, read back, counted and dropped', async () => {
    const before = (await engine.status()).residentBytes;
    await engine.setResident('one', pair([1, 10]));
    const returned = await engine.run(
      'arithmetic',
      { a: { resident: 'one' }, b: { resident: 'one' } },
      { keep: { sum: 'two' } },
    );
    expect(returned).toEqual({ difference: pair([0, 0]) });
    expect(await engine.getResident('two')).toEqual(pair([2, 20]));
    const doubled = await engine.run('arithmetic', { a: { resident: 'two' }, b: { resident: 'two' } });
    expect(doubled['sum']).toEqual(pair([4, 40]));
    expect((await engine.status()).residentBytes - before).toBe(16);

    await engine.dropResident('one');
    await engine.dropResident('two');
    await engine.dropResident('two');
    expect((await engine.status()).residentBytes).toBe(before);
    await expect(engine.getResident('two')).rejects.toMatchObject({ errorName: 'ResidentMissing' });
  });
});

test('a released model is gone; releasing it twice is no error', async () => {
  await engine.load('gone', { model: fixture('arithmetic') });
  await engine.release('gone');
  await engine.release('gone');
  expect((await engine.status()).models).not.toContain('gone');
  await expect(engine.run('gone', {})).rejects.toMatchObject({ errorName: 'ModelNotFound' });
});

test('status tells device, memory and models without waiting for the engine', async () => {
  const status = await engine.status();
  expect(status).toMatchObject({
    state: 'ready',
    restarts: 0,
    crashes: 0,
    device: { requested: TEST_DEVICE, used: TEST_DEVICE, tried: [{ device: TEST_DEVICE, ok: true }] },
    queue: { interactive: 0, training: 0, batch: 0 },
  });
  expect(status.rssBytes).toBeGreaterThan(10e6);
});
