import { elementCount, float32Tensor } from '../../tensor';
import { intOf, intsOf, textOf, unsupported } from '../graph';
import { axisOf, numbersOf, padsOf, sliceSpans, type SliceSpan } from '../operands';
import { Value } from '../value';
import { forEveryInput, perInput, type GradientRule, type InputGradient, type RuleContext } from './rule';

/** Zeros around one axis: `before` in front, and as many behind as fill it to `size`. */
function padAxis(value: Value, axis: number, before: number, size: number): Value {
  const { dims } = value;
  const pads = new Array<number>(2 * dims.length).fill(0);
  pads[axis] = before;
  pads[axis + dims.length] = size - before - dims[axis]!;
  return value.pad(pads);
}

/** Puts the elements of a strided slice back: reverse if the step is negative, spread by zeros, pad. */
function unslice(value: Value, span: SliceSpan, size: number): Value {
  const { axis, count } = span;
  let spread = value;
  let { start, step } = span;
  if (step < 0) {
    spread = value.reverse(axis);
    start += (count - 1) * step;
    step = -step;
  }
  if (step > 1) {
    const { dims } = spread;
    const apart = spread.reshape(dims.toSpliced(axis + 1, 0, 1));
    const merged = padAxis(apart, axis + 1, 0, step).reshape(dims.with(axis, count * step));
    spread = merged.slice(axis, 0, Math.min(count * step, size - start));
  }
  return padAxis(spread, axis, start, size);
}

const slice: InputGradient = (context) => {
  const { dy, x } = context;
  const { dims } = x(0);
  return sliceSpans(context).reduceRight((value, span) => unslice(value, span, dims[span.axis]!), dy);
};

const concat: InputGradient = ({ dy, x, node }, input) => {
  const axis = axisOf(intOf(node, 'axis', 0), x(0).dims.length);
  const before = node.inputs.slice(0, input).reduce((sum, _, i) => sum + x(i).dims[axis]!, 0);
  return dy.slice(axis, before, x(input).dims[axis]!);
};

const split: InputGradient = ({ builder, x, y, dyOf, node }) => {
  const axis = axisOf(intOf(node, 'axis', 0), x(0).dims.length);
  const parts = node.outputs.map((_, i) => (dyOf(i) ?? y(i).zerosLike()).name);
  return new Value(builder, builder.concat(parts, axis));
};

/** [r₀·d₀, r₁·d₁, …] → [r₀, d₀, r₁, d₁, …], summed over the repeats r. */
const tile: InputGradient = ({ dy, x, y }) => {
  const { dims } = x(0);
  const repeats = y(0).dims.map((size, i) => size / dims[i]!);
  const apart = dy.reshape(dims.flatMap((dim, i) => [repeats[i]!, dim]));
  return apart.sum(dims.map((_, i) => 2 * i));
};

const pad: InputGradient = (context) => {
  const { dy, x, node } = context;
  if (textOf(node, 'mode', 'constant') !== 'constant') throw unsupported(node, 'only mode constant');
  const pads = padsOf(context);
  if (pads.some((size) => size < 0)) throw unsupported(node, 'negative pads');
  return x(0).dims.reduce((value, dim, axis) => value.slice(axis, pads[axis]!, dim), dy);
};

/** Selection matrix [indices, size]: row r is 1 at index r. Built at run time where the indices are computed. */
function selection({ builder, x, constant }: RuleContext, size: number): Value {
  const matrixOf = (dims: readonly number[], data: Float32Array): Value =>
    new Value(builder, builder.constant(float32Tensor(dims, data)));
  const count = elementCount(x(1).dims);
  const indices = constant(1);
  if (indices !== undefined) {
    const matrix = new Float32Array(count * size);
    numbersOf(indices).forEach((index, row) => (matrix[row * size + axisOf(index, size)] = 1));
    return matrixOf([count, size], matrix);
  }
  const column = x(1).reshape([count, 1]).cast('float32');
  const wrapped = column.less(0).where(column.add(size), column);
  const range = matrixOf(
    [1, size],
    Float32Array.from({ length: size }, (_, i) => i),
  );
  return wrapped.sub(range).abs().less(0.5).cast('float32');
}

/** Gathering a run of neighbours is a slice, and goes back by padding; any other is a product with its selection. */
const gather: InputGradient = (context) => {
  const { x, node } = context;
  const { dims } = x(0);
  const axis = axisOf(intOf(node, 'axis', 0), dims.length);
  const size = dims[axis]!;
  const count = elementCount(x(1).dims);
  const before = elementCount(dims.slice(0, axis));
  const after = elementCount(dims.slice(axis + 1));
  const dy = context.dy.reshape([before, count, after]);
  const constant = context.constant(1);
  if (constant !== undefined) {
    const indices = numbersOf(constant).map((index) => axisOf(index, size));
    const first = indices[0] ?? 0;
    if (indices.every((index, i) => index === first + i)) return padAxis(dy, 1, first, size).reshape(dims);
  }
  const back = selection(context, size).transpose([1, 0]);
  const product = before === 1 ? back.gemm(dy.reshape([count, after])) : back.matMul(dy);
  return product.reshape(dims);
};

const transpose: InputGradient = ({ dy, x, node }) => {
  const axes = [...x(0).dims.keys()];
  const perm = intsOf(node, 'perm') ?? axes.toReversed();
  return dy.transpose(axes.map((axis) => perm.indexOf(axis)));
};

const reshaped = perInput(({ dy, x }) => dy.reshape(x(0).dims), null);

/** Gradients of operators that only move elements. */
export const LAYOUT: Readonly<Record<string, GradientRule>> = {
  Concat: forEveryInput(concat),
  Expand: perInput(({ dy }) => dy, null),
  Flatten: reshaped,
  Gather: perInput(gather, null),
  Pad: perInput(pad, null, null, null),
  Reshape: reshaped,
  Slice: perInput(slice, null, null, null, null),
  Split: perInput(split, null),
  Squeeze: reshaped,
  Tile: perInput(tile, null),
  Transpose: perInput(transpose),
  Unsqueeze: reshaped,
};
