import type { GraphBuilder } from '../../src/autodiff/builder';
import { tensorFromNumbers } from '../../src/autodiff/fold';
import type { GraphPort } from '../../src/autodiff/graph';
import { importGraph } from '../../src/autodiff/importGraph';
import { elementCount, float32Tensor, type Tensor } from '../../src/tensor';
import type { RuleCase, Spread } from './ruleCases';
import { seededRandom } from '../../src/sampo/random';

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

/** A case as a graph: where its outputs are, what to feed, and the inputs to differentiate by. */
export interface Prepared {
  readonly b: GraphBuilder;
  readonly outputs: readonly string[];
  readonly feeds: Record<string, Tensor>;
  readonly differentiable: readonly string[];
}

/** The operator as a model of one node, read as any model is. */
export function prepareCase(test: RuleCase): Prepared {
  const random = seededRandom(7);
  const ports: GraphPort[] = [];
  const initializers = new Map<string, Tensor>();
  const feeds: Record<string, Tensor> = {};
  const differentiable: string[] = [];
  const inputs = test.inputs.map((input, i) => {
    const name = `x${i}`;
    if (input === null) return '';
    if ('values' in input) {
      const tensor = tensorFromNumbers(input.type, input.dims, input.values);
      if (input.computed === true) feeds[name] = tensor;
      else initializers.set(name, tensor);
    } else {
      feeds[name] = float32Tensor(input.dims, spread(input, random));
      differentiable.push(name);
    }
    if (feeds[name] !== undefined) ports.push({ name, type: feeds[name].type, dims: input.dims });
    return name;
  });
  const names = Array.from({ length: test.outputs ?? 1 }, (_, i) => `out${i}`);
  const attributes = test.attributes ?? {};
  const node = { op: test.op, domain: '', name: test.op, inputs, outputs: names, attributes };
  const outputs = names.map((name) => ({ name, type: 'float32' as const, dims: [] }));
  const { builder, values } = importGraph({ opset: 20, inputs: ports, outputs, initializers, nodes: [node] });
  return { b: builder, outputs: names.map((name) => values.get(name)!), feeds, differentiable };
}
