import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/autodiff/builder';
import { importGraph } from '../../src/autodiff/importGraph';
import { float, int, type Graph } from '../../src/autodiff/graph';
import { decodeModel, encodeModel } from '../../src/autodiff/onnxCodec';
import { float32Tensor, type Tensor } from '../../src/tensor';
import { loadBytes } from './runtime';

function sample(): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 3]);
  const odd = b.initializer('odd', { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) });
  const w = b.initializer('w', float32Tensor([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6)));
  const leaky = b.emit('LeakyRelu', [b.where(odd, x, b.scalar(0))], { alpha: float(0.25) });
  b.output('y', b.emit('Softmax', [b.matMul(leaky, w)], { axis: int(-1) }));
  return b.build();
}

it('reads back what it wrote', () => {
  const graph = sample();
  const again = decodeModel(encodeModel(graph));
  expect(again.nodes).toEqual(graph.nodes);
  expect(again.inputs).toEqual(graph.inputs);
  expect(again.outputs).toEqual(graph.outputs);
  expect([...again.initializers.keys()]).toEqual([...graph.initializers.keys()]);
  for (const [name, tensor] of graph.initializers) expect(again.initializers.get(name)).toEqual(tensor);
});

it('writes models the runtime accepts, also after reading them from an odd offset', async () => {
  const bytes = encodeModel(sample());
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const runner = await loadBytes(encodeModel(decodeModel(shifted.subarray(1))));
  const { y } = await runner.run({ x: float32Tensor([2, 3], Float32Array.of(1, 2, 3, -1, -2, -3)) });
  expect(y!.dims).toEqual([2, 2]);
  expect((y!.data as Float32Array)[0]! + (y!.data as Float32Array)[1]!).toBeCloseTo(1, 6);
  await runner.release();
});

it('reads weights packed as float16 as the numbers they stand for', async () => {
  const bytes = readFileSync(join(__dirname, '../../models/sampo-tiny/encoder.onnx'));
  const graph = decodeModel(bytes);
  const packed = [...graph.initializers].filter(([name]) => name.endsWith('.half'));
  expect(packed.length).toBeGreaterThan(20);
  for (const [, { type }] of packed) expect(type).toBe('float32');
  const image = Float32Array.from({ length: 3 * 256 * 256 }, (_, i) => Math.sin(i));
  const answers = await Promise.all(
    [bytes, encodeModel(graph)].map(async (model) => {
      const runner = await loadBytes(model);
      const { distance_map: map } = await runner.run({ image: float32Tensor([1, 3, 256, 256], image) });
      await runner.release();
      return map!.data;
    }),
  );
  expect(answers[1]).toEqual(answers[0]);
});

it.each([
  ['no protobuf', Uint8Array.of(255, 255, 255)],
  ['an empty file', new Uint8Array(0)],
])('refuses %s as an invalid model', (_, bytes) => {
  expect(() => decodeModel(bytes)).toThrow(expect.objectContaining({ errorName: 'ModelInvalid' }) as Error);
});

describe('importing a graph as exporters write them', () => {
  const shape: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(1n) };
  const node = (op: string, inputs: string[], output: string, attributes = {}) => ({
    op,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes,
  });
  const exported: Graph = {
    opset: 16,
    inputs: [{ name: 'x', type: 'float32', dims: [3, 4] }],
    outputs: [{ name: 'y', type: 'float32', dims: [] }],
    initializers: new Map([
      ['w', float32Tensor([4, 2])],
      ['zero', { type: 'int64', dims: [], data: BigInt64Array.of(0n) }],
      ['one', shape],
    ]),
    nodes: [
      node('Shape', ['x'], 'shape'),
      node('Gather', ['shape', 'zero'], 'batch', { axis: int(0) }),
      node('Unsqueeze', ['batch', 'one0'], 'batch1'),
      node('Concat', ['batch1', 'one', 'minus'], 'target', { axis: int(0) }),
      node('MatMul', ['x', 'w'], 'product'),
      node('Reshape', ['product', 'target'], 'reshaped'),
      node('Identity', ['reshaped'], 'same'),
      node('ReduceMean', ['same'], 'y', { axes: { kind: 'ints', value: [1] }, keepdims: int(0) }),
    ],
  };
  const initializers = new Map<string, Tensor>([
    ...exported.initializers,
    ['one0', { type: 'int64', dims: [1], data: BigInt64Array.of(0n) }],
    ['minus', { type: 'int64', dims: [1], data: BigInt64Array.of(-1n) }],
  ]);

  it('folds shape chains, drops identities and rewrites old forms', () => {
    const { builder, values } = importGraph({ ...exported, initializers });
    expect(builder.nodes.map((n) => n.op)).toEqual(['MatMul', 'Reshape', 'ReduceMean']);
    expect(builder.dims(values.get('y')!)).toEqual([3, 2]);
  });

  it('refuses a model that leaves a dimension open', () => {
    const open: Graph = { ...exported, inputs: [{ name: 'x', type: 'float32', dims: ['batch', 4] }] };
    expect(() => importGraph({ ...open, initializers })).toThrow(/leaves dimension 'batch' open/);
  });

  it('names operator and node it does not know', () => {
    const strange: Graph = {
      ...exported,
      initializers,
      nodes: [node('FancyAttention', ['x'], 'y')],
    };
    expect(() => importGraph(strange)).toThrow(
      expect.objectContaining({
        errorName: 'OperatorUnsupported',
        data: expect.objectContaining({ operator: 'FancyAttention', node: 'y' }) as unknown,
      }) as Error,
    );
  });
});
