import { elementCount } from '../tensor';
import { intOf, intsOf, unsupported, type ValueType } from './graph';
import { elementType } from './onnxCodec';
import {
  axesInput,
  axisOf,
  broadcastDims,
  constantNumbers,
  padsOf,
  shapeSpan,
  sliceSpans,
  windowOf,
  type NodeContext,
} from './operands';

/** Types of a node's outputs. */
type ShapeRule = (c: NodeContext) => ValueType[];

const like: ShapeRule = (c) => [c.type(0)];
const broadcast: ShapeRule = (c) => [
  {
    type: c.type(0).type,
    dims: c.node.inputs.map((_, i) => c.type(i).dims).reduce(broadcastDims),
  },
];
const comparison: ShapeRule = (c) => [{ type: 'bool', dims: broadcastDims(c.type(0).dims, c.type(1).dims) }];

const reduce: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const axes =
    axesInput(c, dims.length) ?? (intOf(c.node, 'noop_with_empty_axes', 0) ? [] : [...dims.keys()]);
  const keep = intOf(c.node, 'keepdims', 1) === 1;
  return [{ type, dims: dims.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim])) }];
};

const convolution: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const weight = c.type(1).dims;
  const w = windowOf(c.node, weight);
  const out = ([0, 1] as const).map((i) => {
    const span = (w.kernel[i] - 1) * w.dilations[i] + 1;
    return Math.floor(((dims[2 + i] ?? 0) + w.pads[i] + w.pads[i + 2]! - span) / w.strides[i]) + 1;
  });
  return [{ type, dims: [dims[0] ?? 1, weight[0] ?? 1, ...out] }];
};

const transposedConvolution: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const weight = c.type(1).dims;
  const w = windowOf(c.node, weight);
  if (intsOf(c.node, 'output_shape')) throw unsupported(c.node, 'attribute output_shape');
  const extra = intsOf(c.node, 'output_padding') ?? [0, 0];
  const out = ([0, 1] as const).map(
    (i) =>
      w.strides[i] * ((dims[2 + i] ?? 0) - 1) +
      (extra[i] ?? 0) +
      (w.kernel[i] - 1) * w.dilations[i] +
      1 -
      w.pads[i] -
      w.pads[i + 2]!,
  );
  return [{ type, dims: [dims[0] ?? 1, (weight[1] ?? 1) * w.group, ...out] }];
};

const matMul: ShapeRule = (c) => {
  const { type, dims: a } = c.type(0);
  const b = c.type(1).dims;
  if (a.length < 2 || b.length < 2) throw unsupported(c.node, 'operands need at least two dimensions');
  if (a.at(-1) !== b.at(-2)) throw unsupported(c.node, `[${a.join(',')}] x [${b.join(',')}] do not fit`);
  return [{ type, dims: [...broadcastDims(a.slice(0, -2), b.slice(0, -2)), a.at(-2)!, b.at(-1)!] }];
};

const reshape: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const wanted = constantNumbers(c, 1);
  const allowZero = intOf(c.node, 'allowzero', 0) === 1;
  const filled = wanted.map((dim, i) => (dim === 0 && !allowZero ? (dims[i] ?? 0) : dim));
  const known = filled.filter((dim) => dim !== -1).reduce((p, d) => p * d, 1);
  return [{ type, dims: filled.map((dim) => (dim === -1 ? elementCount(dims) / known : dim)) }];
};

const resize: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  if (intsOf(c.node, 'axes')) throw unsupported(c.node, 'attribute axes');
  if (c.node.inputs[3]) return [{ type, dims: constantNumbers(c, 3) }];
  const scales = constantNumbers(c, 2);
  return [{ type, dims: dims.map((dim, i) => Math.floor(dim * (scales[i] ?? 1))) }];
};

const split: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
  const count = c.node.outputs.length;
  const size = Math.ceil((dims[axis] ?? 0) / count);
  const sizes = c.node.inputs[1]
    ? constantNumbers(c, 1)
    : Array.from({ length: count }, (_, i) => Math.min(size, (dims[axis] ?? 0) - i * size));
  return sizes.map((part) => ({ type, dims: dims.with(axis, part) }));
};

const layerNormalization: ShapeRule = (c) => {
  const { type, dims } = c.type(0);
  const axis = axisOf(intOf(c.node, 'axis', -1), dims.length);
  const reduced = { type: 'float32' as const, dims: dims.map((dim, i) => (i >= axis ? 1 : dim)) };
  return [{ type, dims }, reduced, reduced].slice(0, c.node.outputs.length);
};

const argMax: ShapeRule = (c) => {
  const dims = c.type(0).dims;
  const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
  return [
    {
      type: 'int64',
      dims: intOf(c.node, 'keepdims', 1) ? dims.with(axis, 1) : dims.toSpliced(axis, 1),
    },
  ];
};

/** Output types of every operator this project reads or writes (ONNX opset 20 forms); one entry per operator. */
export const SHAPE_RULES: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(
    // prettier-ignore
    ['Abs', 'BatchNormalization', 'Ceil', 'Clip', 'Cos', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity',
     'InstanceNormalization', 'LeakyRelu', 'Log', 'LogSoftmax', 'Neg', 'Not', 'Reciprocal', 'Relu', 'Round',
     'Sigmoid', 'Sign', 'Sin', 'Softmax', 'Softplus', 'Sqrt', 'Tanh'].map((op) => [op, like]),
  ),
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum', 'Mod'].map((op) => [op, broadcast]),
  ),
  ...Object.fromEntries(
    ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or'].map((op) => [op, comparison]),
  ),
  ...Object.fromEntries(
    ['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum'].map((op) => [op, reduce]),
  ),
  ArgMax: argMax,
  Cast: (c) => [{ type: elementType(intOf(c.node, 'to', 1), c.node.name), dims: c.type(0).dims }],
  Concat: (c) => {
    const { type, dims } = c.type(0);
    const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
    const total = c.node.inputs.reduce((sum, _, i) => sum + (c.type(i).dims[axis] ?? 0), 0);
    return [{ type, dims: dims.with(axis, total) }];
  },
  ConstantOfShape: (c) => {
    const value = c.node.attributes['value'];
    return [{ type: value?.kind === 'tensor' ? value.value.type : 'float32', dims: constantNumbers(c, 0) }];
  },
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Expand: (c) => [{ type: c.type(0).type, dims: broadcastDims(c.type(0).dims, constantNumbers(c, 1)) }],
  Flatten: (c) => {
    const { type, dims } = c.type(0);
    const axis = axisOf(intOf(c.node, 'axis', 1), dims.length);
    return [{ type, dims: [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))] }];
  },
  Gather: (c) => {
    const { type, dims } = c.type(0);
    const axis = axisOf(intOf(c.node, 'axis', 0), dims.length);
    return [{ type, dims: dims.toSpliced(axis, 1, ...c.type(1).dims) }];
  },
  GatherElements: (c) => [{ type: c.type(0).type, dims: c.type(1).dims }],
  Gemm: (c) => {
    const a = c.type(0).dims;
    const b = c.type(1).dims;
    const rows = a[intOf(c.node, 'transA', 0)] ?? 0;
    const columns = b[1 - intOf(c.node, 'transB', 0)] ?? 0;
    return [{ type: c.type(0).type, dims: [rows, columns] }];
  },
  LayerNormalization: layerNormalization,
  MatMul: matMul,
  OneHot: (c) => {
    const dims = c.type(0).dims;
    const axis = axisOf(intOf(c.node, 'axis', -1), dims.length + 1);
    const [depth = 0] = constantNumbers(c, 1);
    return [{ type: c.type(2).type, dims: dims.toSpliced(axis, 0, depth) }];
  },
  Pad: (c) => {
    const { type, dims } = c.type(0);
    const pads = padsOf(c);
    return [{ type, dims: dims.map((dim, i) => dim + pads[i]! + pads[i + dims.length]!) }];
  },
  Range: (c) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => constantNumbers(c, i)[0] ?? 0);
    return [{ type: c.type(0).type, dims: [Math.max(0, Math.ceil((limit! - start!) / delta!))] }];
  },
  Reshape: reshape,
  Resize: resize,
  Shape: (c) => [{ type: 'int64', dims: [shapeSpan(c).length] }],
  Slice: (c) => {
    const { type, dims } = c.type(0);
    return [{ type, dims: sliceSpans(c).reduce((out, span) => out.with(span.axis, span.count), [...dims]) }];
  },
  Split: split,
  Squeeze: (c) => {
    const { type, dims } = c.type(0);
    const axes = axesInput(c, dims.length);
    return [{ type, dims: dims.filter((dim, i) => (axes ? !axes.includes(i) : dim !== 1)) }];
  },
  Tile: (c) => {
    const repeats = constantNumbers(c, 1);
    return [{ type: c.type(0).type, dims: c.type(0).dims.map((dim, i) => dim * (repeats[i] ?? 1)) }];
  },
  Transpose: (c) => {
    const { type, dims } = c.type(0);
    const perm = intsOf(c.node, 'perm') ?? [...dims.keys()].reverse();
    return [{ type, dims: perm.map((i) => dims[i] ?? 1) }];
  },
  Unsqueeze: (c) => {
    const { type, dims } = c.type(0);
    const given = constantNumbers(c, 1);
    const rank = dims.length + given.length;
    const axes = given.map((axis) => axisOf(axis, rank));
    const rest = [...dims];
    const out = Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!));
    return [{ type, dims: out }];
  },
  Where: (c) => [
    {
      type: c.type(1).type,
      dims: [c.type(1).dims, c.type(2).dims].reduce(broadcastDims, [...c.type(0).dims]),
    },
  ],
};

/** Output types of a node. @throws BridgeError OperatorUnsupported for an operator without a shape rule or a shape
 *  that only run time knows. */
export function inferTypes(c: NodeContext): ValueType[] {
  const rule = c.node.domain === '' ? SHAPE_RULES[c.node.op] : undefined;
  if (rule === undefined) throw unsupported(c.node, 'not a known operator');
  try {
    return rule(c);
  } catch (error) {
    if (error instanceof RangeError) throw unsupported(c.node, error.message);
    throw error;
  }
}
