import { elementCount, float32Tensor } from '../../tensor';
import { intOf, intsOf, textOf, unsupported } from '../graph';
import { axisOf, numbersOf, padsOf, sliceSpans } from '../shapes';
import { forEveryInput, perInput, sumTo, type GradientRule, type RuleContext } from './rule';

/** Zeros around one axis: `before` in front, and as many behind as fill it to `size`. */
function padAxis(c: RuleContext, value: string, axis: number, before: number, size: number): string {
  const dims = c.b.dims(value);
  const pads = new Array<number>(2 * dims.length).fill(0);
  pads[axis] = before;
  pads[axis + dims.length] = size - before - dims[axis]!;
  return c.b.pad(value, pads);
}

/** Puts the elements of a strided slice back: reverse if the step is negative, spread by zeros, pad. */
function unslice(
  c: RuleContext,
  value: string,
  span: { axis: number; start: number; step: number; count: number },
  size: number,
): string {
  const { b } = c;
  const { axis, count } = span;
  let spread = value;
  let { start, step } = span;
  if (step < 0) {
    const last = [count - 1, Number.MIN_SAFE_INTEGER, axis, -1].map((bound) => b.vector([bound]));
    spread = b.emit('Slice', [value, ...last]);
    start += (count - 1) * step;
    step = -step;
  }
  if (step > 1) {
    const dims = b.dims(spread);
    const apart = b.reshape(spread, dims.toSpliced(axis + 1, 0, 1));
    const padded = padAxis(c, apart, axis + 1, 0, step);
    const merged = b.reshape(padded, dims.with(axis, count * step));
    spread = b.slice(merged, axis, 0, Math.min(count * step, size - start));
  }
  return padAxis(c, spread, axis, start, size);
}

const slice = (c: RuleContext): string => {
  const spans = sliceSpans(c);
  return spans.reduceRight((value, span) => unslice(c, value, span, c.dims(0)[span.axis]!), c.dy);
};

const concat = forEveryInput((c, input) => {
  const axis = axisOf(intOf(c.node, 'axis', 0), c.dims(0).length);
  const before = c.node.inputs.slice(0, input).reduce((sum, _, i) => sum + c.dims(i)[axis]!, 0);
  return c.b.slice(c.dy, axis, before, c.dims(input)[axis]!);
});

const split = (c: RuleContext): string => {
  const axis = axisOf(intOf(c.node, 'axis', 0), c.dims(0).length);
  const parts = c.node.outputs.map((_, i) => c.dyOf(i) ?? c.b.zerosLike(c.y(i)));
  return c.b.concat(parts, axis);
};

const tile = (c: RuleContext): string => {
  const { b } = c;
  const dims = c.dims(0);
  const repeats = b.dims(c.y()).map((size, i) => size / dims[i]!);
  const apart = b.reshape(
    c.dy,
    dims.flatMap((dim, i) => [repeats[i]!, dim]),
  );
  return b.reduceSum(
    apart,
    dims.map((_, i) => 2 * i),
    false,
  );
};

const pad = (c: RuleContext): string => {
  if (textOf(c.node, 'mode', 'constant') !== 'constant') throw unsupported(c.node, 'only mode constant');
  const pads = padsOf(c);
  if (pads.some((size) => size < 0)) throw unsupported(c.node, 'negative pads');
  return c.dims(0).reduce((value, dim, axis) => c.b.slice(value, axis, pads[axis]!, dim), c.dy);
};

/** Selection matrix [indices, size]: row r is 1 at index r. Built at run time where the indices are computed. */
function selection(c: RuleContext, size: number): string {
  const { b } = c;
  const count = elementCount(c.dims(1));
  const constant = c.constant(1);
  if (constant !== undefined) {
    const matrix = new Float32Array(count * size);
    numbersOf(constant).forEach((index, row) => (matrix[row * size + axisOf(index, size)] = 1));
    return b.constant(float32Tensor([count, size], matrix));
  }
  const column = b.cast(b.reshape(c.x(1), [count, 1]), 'float32');
  const wrapped = b.where(b.emit('Less', [column, b.scalar(0)]), b.shift(column, size), column);
  const range = b.constant(
    float32Tensor(
      [1, size],
      Float32Array.from({ length: size }, (_, i) => i),
    ),
  );
  const distance = b.emit('Abs', [b.sub(wrapped, range)]);
  return b.cast(b.emit('Less', [distance, b.scalar(0.5)]), 'float32');
}

/** Gathering a run of neighbours is a slice, and goes back by padding; any other is a product with its selection. */
const gather = (c: RuleContext): string => {
  const { b } = c;
  const dims = c.dims(0);
  const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
  const size = dims[axis]!;
  const count = elementCount(c.dims(1));
  const before = elementCount(dims.slice(0, axis));
  const after = elementCount(dims.slice(axis + 1));
  const dy = b.reshape(c.dy, [before, count, after]);
  const constant = c.constant(1);
  if (constant !== undefined) {
    const indices = numbersOf(constant).map((index) => axisOf(index, size));
    const first = indices[0] ?? 0;
    if (indices.every((index, i) => index === first + i))
      return b.reshape(padAxis(c, dy, 1, first, size), dims);
  }
  const back = b.transpose(selection(c, size), [1, 0]);
  const product = before === 1 ? b.gemm(back, b.reshape(dy, [count, after])) : b.matMul(back, dy);
  return b.reshape(product, dims);
};

const reshaped = perInput((c) => c.b.reshape(c.dy, c.dims(0)), null);

/** Gradients of operators that only move elements. */
export const LAYOUT: Readonly<Record<string, GradientRule>> = {
  Concat: concat,
  Expand: perInput((c) => sumTo(c.b, c.dy, c.dims(0)), null),
  Flatten: reshaped,
  Gather: perInput(gather, null),
  Pad: perInput(pad, null, null, null),
  Reshape: reshaped,
  Slice: perInput(slice, null, null, null, null),
  Split: perInput(split, null),
  Squeeze: reshaped,
  Tile: perInput(tile, null),
  Transpose: perInput((c) => {
    const rank = c.dims(0).length;
    const perm = intsOf(c.node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    return c.b.transpose(
      c.dy,
      Array.from({ length: rank }, (_, axis) => perm.indexOf(axis)),
    );
  }),
  Unsqueeze: reshaped,
};
