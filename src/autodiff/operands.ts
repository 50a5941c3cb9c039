import type { Tensor } from '../tensor';
import { floatOf, intOf, intsOf, textOf, unsupported, type GraphNode, type ValueType } from './graph';

/** What shape rules and gradient rules may know of a node. */
export interface NodeContext {
  readonly node: GraphNode;
  /** Type of input `i`. */
  readonly type: (i: number) => ValueType;
  /** Value of input `i` where it is a constant of the graph; undefined where it is left out or computed. */
  readonly constant: (i: number) => Tensor | undefined;
}

/** Axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Dimensions two shapes broadcast to (NumPy's rule). @throws RangeError when they do not. */
export function broadcastDims(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new RangeError(`[${a.join(',')}] and [${b.join(',')}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Numbers of a constant tensor (int64 as doubles; ONNX's "to the end" sentinels stay beyond any dimension). */
export function numbersOf(tensor: Tensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/** Numbers of a constant input. @throws BridgeError OperatorUnsupported where the input is computed at run time. */
export function constantNumbers(c: NodeContext, i: number): number[] {
  const tensor = c.constant(i);
  if (tensor === undefined) throw unsupported(c.node, `input ${i} must be constant to know the shape`);
  return numbersOf(tensor);
}

/** Axes of a reduction or squeeze, from its constant input 1; undefined where it has none. */
export function axesInput(c: NodeContext, rank: number): number[] | undefined {
  const given = c.node.inputs[1];
  return given === undefined || given === ''
    ? undefined
    : constantNumbers(c, 1).map((axis) => axisOf(axis, rank));
}

/** Start, end, axis, step per sliced axis, all resolved against the shape (start ≥ 0, count of elements). */
export interface SliceSpan {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Resolves the inputs of `Slice` (starts, ends, axes?, steps?; ONNX 10+). */
export function sliceSpans(c: NodeContext): SliceSpan[] {
  const dims = c.type(0).dims;
  const starts = constantNumbers(c, 1);
  const ends = constantNumbers(c, 2);
  const axes = c.node.inputs[3] ? constantNumbers(c, 3) : [...starts.keys()];
  const steps = c.node.inputs[4] ? constantNumbers(c, 4) : starts.map(() => 1);
  return starts.map((from, i) => {
    const axis = axisOf(axes[i] ?? i, dims.length);
    const dim = dims[axis] ?? 0;
    const step = steps[i] ?? 1;
    const clamp = (v: number, low: number, high: number) =>
      Math.min(Math.max(v < 0 ? v + dim : v, low), high);
    const start = step > 0 ? clamp(from, 0, dim) : clamp(from, 0, dim - 1);
    const end = step > 0 ? clamp(ends[i] ?? 0, 0, dim) : clamp(ends[i] ?? 0, -1, dim - 1);
    return { axis, start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

/** Geometry of a 2-D convolution window, from attributes and kernel shape. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
}

/** Reads the window of Conv or ConvTranspose; `kernel` from the weight's last two dims. */
export function windowOf(node: GraphNode, weightDims: readonly number[]): Window {
  const autoPad = textOf(node, 'auto_pad', 'NOTSET');
  if (weightDims.length !== 4 || (autoPad !== 'NOTSET' && autoPad !== 'VALID'))
    throw unsupported(node, weightDims.length === 4 ? `auto_pad ${autoPad}` : 'only two spatial dimensions');
  const pair = (name: string): [number, number] => {
    const [y = 1, x = 1] = intsOf(node, name) ?? [];
    return [y, x];
  };
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
  return {
    kernel: [weightDims[2] ?? 1, weightDims[3] ?? 1],
    strides: pair('strides'),
    dilations: pair('dilations'),
    pads: [top, left, bottom, right],
    group: intOf(node, 'group', 1),
  };
}

/** Pads of `Pad` for all axes: begins, then ends. */
export function padsOf(c: NodeContext): number[] {
  const rank = c.type(0).dims.length;
  const pads = constantNumbers(c, 1);
  if (!c.node.inputs[3]) return pads;
  const axes = constantNumbers(c, 3).map((axis) => axisOf(axis, rank));
  const full = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    full[axis] = pads[i] ?? 0;
    full[axis + rank] = pads[i + axes.length] ?? 0;
  });
  return full;
}

/** The dimensions `Shape` answers (attributes start and end applied). */
export function shapeSpan(c: NodeContext): readonly number[] {
  const dims = c.type(0).dims;
  return dims.slice(intOf(c.node, 'start', 0), intOf(c.node, 'end', dims.length));
}

/** Epsilon of a normalization. */
export const epsilonOf = (node: GraphNode): number => floatOf(node, 'epsilon', 1e-5);
