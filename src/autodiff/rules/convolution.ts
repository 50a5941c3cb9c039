import { elementCount } from '../../tensor';
import type { GraphBuilder } from '../builder';
import { ints, int, intsOf, unsupported, type Attributes } from '../graph';
import { windowOf, type Window } from '../operands';
import { Value } from '../value';
import { perInput, type GradientRule, type InputGradient } from './rule';
import { channelSum, sumOver } from './sums';

/** Kernel as large as its stride, nothing padded: the windows tile the image, and im2col is a mere transpose. */
const tiles = (w: Window, height: number, width: number): boolean =>
  w.kernel.every((size, i) => size === w.strides[i] && w.dilations[i] === 1) &&
  w.pads.every((pad) => pad === 0) &&
  height % w.kernel[0] === 0 &&
  width % w.kernel[1] === 0;

const pointwise = (w: Window): boolean =>
  w.kernel.every((size) => size === 1) &&
  w.strides.every((stride) => stride === 1) &&
  w.pads.every((pad) => pad === 0);

/**
 * The windows of an image as columns: [N, C, H, W] → [N, g, (C/g)·kh·kw, out positions], rows ordered (channel, ky, kx)
 * as in the weight. `out` is the number of window positions, rows × columns.
 */
function columns(builder: GraphBuilder, image: Value, w: Window, out: readonly [number, number]): Value {
  const [n = 1, channels = 1, height = 1, width = 1] = image.dims;
  const [kh, kw] = w.kernel;
  const shape = [n, w.group, (channels / w.group) * kh * kw, out[0] * out[1]];
  if (pointwise(w)) return image.reshape(shape);
  if (tiles(w, height, width)) {
    // Two moves of one axis each: the runtime copies rows for the first and streams the second.
    const rows = image.reshape([n * channels, out[0], kh, out[1] * kw]);
    const byRow = rows.transpose([0, 2, 1, 3]).reshape([n * channels * kh, out[0] * out[1], kw]);
    return byRow.transpose([0, 2, 1]).reshape(shape);
  }
  const [top, left] = w.pads;
  const [strideY, strideX] = w.strides;
  const [dilationY, dilationX] = w.dilations;
  // The last window may end before the image does, or after it: pad to what the windows need.
  const needs = [
    (out[0] - 1) * strideY + (kh - 1) * dilationY + 1,
    (out[1] - 1) * strideX + (kw - 1) * dilationX + 1,
  ] as const;
  const bottom = Math.max(0, needs[0] - height - top);
  const right = Math.max(0, needs[1] - width - left);
  const padded = image.pad([0, 0, top, left, 0, 0, bottom, right]);
  const taps: string[] = [];
  for (let y = 0; y < kh; y++)
    for (let x = 0; x < kw; x++) {
      const rows = padded.slice(2, y * dilationY, out[0], strideY);
      const tap = rows.slice(3, x * dilationX, out[1], strideX);
      taps.push(tap.reshape([n, channels, 1, out[0] * out[1]]).name);
    }
  return new Value(builder, builder.concat(taps, 2)).reshape(shape);
}

/** Σ over images of left·rightᵀ per group: [N, g, A, L], [N, g, B, L] → [g, A, B]. */
function correlate(left: Value, right: Value): Value {
  const [n = 1, g = 1, rowsA = 1, length = 1] = left.dims;
  const rowsB = right.dims[2]!;
  if (g === 1 && n === 1)
    return left
      .reshape([rowsA, length])
      .gemm(right.reshape([rowsB, length]), { transB: true })
      .reshape([1, rowsA, rowsB]);
  return sumOver(left.matMul(right.transpose([0, 1, 3, 2])), [0]);
}

const windowAttributes = (w: Window): Attributes => ({
  kernel_shape: ints(w.kernel),
  strides: ints(w.strides),
  dilations: ints(w.dilations),
  pads: ints(w.pads),
  group: int(w.group),
});

/** dX of Conv: the transposed convolution of dY by the same weight, or one product where the kernel is 1 x 1. */
const convInput: InputGradient = ({ builder, dy, x, y, node }) => {
  const { dims } = x(0);
  const out = y(0).dims.slice(2);
  const weight = x(1);
  const w = windowOf(node, weight.dims);
  const [n = 1] = dims;
  const [co = 1, ci = 1] = weight.dims;
  if (pointwise(w) && w.group === 1) {
    const transposed = weight.reshape([co, ci]).transpose([1, 0]);
    return transposed.matMul(dy.reshape([n, co, elementCount(out)])).reshape(dims);
  }
  const extra = ([0, 1] as const).map((i) => {
    const span = w.strides[i] * (out[i]! - 1) + (w.kernel[i] - 1) * w.dilations[i] + 1;
    return dims[2 + i]! - (span - w.pads[i] - w.pads[i + 2]!);
  });
  const attributes = { ...windowAttributes(w), output_padding: ints(extra) };
  return new Value(builder, builder.emit('ConvTranspose', [dy.name, weight.name], attributes));
};

const convWeight: InputGradient = ({ builder, dy, x, y, node }) => {
  const w = windowOf(node, x(1).dims);
  const [n = 1, co = 1, height = 1, width = 1] = y(0).dims;
  const windows = columns(builder, x(0), w, [height, width]);
  const gradient = dy.reshape([n, w.group, co / w.group, height * width]);
  return correlate(gradient, windows).reshape(x(1).dims);
};

/** The bias is added at every position of every image. */
const channelBias: InputGradient = ({ dy }) => channelSum(dy);

/** dX of ConvTranspose: the convolution of dY by the same weight. */
const transposedInput: InputGradient = ({ builder, dy, x, y, node }) => {
  const weight = x(1);
  const w = windowOf(node, weight.dims);
  if (intsOf(node, 'output_shape')) throw unsupported(node, 'attribute output_shape');
  const [n = 1, ci = 1, height = 1, width = 1] = x(0).dims;
  const [, , outHeight = 1, outWidth = 1] = y(0).dims;
  if (w.group === 1 && tiles(w, outHeight, outWidth)) {
    const windows = columns(builder, dy, w, [height, width]);
    const rows = windows.dims[2]!;
    const product = weight.reshape([ci, rows]).matMul(windows.reshape([n, rows, height * width]));
    return product.reshape(x(0).dims);
  }
  return new Value(builder, builder.emit('Conv', [dy.name, weight.name], windowAttributes(w)));
};

const transposedWeight: InputGradient = ({ builder, dy, x, node }) => {
  const w = windowOf(node, x(1).dims);
  const [n = 1, ci = 1, height = 1, width = 1] = x(0).dims;
  const windows = columns(builder, dy, w, [height, width]);
  const image = x(0).reshape([n, w.group, ci / w.group, height * width]);
  return correlate(image, windows).reshape(x(1).dims);
};

/** Gradients of two-dimensional convolutions: im2col and products, the fast form on every provider. */
export const CONVOLUTION: Readonly<Record<string, GradientRule>> = {
  Conv: perInput(convInput, convWeight, channelBias),
  ConvTranspose: perInput(transposedInput, transposedWeight, channelBias),
};
