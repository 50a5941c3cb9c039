import { elementCount } from '../../tensor';
import { sameDims } from '../builder';
import type { Value } from '../value';

/** Sums a gradient back to the shape of an input that was broadcast. */
export function sumTo(gradient: Value, dims: readonly number[]): Value {
  const from = gradient.dims;
  if (sameDims(from, dims)) return gradient;
  const extra = from.length - dims.length;
  const axes = [...from.keys()].filter((i) => i < extra || (dims[i - extra] === 1 && from[i] !== 1));
  return sumOver(gradient, axes).reshape(dims);
}

/**
 * Sum over axes, dimensions dropped. Long sums over leading axes (bias gradients) run in two stages, because the
 * runtime is slow at them: [N, C] → [r, N/r, C] → [r, C] → [C].
 */
export function sumOver(value: Value, axes: readonly number[]): Value {
  const { dims } = value;
  if (axes.length === 0) return value;
  const leading = axes.every((axis, i) => axis === i);
  const rows = elementCount(dims.slice(0, axes.length));
  const columns = elementCount(dims.slice(axes.length));
  const stages = leading && columns > 1 && rows >= 256 ? stageCount(rows) : 1;
  if (stages === 1) return value.sum(axes);
  const staged = value.reshape([stages, rows / stages, columns]).sum([1]);
  return staged.sum([0]).reshape(dims.slice(axes.length));
}

function stageCount(rows: number): number {
  let stages = 1;
  while (stages * 2 <= 64 && rows % (stages * 2) === 0) stages *= 2;
  return stages;
}

/** Sum over all but the channel axis: [N, C, ...] → [C]; rows are contiguous, so positions first. */
export function channelSum(value: Value): Value {
  const [n = 1, channels = 1, ...space] = value.dims;
  const rows = value.reshape([n, channels, elementCount(space)]).sum([2]);
  return sumOver(rows, [0]);
}
