import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementCount, float32Tensor } from '../../src/tensor';
import { appendGradients } from '../../src/autodiff/backward';
import { REWRITES } from '../../src/autodiff/rewrites';
import { NOT_DIFFERENTIABLE, RULES } from '../../src/autodiff/rules/table';
import { SHAPE_RULES } from '../../src/autodiff/shapes';
import { RULE_CASES } from './ruleCases';
import { prepareCase } from './ruleGraph';
import { seededRandom } from '../../src/sampo/random';
import { load } from './runtime';

const weightsOf = (name: string, count: number): Float32Array => {
  const random = seededRandom(name.length + count);
  return Float32Array.from({ length: count }, () => random() * 2 - 1);
};

describe.each(RULE_CASES.map((test) => [`${test.op} ${test.what}`, test] as const))('%s', (_, test) => {
  it('goes backwards as finite differences do, for every input', async () => {
    const { b, outputs, feeds, differentiable } = prepareCase(test);
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
    const known = new Set([...Object.keys(RULES), ...Object.keys(REWRITES)]);
    expect([...new Set(RULE_CASES.map((test) => test.op))].sort()).toEqual([...known].sort());
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

  it('is what docs/operators.md says', () => {
    const page = readFileSync(join(__dirname, '../../docs/operators.md'), 'utf8');
    const [through = '', stop = ''] = page.split('## Gradients stop at');
    const rows = (part: string): string[] =>
      [...part.matchAll(/^\| ([A-Z]\w+) \|/gm)].map((match) => match[1]!).sort();
    const known = new Set([...Object.keys(RULES), ...Object.keys(REWRITES)]);
    expect(rows(through)).toEqual([...known].sort());
    expect(rows(stop)).toEqual([...NOT_DIFFERENTIABLE].sort());
  });

  it('knows the shape of every operator it goes through or stops at', () => {
    const named = [...Object.keys(RULES), ...NOT_DIFFERENTIABLE];
    expect(named.filter((op) => !(op in SHAPE_RULES))).toEqual([]);
  });
});
