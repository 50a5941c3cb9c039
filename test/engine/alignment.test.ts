import { GraphBuilder } from '../../src/autodiff/builder';
import { encodeModel } from '../../src/autodiff/onnxCodec';
import type { Engine } from '../../src/engine/engine';
import { createEngineClient } from '../../src/engine/engineClient';
import { seededRandom } from '../../src/sampo/random';
import { float32Tensor } from '../../src/tensor';
import { TEST_DEVICE } from '../support/testDevice';

let engine: Engine;
beforeAll(async () => (engine = await createEngineClient({ device: TEST_DEVICE, threads: 1 })));
afterAll(() => engine.close());

/** A mean of so many numbers that the order of their sum shows in the last bit. */
function meanModel(count: number): Uint8Array {
  const b = new GraphBuilder();
  b.output('mean', b.reduce('ReduceMean', b.input('x', 'float32', [1, count]), [0, 1], false));
  return encodeModel(b.build());
}

test('a result does not depend on where in its message a tensor begins', async () => {
  const count = 3009;
  const random = seededRandom(3);
  const x = float32Tensor([1, count], Float32Array.from({ length: count }, random));
  const model = meanModel(count);
  const results = new Set<number>();
  // Names before the tensor, one longer than the other: without copies every fourth moves it by four bytes.
  for (let length = 1; length <= 32; length++) {
    const id = 'm'.repeat(length);
    await engine.load(id, { model });
    results.add(((await engine.run(id, { x }))['mean']!.data as Float32Array)[0]!);
    await engine.release(id);
  }
  expect(results.size).toBe(1);
});

test('nor on whether it came with the request, lies in the engine, or was computed there', async () => {
  const count = 1003;
  const random = seededRandom(5);
  const x = float32Tensor([1, count], Float32Array.from({ length: count }, random));
  await engine.load('mean', { model: meanModel(count) });
  const b = new GraphBuilder();
  b.output('y', b.input('x', 'float32', [1, count]));
  await engine.load('same', { model: encodeModel(b.build()) });
  await engine.setResident('given', x);
  await engine.run('same', { x }, { keep: { y: 'kept' } });
  const results = [];
  for (const feed of [x, { resident: 'given' }, { resident: 'kept' }])
    results.push(((await engine.run('mean', { x: feed }))['mean']!.data as Float32Array)[0]);
  expect(new Set(results).size).toBe(1);
});
