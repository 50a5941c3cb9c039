import { elementCount } from '../../tensor';
import { floatOf, intOf } from '../graph';
import type { Value } from '../value';
import { perInput, type GradientRule, type InputGradient } from './rule';

/** All but the last dimension as one: [..., K] → [M, K]. */
const flat = (value: Value): Value => {
  const { dims } = value;
  return value.reshape([elementCount(dims.slice(0, -1)), dims.at(-1)!]);
};

/** The last two axes exchanged. */
const transposed = (value: Value): Value => {
  const rank = value.dims.length;
  const perm = Array.from({ length: rank }, (_, i) => i);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return value.transpose(perm);
};

/** dA = dY · Bᵀ. A weight shared by all rows ([..., K] x [K, N]) is one Gemm; else batched products. */
const matMulLeft: InputGradient = ({ dy, x }) =>
  x(1).dims.length === 2
    ? flat(dy).gemm(x(1), { transB: true }).reshape(x(0).dims)
    : dy.matMul(transposed(x(1)));

/** dB = Aᵀ · dY, in the same two forms. */
const matMulRight: InputGradient = ({ dy, x }) =>
  x(1).dims.length === 2 ? flat(x(0)).gemm(flat(dy), { transA: true }) : transposed(x(0)).matMul(dy);

/** Of Y = α A' B' + β C, where ' is an optional transpose: dA = α dY · B'ᵀ, transposed back. */
const gemmLeft: InputGradient = ({ dy, x, node }) => {
  const transA = intOf(node, 'transA', 0) === 1;
  const transB = intOf(node, 'transB', 0) === 1;
  const scaled = dy.mul(floatOf(node, 'alpha', 1));
  return transA
    ? x(1).gemm(scaled, { transA: transB, transB: true })
    : scaled.gemm(x(1), { transB: !transB });
};

/** dB = α A'ᵀ · dY, transposed back. */
const gemmRight: InputGradient = ({ dy, x, node }) => {
  const transA = intOf(node, 'transA', 0) === 1;
  const transB = intOf(node, 'transB', 0) === 1;
  const scaled = dy.mul(floatOf(node, 'alpha', 1));
  return transB
    ? scaled.gemm(x(0), { transA: true, transB: transA })
    : x(0).gemm(scaled, { transA: !transA });
};

/** dC = β dY. */
const gemmAddend: InputGradient = ({ dy, node }) => dy.mul(floatOf(node, 'beta', 1));

/** Gradients of matrix products; what was broadcast is summed back by the walk. */
export const LINEAR: Readonly<Record<string, GradientRule>> = {
  Gemm: perInput(gemmLeft, gemmRight, gemmAddend),
  MatMul: perInput(matMulLeft, matMulRight),
};
