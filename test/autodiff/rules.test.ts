import { elementCount, float32Tensor, type Tensor } from '../../src/tensor';
import { appendGradients } from '../../src/autodiff/backward';
import { GraphBuilder } from '../../src/autodiff/builder';
import { tensorFromNumbers } from '../../src/autodiff/fold';
import { NOT_DIFFERENTIABLE, RULES } from '../../src/autodiff/rules/table';
import { SHAPE_RULES } from '../../src/autodiff/shapes';
import { RULE_CASES, type RuleCase, type Spread } from './ruleCases';
import { load, seeded } from './runtime';

/** Distinct values in random order: kinks and ties stay farther away than the stencil reaches. */
function spread({ dims, low = -1, high = 1 }: Spread, random: () => number): Float32Array {
  const count = elementCount(dims);
  const values = Array.from({ length: count }, (_, i) =>
    count === 1 ? low : low + ((high - low) * i) / (count - 1),
  );
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return Float32Array.from(values);
}

interface Prepared {
  readonly b: GraphBuilder;
  readonly outputs: readonly string[];
  readonly feeds: Record<string, Tensor>;
  readonly differentiable: readonly string[];
}

function prepare(test: RuleCase): Prepared {
  const random = seeded(7);
  const b = new GraphBuilder();
  const feeds: Record<string, Tensor> = {};
  const differentiable: string[] = [];
  const inputs = test.inputs.map((input, i) => {
    const name = `x${i}`;
    if (input === null) return '';
    if ('values' in input) {
      const tensor = tensorFromNumbers(input.type, input.dims, input.values);
      if (input.computed !== true) return b.constant(tensor);
      feeds[name] = tensor;
    } else {
      feeds[name] = float32Tensor(input.dims, spread(input, random));
      differentiable.push(name);
    }
    return b.input(name, feeds[name].type, input.dims);
  });
  const all = b.emitAll(test.op, inputs, test.attributes ?? {}, { outputs: test.outputs ?? 1 });
  const outputs = test.op === 'LayerNormalization' ? all.slice(0, 1) : all;
  return { b, outputs, feeds, differentiable };
}

const weightsOf = (name: string, count: number): Float32Array => {
  const random = seeded(name.length + count);
  return Float32Array.from({ length: count }, () => random() * 2 - 1);
};

describe.each(RULE_CASES.map((test) => [`${test.op} ${test.what}`, test] as const))('%s', (_, test) => {
  it('goes backwards as finite differences do, for every input', async () => {
    const { b, outputs, feeds, differentiable } = prepare(test);
    const weights = outputs.map((output, k) => weightsOf(`w${k}`, elementCount(b.dims(output))));
    outputs.forEach((output, k) => b.output(`y${k}`, output));
    const forward = await load(b.build());
    const parts = outputs.map((output, k) =>
      b.total(b.mul(output, b.constant(float32Tensor(b.dims(output), weights[k])))),
    );
    const loss = parts.reduce((sum, part) => b.add(sum, part));
    const gradients = appendGradients(b, loss, differentiable);
    for (const name of differentiable) b.output(`d_${name}`, gradients.get(name)!);
    const backward = await load(b.build());

    const got = await backward.run(feeds);
    outputs.forEach((output, k) => expect(got[`y${k}`]!.dims).toEqual([...b.dims(output)]));
    const lossAt = async (): Promise<number> => {
      const y = await forward.run(feeds);
      return outputs.reduce(
        (sum, _output, k) =>
          sum + (y[`y${k}`]!.data as Float32Array).reduce((part, v, i) => part + v * weights[k]![i]!, 0),
        0,
      );
    };
    const h = 0.01;
    for (const name of differentiable) {
      const x = feeds[name]!.data as Float32Array;
      const analytic = got[`d_${name}`]!;
      expect(analytic.dims).toEqual([...feeds[name]!.dims]);
      const gradient = analytic.data as Float32Array;
      const scale = Math.max(...gradient.map(Math.abs), 0.05);
      const step = Math.max(1, Math.floor(x.length / 48));
      for (let i = 0; i < x.length; i += step) {
        const value = x[i]!;
        const at = async (offset: number): Promise<number> => {
          x[i] = value + offset;
          const result = await lossAt();
          x[i] = value;
          return result;
        };
        // Five-point stencil: error h⁴.
        const numeric =
          (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
        expect(Math.abs(gradient[i]! - numeric) / scale).toBeLessThan(2e-3);
      }
    }
    await forward.release();
    await backward.release();
  });
});

describe('the table', () => {
  it('has a case for every operator and no case without a rule', () => {
    expect([...new Set(RULE_CASES.map((test) => test.op))].sort()).toEqual(Object.keys(RULES).sort());
  });

  it('has a case that differentiates by every input with a rule', () => {
    const covered = new Set(
      RULE_CASES.flatMap((test) =>
        test.inputs.flatMap((input, i) =>
          input !== null && !('values' in input) ? [`${test.op} ${i}`] : [],
        ),
      ),
    );
    const ruled = Object.entries(RULES).flatMap(([op, rule]) =>
      rule.inputs.flatMap((gradient, i) => (gradient === null ? [] : [`${op} ${i}`])),
    );
    expect(ruled.filter((name) => !covered.has(name))).toEqual([]);
  });

  it('knows the shape of every operator it goes through or stops at', () => {
    const named = [...Object.keys(RULES), ...NOT_DIFFERENTIABLE];
    expect(named.filter((op) => !(op in SHAPE_RULES))).toEqual([]);
  });
});
