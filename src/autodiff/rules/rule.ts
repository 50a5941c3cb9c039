import { sameDims, type GraphBuilder } from '../builder';
import type { ShapeContext } from '../shapes';
import { elementCount } from '../../tensor';

/** What a gradient rule may use: the graph being written, its node, and the gradient that arrives. */
export interface RuleContext extends ShapeContext {
  readonly b: GraphBuilder;
  /** Value name of input `i`. */
  x(i: number): string;
  /** Shape of input `i`. */
  dims(i: number): readonly number[];
  /** Value name of output `i`. */
  y(i?: number): string;
  /** Gradient of the loss by output 0 (zeros when only another output is used). */
  readonly dy: string;
  /** Gradient of the loss by output `i`, or undefined where nothing depends on it. */
  dyOf(i: number): string | undefined;
}

/** Gradient of the loss by one input: emits nodes, returns the value's name, shaped like that input. */
export type InputGradient = (c: RuleContext, input: number) => string;

/** How to go backwards through one operator: one entry per input; null for inputs that have no gradient (indices,
 *  shapes). `variadic` serves every input of an operator that takes any number. */
export interface GradientRule {
  readonly inputs: readonly (InputGradient | null)[];
  readonly variadic?: InputGradient;
}

/** Rule of an operator whose inputs are given one by one. */
export const perInput = (...inputs: (InputGradient | null)[]): GradientRule => ({ inputs });

/** Rule of an operator that treats any number of inputs alike. */
export const forEveryInput = (variadic: InputGradient): GradientRule => ({ inputs: [], variadic });

/** Combinator for broadcasting operators: sums the gradient back to the shape of the input. */
export const broadcasting =
  (gradient: InputGradient): InputGradient =>
  (c, i) =>
    sumTo(c.b, gradient(c, i), c.dims(i));

/** Sums a broadcast gradient back to `dims`. */
export function sumTo(b: GraphBuilder, gradient: string, dims: readonly number[]): string {
  const from = b.dims(gradient);
  if (sameDims(from, dims)) return gradient;
  const extra = from.length - dims.length;
  const axes = [...from.keys()].filter((i) => i < extra || (dims[i - extra] === 1 && from[i] !== 1));
  return b.reshape(sumOver(b, gradient, axes), dims);
}

/**
 * Sum over axes, dimensions dropped. Long sums over leading axes (bias gradients) run in two stages, because the
 * runtime is slow at them: [N, C] → [r, N/r, C] → [r, C] → [C].
 */
export function sumOver(b: GraphBuilder, value: string, axes: readonly number[]): string {
  const dims = b.dims(value);
  if (axes.length === 0) return value;
  const leading = axes.every((axis, i) => axis === i);
  const rows = elementCount(dims.slice(0, axes.length));
  const columns = elementCount(dims.slice(axes.length));
  const stages = leading && columns > 1 && rows >= 256 ? stageCount(rows) : 1;
  if (stages === 1) return b.reduceSum(value, axes, false);
  const staged = b.reduceSum(b.reshape(value, [stages, rows / stages, columns]), [1], false);
  return b.reshape(b.reduceSum(staged, [0], false), dims.slice(axes.length));
}

function stageCount(rows: number): number {
  let stages = 1;
  while (stages * 2 <= 64 && rows % (stages * 2) === 0) stages *= 2;
  return stages;
}
