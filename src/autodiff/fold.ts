import { elementCount, type Tensor, type TensorData, type TensorType } from '../tensor';
import { intOf, intsOf } from './graph';
import { axisOf, numbersOf, shapeSpan, sliceSpans, type NodeContext } from './operands';
import { inferTypes } from './shapes';

/** Results above this many elements stay nodes: the runtime folds them as well, and the file stays small. */
const LARGEST_FOLDED = 1 << 16;

/** A tensor of `type` from numbers. */
export function tensorFromNumbers(
  type: TensorType,
  dims: readonly number[],
  numbers: readonly number[],
): Tensor {
  return { type, dims, data: arrayFrom(type, numbers) };
}

function arrayFrom(type: TensorType, numbers: readonly number[]): TensorData {
  switch (type) {
    case 'float32':
      return Float32Array.from(numbers);
    case 'float64':
      return Float64Array.from(numbers);
    case 'int64':
      return BigInt64Array.from(numbers, (value) => BigInt(Math.trunc(value)));
    case 'int32':
      return Int32Array.from(numbers);
    case 'int8':
      return Int8Array.from(numbers);
    case 'uint8':
      return Uint8Array.from(numbers);
    case 'bool':
      return Uint8Array.from(numbers, (value) => Number(value !== 0));
  }
}

/** Row-major strides; 0 where a dimension of 1 is broadcast to `rank` dimensions. */
function broadcastStrides(dims: readonly number[], rank: number): number[] {
  const strides = new Array<number>(rank).fill(0);
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    if (dims[i] !== 1) strides[rank - dims.length + i] = step;
    step *= dims[i]!;
  }
  return strides;
}

/** Calls `visit(flat output index, flat offset)` for each element of `dims`, the offset by `strides` from `start`. */
function walk(
  dims: readonly number[],
  strides: readonly number[],
  start: number,
  visit: (at: number, from: number) => void,
): void {
  const index = new Array<number>(dims.length).fill(0);
  const count = elementCount(dims);
  let from = start;
  for (let at = 0; at < count; at++) {
    visit(at, from);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
}

function gatherBy(
  x: readonly number[],
  dims: readonly number[],
  strides: readonly number[],
  start = 0,
): number[] {
  const out = new Array<number>(elementCount(dims));
  walk(dims, strides, start, (at, from) => (out[at] = x[from]!));
  return out;
}

type Fold = (c: NodeContext, values: readonly number[][], dims: readonly number[]) => number[];

const elementwise =
  (f: (...args: number[]) => number): Fold =>
  (c, values, dims) => {
    const spread = values.map((x, i) => gatherBy(x, dims, broadcastStrides(c.type(i).dims, dims.length)));
    return Array.from({ length: elementCount(dims) }, (_, at) => f(...spread.map((x) => x[at]!)));
  };

const rowMajor = (dims: readonly number[]): number[] => dims.map((_, i) => elementCount(dims.slice(i + 1)));

const divide: Fold = (c, values, dims) => {
  const whole = !c.type(0).type.startsWith('float');
  return elementwise((a, b) => (whole ? Math.trunc(a / b) : a / b))(c, values, dims);
};

const keep: Fold = (_c, [x = []]) => [...x];

/** The small interpreter: one entry per operator that exports use to compute shapes and index tables. */
const FOLDS: Readonly<Record<string, Fold>> = {
  Add: elementwise((a, b) => a + b),
  And: elementwise((a, b) => a && b),
  Cast: (c, [x = []], _dims) =>
    x.map((value) => (inferTypes(c)[0]?.type.startsWith('float') ? value : Math.trunc(value))),
  Ceil: elementwise(Math.ceil),
  Concat: (c, values, dims) => {
    const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
    const outer = elementCount(dims.slice(0, axis));
    const out: number[] = [];
    for (let row = 0; row < outer; row++)
      for (const x of values) {
        const run = x.length / outer;
        for (let i = row * run; i < (row + 1) * run; i++) out.push(x[i]!);
      }
    return out;
  },
  ConstantOfShape: (c, _values, dims) => {
    const value = c.node.attributes['value'];
    const fill = value?.kind === 'tensor' ? (numbersOf(value.value)[0] ?? 0) : 0;
    return new Array<number>(elementCount(dims)).fill(fill);
  },
  Cos: elementwise(Math.cos),
  Div: divide,
  Equal: elementwise((a, b) => Number(a === b)),
  Exp: elementwise(Math.exp),
  Expand: (c, [x = []], dims) => gatherBy(x, dims, broadcastStrides(c.type(0).dims, dims.length)),
  Flatten: keep,
  Floor: elementwise(Math.floor),
  Gather: (c, [x = [], indices = []]) => {
    const dims = c.type(0).dims;
    const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
    const inner = elementCount(dims.slice(axis + 1));
    const size = dims[axis] ?? 1;
    const out: number[] = [];
    for (let row = 0; row < elementCount(dims.slice(0, axis)); row++)
      for (const index of indices) {
        const from = (row * size + axisOf(index, size)) * inner;
        for (let i = 0; i < inner; i++) out.push(x[from + i]!);
      }
    return out;
  },
  Greater: elementwise((a, b) => Number(a > b)),
  GreaterOrEqual: elementwise((a, b) => Number(a >= b)),
  Identity: keep,
  Less: elementwise((a, b) => Number(a < b)),
  LessOrEqual: elementwise((a, b) => Number(a <= b)),
  Log: elementwise(Math.log),
  Max: elementwise(Math.max),
  Min: elementwise(Math.min),
  Mod: elementwise((a, b) => ((a % b) + b) % b),
  Mul: elementwise((a, b) => a * b),
  Neg: elementwise((a) => -a),
  Not: elementwise((a) => Number(!a)),
  Or: elementwise((a, b) => a || b),
  Pow: elementwise(Math.pow),
  Range: (_c, [[start = 0] = [], , [delta = 1] = []], dims) =>
    Array.from({ length: dims[0] ?? 0 }, (_, i) => start + i * delta),
  Reciprocal: elementwise((a) => 1 / a),
  ReduceProd: (_c, [x = []], dims) => (elementCount(dims) === 1 ? [x.reduce((p, v) => p * v, 1)] : []),
  Reshape: keep,
  Shape: (c) => [...shapeSpan(c)],
  Sin: elementwise(Math.sin),
  Slice: (c, [x = []], dims) => {
    const from = c.type(0).dims;
    const strides = rowMajor(from);
    let start = 0;
    for (const span of sliceSpans(c)) {
      start += span.start * strides[span.axis]!;
      strides[span.axis] = strides[span.axis]! * span.step;
    }
    return gatherBy(x, dims, strides, start);
  },
  Sqrt: elementwise(Math.sqrt),
  Squeeze: keep,
  Sub: elementwise((a, b) => a - b),
  Transpose: (c, [x = []], dims) => {
    const from = c.type(0).dims;
    const strides = rowMajor(from);
    const perm = intsOf(c.node, 'perm') ?? [...from.keys()].reverse();
    return gatherBy(
      x,
      dims,
      perm.map((axis) => strides[axis]!),
    );
  },
  Unsqueeze: keep,
  Where: elementwise((condition, a, b) => (condition ? a : b)),
};

/** Value of a node all of whose inputs are constant (or of `Shape`, which needs only the type); undefined where the
 *  interpreter does not know the operator, or the result is too large to be worth it. */
export function fold(c: NodeContext): Tensor | undefined {
  const rule = c.node.domain === '' ? FOLDS[c.node.op] : undefined;
  if (rule === undefined || c.node.outputs.length !== 1) return undefined;
  const constants = c.node.inputs.map((name, i) => (name === '' ? undefined : c.constant(i)));
  const known = c.node.inputs.every((name, i) => name === '' || constants[i] !== undefined);
  if (!known && c.node.op !== 'Shape') return undefined;
  const [out] = inferTypes(c);
  if (out === undefined || elementCount(out.dims) > LARGEST_FOLDED) return undefined;
  if (constants.some((tensor) => tensor !== undefined && tensor.data.length > LARGEST_FOLDED))
    return undefined;
  const values = constants.map((tensor) => (tensor === undefined ? [] : numbersOf(tensor)));
  const numbers = rule(c, values, out.dims);
  return numbers.length === elementCount(out.dims)
    ? tensorFromNumbers(out.type, out.dims, numbers)
    : undefined;
}
