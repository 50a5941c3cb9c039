import { elementCount } from '../tensor';
import type { GraphBuilder } from './builder';
import { intOf, intsOf, textOf, type GraphNode } from './graph';
import { axesInput } from './shapes';

/** Writes a node in another form and returns the value of its first output; undefined to leave it as it is. */
type Rewrite = (b: GraphBuilder, node: GraphNode) => string | undefined;

/** GELU in older operators, which every provider has: x·Φ(x), or its tanh form. The gradient shares Φ with it. */
const gelu: Rewrite = (b, node) => {
  const x = node.inputs[0] ?? '';
  if (textOf(node, 'approximate', 'none') === 'tanh') {
    const cubic = b.mul(x, b.shift(b.scale(b.mul(x, x), 0.044715), 1));
    const t = b.emit('Tanh', [b.scale(cubic, Math.sqrt(2 / Math.PI))]);
    return b.mul(x, b.shift(b.scale(t, 0.5), 0.5));
  }
  const cumulative = b.shift(b.scale(b.emit('Erf', [b.scale(x, Math.SQRT1_2)]), 0.5), 0.5);
  return b.mul(x, cumulative);
};

/** x · Wᵀ as exporters write a linear layer: one Gemm reads the weight as it lies, and so does its gradient. */
const matMul: Rewrite = (b, node) => {
  const [x = '', weight = ''] = node.inputs;
  const transpose = b.producerOf(weight);
  if (transpose?.op !== 'Transpose' || b.dims(weight).length !== 2) return undefined;
  if (intsOf(transpose, 'perm')?.[0] === 0) return undefined;
  const dims = b.dims(x);
  const [columns = 1, inner = 1] = b.dims(transpose.inputs[0] ?? '');
  const rows = b.reshape(x, [elementCount(dims) / inner, inner]);
  const product = b.gemm(rows, transpose.inputs[0] ?? '', false, true);
  return b.reshape(product, [...dims.slice(0, -1), columns]);
};

/** A reduction in the form the runtime is fast at. */
const reduction =
  (op: 'ReduceSum' | 'ReduceMean'): Rewrite =>
  (b, node) => {
    const x = node.inputs[0] ?? '';
    const axes = axesInput(b.contextOf(node), b.dims(x).length)?.toSorted((a, c) => a - c);
    return axes && axes.length > 0 ? b.reduce(op, x, axes, intOf(node, 'keepdims', 1) === 1) : undefined;
  };

/** Operators that are read but written in another form; one entry per operator. */
export const REWRITES: Readonly<Record<string, Rewrite>> = {
  Gelu: gelu,
  MatMul: matMul,
  ReduceMean: reduction('ReduceMean'),
  ReduceSum: reduction('ReduceSum'),
};

/** The other form of a node, where there is one. */
export function rewrite(b: GraphBuilder, node: GraphNode): string | undefined {
  return node.domain === '' ? REWRITES[node.op]?.(b, node) : undefined;
}
