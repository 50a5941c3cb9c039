import { elementCount } from '../../tensor';
import { floatOf, intOf } from '../graph';
import { broadcasting, perInput, sumTo, type GradientRule, type RuleContext } from './rule';

/** All but the last dimension as one: [..., K] → [M, K]. */
const flat = (c: RuleContext, value: string): string => {
  const dims = c.b.dims(value);
  return c.b.reshape(value, [elementCount(dims.slice(0, -1)), dims.at(-1)!]);
};

const swapLast = (c: RuleContext, value: string): string => {
  const rank = c.b.dims(value).length;
  const perm = Array.from({ length: rank }, (_, i) => i);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return c.b.transpose(value, perm);
};

/** A weight shared by all rows ([..., K] x [K, N]) is one Gemm; else batched products, summed over broadcast batches. */
const matMulLeft = (c: RuleContext): string => {
  const { b } = c;
  if (c.dims(1).length === 2) return b.reshape(b.gemm(flat(c, c.dy), c.x(1), false, true), c.dims(0));
  return sumTo(b, b.matMul(c.dy, swapLast(c, c.x(1))), c.dims(0));
};

const matMulRight = (c: RuleContext): string => {
  const { b } = c;
  if (c.dims(1).length === 2) return b.gemm(flat(c, c.x(0)), flat(c, c.dy), true, false);
  return sumTo(b, b.matMul(swapLast(c, c.x(0)), c.dy), c.dims(1));
};

/** Y = α A' B' + β C, where ' is an optional transpose. */
const gemmOperand =
  (side: 0 | 1): ((c: RuleContext) => string) =>
  (c) => {
    const { b } = c;
    const transA = intOf(c.node, 'transA', 0) === 1;
    const transB = intOf(c.node, 'transB', 0) === 1;
    const dy = b.scale(c.dy, floatOf(c.node, 'alpha', 1));
    if (side === 0) return transA ? b.gemm(c.x(1), dy, transB, true) : b.gemm(dy, c.x(1), false, !transB);
    return transB ? b.gemm(dy, c.x(0), true, transA) : b.gemm(c.x(0), dy, !transA, false);
  };

/** Gradients of matrix products. */
export const LINEAR: Readonly<Record<string, GradientRule>> = {
  Gemm: perInput(
    gemmOperand(0),
    gemmOperand(1),
    broadcasting((c) => c.b.scale(c.dy, floatOf(c.node, 'beta', 1))),
  ),
  MatMul: perInput(matMulLeft, matMulRight),
};
