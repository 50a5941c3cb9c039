import { int, float, ints, text, type Attributes } from '../../src/autodiff/graph';

/** A float32 input of distinct values spread over [low, high], to be differentiated by. */
export interface Spread {
  readonly dims: readonly number[];
  readonly low?: number;
  readonly high?: number;
}

/** An input without gradient: constant (a number list) unless `computed`, then fed at run time. */
export interface Fixed {
  readonly type: 'int64' | 'bool' | 'float32';
  readonly dims: readonly number[];
  readonly values: readonly number[];
  readonly computed?: boolean;
}

export interface RuleCase {
  readonly op: string;
  readonly what: string;
  readonly inputs: readonly (Spread | Fixed | null)[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

const f = (dims: readonly number[], low = -1, high = 1): Spread => ({ dims, low, high });
const i64 = (...values: number[]): Fixed => ({ type: 'int64', dims: [values.length], values });
const index = (dims: number[], values: number[], computed = false): Fixed => ({
  type: 'int64',
  dims,
  values,
  computed,
});
const sizes = (...values: number[]): Fixed => ({ type: 'float32', dims: [values.length], values });

const unary = (op: string, low = -2, high = 2, attributes: Attributes = {}, what = ''): RuleCase => ({
  op,
  what,
  inputs: [f([4, 6], low, high)],
  attributes,
});
const rule = (
  op: string,
  what: string,
  inputs: readonly (Spread | Fixed | null)[],
  attributes: Attributes = {},
  outputs = 1,
): RuleCase => ({ op, what, inputs, attributes, outputs });

const conv = (what: string, image: number[], weight: number[], attributes: Attributes = {}): RuleCase =>
  rule('Conv', what, [f(image), f(weight), f([weight[0]!])], attributes);
const convTranspose = (
  what: string,
  image: number[],
  weight: number[],
  group = 1,
  attributes: Attributes = {},
): RuleCase =>
  rule('ConvTranspose', what, [f(image), f(weight), f([weight[1]! * group])], {
    ...attributes,
    group: int(group),
  });
const resize = (what: string, to: number[], attributes: Attributes): RuleCase =>
  rule('Resize', what, [f([1, 2, 4, 3]), null, null, i64(1, 2, ...to)], attributes);

/** One or more cases for every operator that has a rule or another form; each input of each case is differentiated. */
export const RULE_CASES: readonly RuleCase[] = [
  unary('Abs'),
  rule('Add', 'same shape', [f([3, 4]), f([3, 4])]),
  rule('Add', 'row, column', [f([1, 4]), f([3, 1])]),
  rule('Add', 'long bias: two-stage sum', [f([512, 2], -0.1, 0.1), f([2])]),
  rule('BatchNormalization', '', [f([2, 3, 2, 2]), f([3]), f([3]), f([3]), f([3], 0.5, 2)], {
    epsilon: float(1e-3),
  }),
  rule('Cast', 'to float32', [f([3, 4])], { to: int(1) }),
  rule('Clip', 'both bounds', [f([4, 6], -2, 2), f([], -1.01, -1.01), f([], 0.82, 0.82)]),
  rule('Clip', 'upper bound only', [f([4, 6], -2, 2), null, f([], 0.82, 0.82)]),
  rule('Concat', 'axis 1', [f([2, 1, 2]), f([2, 3, 2])], { axis: int(1) }),
  rule('Concat', 'axis -1', [f([2, 1]), f([2, 3]), f([2, 2])], { axis: int(-1) }),
  conv('1x1', [1, 3, 2, 3], [4, 3, 1, 1]),
  conv('1x1, batch of 2', [2, 3, 2, 3], [4, 3, 1, 1]),
  conv('2x2 stride 2 (tiling)', [1, 2, 4, 4], [3, 2, 2, 2], { strides: ints([2, 2]) }),
  conv('2x2 stride 2, uneven image', [1, 2, 5, 4], [3, 2, 2, 2], { strides: ints([2, 2]) }),
  conv('3x3 padded', [1, 2, 4, 3], [2, 2, 3, 3], { pads: ints([1, 1, 1, 1]) }),
  conv('3x3 stride 2, batch of 2', [2, 2, 5, 4], [2, 2, 3, 3], {
    pads: ints([1, 1, 1, 1]),
    strides: ints([2, 2]),
  }),
  conv('3x3 dilated, uneven pads', [1, 1, 5, 6], [2, 1, 3, 3], {
    pads: ints([2, 1, 1, 2]),
    dilations: ints([2, 2]),
  }),
  conv('two groups', [1, 4, 3, 3], [2, 2, 3, 3], { pads: ints([1, 1, 1, 1]), group: int(2) }),
  conv('depthwise', [2, 3, 3, 3], [3, 1, 3, 3], { pads: ints([1, 1, 1, 1]), group: int(3) }),
  convTranspose('2x2 stride 2 (tiling)', [1, 3, 2, 2], [3, 2, 2, 2], 1, { strides: ints([2, 2]) }),
  convTranspose('2x2 stride 2, batch of 2', [2, 2, 2, 3], [2, 3, 2, 2], 1, { strides: ints([2, 2]) }),
  convTranspose('3x3 stride 2, padded, output padding', [1, 2, 3, 2], [2, 2, 3, 3], 1, {
    strides: ints([2, 2]),
    pads: ints([1, 1, 1, 1]),
    output_padding: ints([1, 1]),
  }),
  convTranspose('3x3, two groups', [1, 4, 3, 2], [4, 1, 3, 3], 2),
  unary('Cos'),
  rule('Div', 'broadcast', [f([3, 4]), f([4], 0.5, 2)]),
  unary('Erf'),
  unary('Exp', -1, 1),
  rule('Expand', 'new and widened axes', [f([3, 1]), i64(2, 3, 4)]),
  rule('Flatten', '', [f([2, 3, 2])], { axis: int(2) }),
  rule('Gather', 'constant run on axis 1', [f([2, 5, 2]), index([2], [1, 2])], { axis: int(1) }),
  rule('Gather', 'scalar index', [f([2, 5]), index([], [-1])], { axis: int(1) }),
  rule('Gather', 'repeated constant indices, axis 0', [f([4, 3]), index([2, 2], [3, 0, 3, -1])]),
  rule('Gather', 'computed indices on axis 1', [f([2, 4, 3]), index([3], [2, -4, 2], true)], {
    axis: int(1),
  }),
  unary('Gelu', -3, 3, {}, 'exact'),
  unary('Gelu', -3, 3, { approximate: text('tanh') }, 'tanh'),
  rule('Gemm', 'plain', [f([3, 4]), f([4, 2]), f([2])]),
  rule('Gemm', 'A transposed, alpha, beta', [f([4, 3]), f([4, 2]), f([3, 1])], {
    transA: int(1),
    alpha: float(0.5),
    beta: float(2),
  }),
  rule('Gemm', 'B transposed', [f([3, 4]), f([2, 4]), f([3, 2])], { transB: int(1) }),
  rule('Gemm', 'both transposed', [f([4, 3]), f([2, 4])], { transA: int(1), transB: int(1) }),
  unary('HardSigmoid', -4, 4),
  unary('HardSwish', -5, 5),
  rule('Identity', '', [f([3, 2])]),
  rule('InstanceNormalization', '', [f([2, 3, 2, 3]), f([3]), f([3])], { epsilon: float(1e-3) }),
  rule('LayerNormalization', 'last axis', [f([3, 2, 5]), f([5]), f([5])], { epsilon: float(1e-3) }),
  rule('LayerNormalization', 'last two axes, no bias', [f([3, 2, 4]), f([2, 4])], { axis: int(-2) }),
  unary('LeakyRelu', -2, 2, { alpha: float(0.2) }),
  unary('Log', 0.3, 2),
  rule('LogSoftmax', '', [f([3, 5], -2, 2)]),
  rule('MatMul', 'shared weight', [f([2, 3, 4]), f([4, 2])]),
  rule('MatMul', 'batched', [f([2, 3, 4]), f([2, 4, 2])]),
  rule('MatMul', 'broadcast batches', [f([2, 1, 3, 2]), f([3, 2, 2])]),
  rule('MatMul', 'left matrix shared', [f([3, 4]), f([2, 4, 2])]),
  rule('Max', 'broadcast', [f([3, 4], -1.01, 1), f([4], -0.92, 1.1)]),
  rule('Max', 'three', [f([3, 2]), f([3, 2], -1.1, 0.9), f([3, 2], -1.24, 1.3)]),
  rule('Min', '', [f([3, 4], -1.01, 1), f([4], -0.92, 1.1)]),
  rule('Mul', 'broadcast', [f([2, 3, 4]), f([3, 1])]),
  unary('Neg'),
  rule('Pad', 'zeros', [f([2, 3]), i64(1, 0, 0, 2)]),
  rule('Pad', 'chosen axes', [f([2, 3]), i64(1, 2), null, i64(1)]),
  rule('Pow', 'square', [f([3, 4]), { type: 'float32', dims: [], values: [2] }]),
  rule('Pow', 'cube', [f([3, 4]), { type: 'float32', dims: [], values: [3] }]),
  rule('Pow', 'by exponent too', [f([3, 4], 0.4, 2), f([4], -1, 2)]),
  unary('Reciprocal', 0.5, 2),
  rule('ReduceMax', '', [f([3, 4, 2]), i64(1)], { keepdims: int(0) }),
  rule('ReduceMean', 'two axes', [f([3, 4, 2]), i64(-1, 0)], { keepdims: int(0) }),
  rule('ReduceMean', 'all', [f([3, 4])], { keepdims: int(1) }),
  rule('ReduceMin', '', [f([3, 4, 2]), i64(1, 2)]),
  rule('ReduceSum', 'kept', [f([3, 4, 2]), i64(1)]),
  rule('ReduceSum', 'all', [f([3, 4])], { keepdims: int(0) }),
  unary('Relu'),
  rule('Reshape', '', [f([2, 6]), i64(0, -1, 2)]),
  resize('linear, half pixel', [8, 6], { mode: text('linear') }),
  resize('linear, align corners', [7, 5], {
    mode: text('linear'),
    coordinate_transformation_mode: text('align_corners'),
  }),
  resize('linear, smaller', [3, 2], {
    mode: text('linear'),
    coordinate_transformation_mode: text('pytorch_half_pixel'),
  }),
  resize('nearest, asymmetric floor', [8, 7], {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  }),
  resize('nearest, half pixel', [6, 5], { mode: text('nearest') }),
  rule('Resize', 'by scales', [f([1, 2, 3, 2]), null, sizes(1, 1, 2, 2)], { mode: text('linear') }),
  unary('Sigmoid'),
  unary('Sin'),
  rule('Slice', 'one axis', [f([3, 5]), i64(1), i64(4), i64(1)]),
  rule('Slice', 'strided, from the end', [f([7, 2]), i64(-6), i64(100), i64(0), i64(2)]),
  rule('Slice', 'backwards', [f([2, 6]), i64(-1), i64(-100), i64(1), i64(-2)]),
  rule('Slice', 'two axes', [f([4, 5]), i64(1, 0), i64(3, 4)]),
  rule('Softmax', 'last axis', [f([3, 5], -2, 2)]),
  rule('Softmax', 'axis 1', [f([2, 3, 2], -2, 2)], { axis: int(1) }),
  unary('Softplus'),
  rule('Split', 'by sizes', [f([2, 5]), i64(2, 3)], { axis: int(1) }, 2),
  rule('Split', 'in equal parts', [f([6, 2])], { num_outputs: int(3) }, 3),
  unary('Sqrt', 0.3, 2),
  rule('Squeeze', '', [f([1, 3, 1, 2]), i64(0)]),
  rule('Sub', 'broadcast', [f([3, 1]), f([2, 1, 4])]),
  rule('Sum', 'three, broadcast', [f([3, 4]), f([4]), f([1, 1])]),
  unary('Tanh'),
  rule('Tile', '', [f([2, 3]), i64(2, 3)]),
  rule('Transpose', 'permuted', [f([2, 3, 4])], { perm: ints([2, 0, 1]) }),
  rule('Transpose', 'reversed', [f([2, 3, 2])]),
  rule('Unsqueeze', '', [f([3, 2]), i64(0, -1)]),
  rule('Where', 'broadcast', [
    { type: 'bool', dims: [3, 1], values: [1, 0, 1], computed: true },
    f([3, 4]),
    f([4]),
  ]),
];
