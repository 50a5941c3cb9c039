import { elementCount } from '../tensor';
import type { GraphBuilder } from './builder';
import { intOf, intsOf, textOf, type GraphNode } from './graph';
import { axesInput } from './operands';
import { Value } from './value';

/** Writes a node in another form and returns the value of its first output; undefined to leave it as it is. */
type Rewrite = (b: GraphBuilder, node: GraphNode) => string | undefined;

/** GELU in older operators, which every provider has: x·Φ(x), or its tanh form. The gradient shares Φ with it. */
const gelu: Rewrite = (b, node) => {
  const x = new Value(b, node.inputs[0] ?? '');
  if (textOf(node, 'approximate', 'none') === 'tanh') {
    const cubic = x.mul(x.square().mul(0.044715).add(1));
    const t = cubic.mul(Math.sqrt(2 / Math.PI)).apply('Tanh');
    return x.mul(t.mul(0.5).add(0.5)).name;
  }
  const cumulative = x.mul(Math.SQRT1_2).apply('Erf').mul(0.5).add(0.5);
  return x.mul(cumulative).name;
};

/** x · Wᵀ as exporters write a linear layer: one Gemm reads the weight as it lies, and so does its gradient. */
const matMul: Rewrite = (b, node) => {
  const x = new Value(b, node.inputs[0] ?? '');
  const transpose = b.producerOf(node.inputs[1] ?? '');
  if (transpose?.op !== 'Transpose' || b.dims(node.inputs[1] ?? '').length !== 2) return undefined;
  if (intsOf(transpose, 'perm')?.[0] === 0) return undefined;
  const weight = new Value(b, transpose.inputs[0] ?? '');
  const [columns = 1, inner = 1] = weight.dims;
  const rows = x.reshape([elementCount(x.dims) / inner, inner]);
  return rows.gemm(weight, { transB: true }).reshape([...x.dims.slice(0, -1), columns]).name;
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
