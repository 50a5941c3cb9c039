import { elementCount } from '../../tensor';
import { ints, int, intsOf, unsupported, type Attributes } from '../graph';
import { windowOf, type Window } from '../shapes';
import { perInput, sumOver, type GradientRule, type RuleContext } from './rule';

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
function columns(c: RuleContext, image: string, w: Window, out: readonly [number, number]): string {
  const { b } = c;
  const [n = 1, channels = 1, height = 1, width = 1] = b.dims(image);
  const [kh, kw] = w.kernel;
  const shape = [n, w.group, (channels / w.group) * kh * kw, out[0] * out[1]];
  if (pointwise(w)) return b.reshape(image, shape);
  if (tiles(w, height, width)) {
    // Two moves of one axis each: the runtime copies rows for the first and streams the second.
    const rows = b.reshape(image, [n * channels, out[0], kh, out[1] * kw]);
    const byRow = b.reshape(b.transpose(rows, [0, 2, 1, 3]), [n * channels * kh, out[0] * out[1], kw]);
    return b.reshape(b.transpose(byRow, [0, 2, 1]), shape);
  }
  const [top, left] = w.pads;
  const [sy, sx] = w.strides;
  const [dy, dx] = w.dilations;
  // The last window may end before the image does, or after it: pad to what the windows need.
  const needs = [(out[0] - 1) * sy + (kh - 1) * dy + 1, (out[1] - 1) * sx + (kw - 1) * dx + 1] as const;
  const bottom = Math.max(0, needs[0] - height - top);
  const right = Math.max(0, needs[1] - width - left);
  const padded = b.pad(image, [0, 0, top, left, 0, 0, bottom, right]);
  const taps: string[] = [];
  for (let y = 0; y < kh; y++)
    for (let x = 0; x < kw; x++) {
      const rows = b.slice(padded, 2, y * dy, out[0], sy);
      const tap = b.slice(rows, 3, x * dx, out[1], sx);
      taps.push(b.reshape(tap, [n, channels, 1, out[0] * out[1]]));
    }
  return b.reshape(b.concat(taps, 2), shape);
}

/** Σ over images of left·rightᵀ per group: [N, g, A, L], [N, g, B, L] → [g, A, B]. */
function correlate(c: RuleContext, left: string, right: string): string {
  const { b } = c;
  const [n = 1, g = 1, rowsA = 1, length = 1] = b.dims(left);
  const rowsB = b.dims(right)[2]!;
  if (g === 1 && n === 1)
    return b.reshape(
      b.gemm(b.reshape(left, [rowsA, length]), b.reshape(right, [rowsB, length]), false, true),
      [1, rowsA, rowsB],
    );
  return sumOver(b, b.matMul(left, b.transpose(right, [0, 1, 3, 2])), [0]);
}

const windowAttributes = (w: Window, pads: readonly number[] = w.pads): Attributes => ({
  kernel_shape: ints(w.kernel),
  strides: ints(w.strides),
  dilations: ints(w.dilations),
  pads: ints(pads),
  group: int(w.group),
});

/** dX of Conv: the transposed convolution of dY by the same weight, or one product where the kernel is 1 x 1. */
const convInput = (c: RuleContext): string => {
  const { b } = c;
  const w = windowOf(c.node, c.dims(1));
  const dims = c.dims(0);
  const out = b.dims(c.y()).slice(2);
  const [co = 1, ci = 1] = c.dims(1);
  if (pointwise(w) && w.group === 1) {
    const n = dims[0]!;
    const weight = b.transpose(b.reshape(c.x(1), [co, ci]), [1, 0]);
    return b.reshape(b.matMul(weight, b.reshape(c.dy, [n, co, elementCount(out)])), dims);
  }
  const extra = ([0, 1] as const).map((i) => {
    const span = w.strides[i] * (out[i]! - 1) + (w.kernel[i] - 1) * w.dilations[i] + 1;
    return dims[2 + i]! - (span - w.pads[i] - w.pads[i + 2]!);
  });
  return b.emit('ConvTranspose', [c.dy, c.x(1)], {
    ...windowAttributes(w),
    output_padding: ints(extra),
  });
};

const convWeight = (c: RuleContext): string => {
  const { b } = c;
  const w = windowOf(c.node, c.dims(1));
  const [n = 1, co = 1, height = 1, width = 1] = b.dims(c.y());
  const windows = columns(c, c.x(0), w, [height, width]);
  const gradient = b.reshape(c.dy, [n, w.group, co / w.group, height * width]);
  return b.reshape(correlate(c, gradient, windows), c.dims(1));
};

/** Sum over images and positions: rows are contiguous, so positions first. */
const channelBias = (c: RuleContext): string => {
  const [n = 1, channels = 1, ...space] = c.b.dims(c.y());
  const rows = c.b.reduceSum(c.b.reshape(c.dy, [n, channels, elementCount(space)]), [2], false);
  return sumOver(c.b, rows, [0]);
};

/** dX of ConvTranspose: the convolution of dY by the same weight. */
const transposedInput = (c: RuleContext): string => {
  const { b } = c;
  const w = windowOf(c.node, c.dims(1));
  if (intsOf(c.node, 'output_shape')) throw unsupported(c.node, 'attribute output_shape');
  const [n = 1, ci = 1, height = 1, width = 1] = c.dims(0);
  const [, , outHeight = 1, outWidth = 1] = b.dims(c.y());
  if (w.group === 1 && tiles(w, outHeight, outWidth)) {
    const windows = columns(c, c.dy, w, [height, width]);
    const rows = b.dims(windows)[2]!;
    const weight = b.reshape(c.x(1), [ci, rows]);
    return b.reshape(b.matMul(weight, b.reshape(windows, [n, rows, height * width])), c.dims(0));
  }
  return b.emit('Conv', [c.dy, c.x(1)], windowAttributes(w));
};

const transposedWeight = (c: RuleContext): string => {
  const { b } = c;
  const w = windowOf(c.node, c.dims(1));
  const [n = 1, ci = 1, height = 1, width = 1] = c.dims(0);
  const windows = columns(c, c.dy, w, [height, width]);
  const image = b.reshape(c.x(0), [n, w.group, ci / w.group, height * width]);
  return b.reshape(correlate(c, image, windows), c.dims(1));
};

/** Gradients of two-dimensional convolutions: im2col and products, the fast form on every provider. */
export const CONVOLUTION: Readonly<Record<string, GradientRule>> = {
  Conv: perInput(convInput, convWeight, channelBias),
  ConvTranspose: perInput(transposedInput, transposedWeight, channelBias),
};
