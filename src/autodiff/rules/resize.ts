import { elementCount, float32Tensor } from '../../tensor';
import { textOf, unsupported, type GraphNode } from '../graph';
import { numbersOf } from '../operands';
import { Value } from '../value';
import { perInput, type GradientRule, type InputGradient } from './rule';

/** Where output position `at` lies among the inputs (ONNX, coordinate_transformation_mode). */
function sourcePosition(node: GraphNode, at: number, from: number, to: number, scale: number): number {
  const mode = textOf(node, 'coordinate_transformation_mode', 'half_pixel');
  switch (mode) {
    case 'half_pixel':
      return (at + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return to > 1 ? (at * (from - 1)) / (to - 1) : 0;
    case 'asymmetric':
      return at / scale;
    default:
      throw unsupported(node, `coordinate_transformation_mode ${mode}`);
  }
}

function nearest(node: GraphNode, position: number): number {
  switch (textOf(node, 'nearest_mode', 'round_prefer_floor')) {
    case 'floor':
      return Math.floor(position);
    case 'ceil':
      return Math.ceil(position);
    case 'round_prefer_ceil':
      return Math.floor(position + 0.5);
    default:
      return Math.ceil(position - 0.5);
  }
}

/** One axis of the resize as a matrix [to, from]: resizing is linear and separable. */
function axisMatrix(node: GraphNode, from: number, to: number, scale: number): Float32Array {
  const mode = textOf(node, 'mode', 'nearest');
  if (mode !== 'nearest' && mode !== 'linear') throw unsupported(node, `mode ${mode}`);
  const matrix = new Float32Array(to * from);
  const put = (row: number, column: number, weight: number): void => {
    const at = row * from + Math.min(Math.max(column, 0), from - 1);
    matrix[at] = matrix[at]! + weight;
  };
  for (let row = 0; row < to; row++) {
    const position = sourcePosition(node, row, from, to, scale);
    if (mode === 'nearest') put(row, nearest(node, position), 1);
    else {
      const floor = Math.floor(position);
      put(row, floor, 1 - (position - floor));
      put(row, floor + 1, position - floor);
    }
  }
  return matrix;
}

/** dX = Ryᵀ · dY · Rx over the last two axes. */
const resize: InputGradient = ({ builder, dy, x, y, node, constant }) => {
  const { dims } = x(0);
  const out = y(0).dims;
  const rank = dims.length;
  const [rowAxis, columnAxis] = [rank - 2, rank - 1];
  if (dims.slice(0, rowAxis).some((dim, axis) => dim !== out[axis]))
    throw unsupported(node, 'only the last two dimensions may change');
  const given = node.inputs[2] ? constant(2) : undefined;
  const scales = given && given.data.length > 0 ? numbersOf(given) : undefined;
  const matrix = (axis: number): Value => {
    const [from, to] = [dims[axis]!, out[axis]!];
    const data = axisMatrix(node, from, to, scales?.[axis] ?? to / from);
    return new Value(builder, builder.constant(float32Tensor([to, from], data)));
  };
  const [height = 1, width = 1] = out.slice(rowAxis);
  const planes = elementCount(out.slice(0, rowAxis));
  const narrow = dy.reshape([planes * height, width]).gemm(matrix(columnAxis));
  const rows = narrow.reshape([planes, height, dims[columnAxis]!]);
  return matrix(rowAxis).transpose([1, 0]).matMul(rows).reshape(dims);
};

/** Gradient of image resizing. */
export const RESIZE: Readonly<Record<string, GradientRule>> = {
  Resize: perInput(resize, null, null, null),
};
