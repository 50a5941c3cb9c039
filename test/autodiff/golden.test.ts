import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTrainingGraph, gradientName } from '../../src/autodiff/trainingGraph';
import { decodeModel } from '../../src/autodiff/onnxCodec';
import type { ObjectiveSettings } from '../../src/sampo/lossPart';
import { sampoObjective } from '../../src/sampo/objective';
import { float32Tensor, type Tensor } from '../../src/tensor';
import { load } from './runtime';

interface Packed {
  readonly dims: number[];
  readonly data: string;
}

interface Golden {
  readonly pairs: number;
  readonly weights: ObjectiveSettings;
  readonly loss: number;
  readonly parts: Record<string, number | number[]>;
  readonly feeds: Record<string, Packed>;
  readonly gradients: Record<string, Packed>;
}

const FIXTURES = join(__dirname, '..', 'fixtures', 'autodiff');

function unpack({ dims, data }: Packed): Tensor {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return float32Tensor(dims, new Float32Array(bytes.buffer));
}

const norm = (values: Iterable<number>): number => Math.sqrt([...values].reduce((s, v) => s + v * v, 0));

/** Buffers of the networks: no gradient in PyTorch either. */
const BUFFERS = new Set(['fourier', 'gaussian', 'image_pe']);

describe.each([
  ['samDecoder', []],
  ['sampoDecoder', ['intent_tokens']],
] as const)('gradients of %s under the hybrid loss', (name, trainedInputs) => {
  const golden = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) as Golden;
  const model = decodeModel(readFileSync(join(FIXTURES, `${name}.onnx`)));
  const training = buildTrainingGraph(model, {
    isParameter: (parameter) => !BUFFERS.has(parameter),
    trainedInputs,
    loss: sampoObjective(golden.weights, { masks: 'masks', scores: 'iou_predictions' }, golden.pairs),
  });
  let results: Record<string, Tensor>;

  beforeAll(async () => {
    const runner = await load(training.graph);
    const feeds = Object.fromEntries(
      Object.entries(golden.feeds).map(([key, value]) => [key, unpack(value)]),
    );
    results = await runner.run({ ...feeds, ...Object.fromEntries(training.parameters) });
    await runner.release();
  });

  it('has the loss, its parts and the margins of PyTorch in float64', () => {
    expect(Number(results['loss']!.data[0])).toBeCloseTo(golden.loss, 5);
    for (const [part, wanted] of Object.entries(golden.parts))
      [wanted].flat().forEach((value, i) => expect(Number(results[part]!.data[i])).toBeCloseTo(value, 5));
  });

  it('agrees with PyTorch in float64 to 1e-4 on every tensor whose gradient is not zero', () => {
    const largest = Math.max(
      ...Object.values(golden.gradients).map((packed) => norm(unpack(packed).data as Float32Array)),
    );
    const errors = Object.entries(golden.gradients).flatMap(([parameter, packed]) => {
      const wanted = unpack(packed).data as Float32Array;
      const size = norm(wanted);
      const got = results[gradientName(parameter)]?.data as Float32Array | undefined;
      // A key's bias cancels in the softmax: its true gradient is 0, and rounding is all there is to compare.
      if (size < 1e-9 * largest) return [];
      const error = got === undefined ? 1 : norm(wanted.map((value, i) => value - got[i]!)) / size;
      return [[parameter, error] as const];
    });
    expect(errors.length).toBeGreaterThan(80);
    expect(errors.filter(([, error]) => !(error <= 1e-4))).toEqual([]);
  });
});
