import { elementCount } from '../../tensor';
import { intOf } from '../graph';
import { axesInput, axisOf, epsilonOf } from '../shapes';
import { perInput, sumOver, sumTo, type GradientRule, type RuleContext } from './rule';

/** dx = y ∘ (dy − Σ dy∘y) along the axis. */
const softmax = (c: RuleContext): string => {
  const { b } = c;
  const axis = axisOf(intOf(c.node, 'axis', -1), c.dims(0).length);
  const inner = b.reduceSum(b.mul(c.dy, c.y()), [axis], true);
  return b.mul(c.y(), b.sub(c.dy, inner));
};

/** dx = dy − softmax(x) · Σ dy along the axis. */
const logSoftmax = (c: RuleContext): string => {
  const { b } = c;
  const axis = axisOf(intOf(c.node, 'axis', -1), c.dims(0).length);
  return b.sub(c.dy, b.mul(b.emit('Exp', [c.y()]), b.reduceSum(c.dy, [axis], true)));
};

/** (x − mean) / deviation, from the operator's own further outputs. */
const layerNormalized = (c: RuleContext): string => c.b.mul(c.b.sub(c.x(0), c.y(1)), c.y(2));

const layerAxes = (c: RuleContext): number[] => {
  const rank = c.dims(0).length;
  const axis = axisOf(intOf(c.node, 'axis', -1), rank);
  return Array.from({ length: rank - axis }, (_, i) => axis + i);
};

/** dx = (g − mean g − x̂ · mean(g∘x̂)) / deviation, with g = dy∘scale; means over the normalized axes. */
function normalizedInput(
  c: RuleContext,
  g: string,
  xHat: string,
  inverse: string,
  axes: readonly number[],
): string {
  const { b } = c;
  const centred = b.sub(g, b.reduceMean(g, axes, true));
  const projected = b.mul(xHat, b.reduceMean(b.mul(g, xHat), axes, true));
  return b.mul(b.sub(centred, projected), inverse);
}

const layerNormalization = perInput(
  (c) => normalizedInput(c, c.b.mul(c.dy, c.x(1)), layerNormalized(c), c.y(2), layerAxes(c)),
  (c) => sumTo(c.b, c.b.mul(c.dy, layerNormalized(c)), c.dims(1)),
  (c) => sumTo(c.b, c.dy, c.dims(2)),
);

/** A per-channel vector [C] as [1, C, 1, ...]. */
const perChannel = (c: RuleContext, value: string): string =>
  c.b.reshape(value, [1, c.dims(0)[1]!, ...c.dims(0).slice(2).fill(1)]);

/** Sum over all but the channel axis: [N, C, ...] → [C]; rows are contiguous, so spatial first. */
const channelSum = (c: RuleContext, value: string): string => {
  const [n = 1, channels = 1, ...space] = c.dims(0);
  const rows = c.b.reduceSum(c.b.reshape(value, [n, channels, elementCount(space)]), [2], false);
  return sumOver(c.b, rows, [0]);
};

const inverseDeviation = (c: RuleContext, variance: string): string =>
  c.b.emit('Reciprocal', [c.b.emit('Sqrt', [c.b.shift(variance, epsilonOf(c.node))])]);

/** y = (x − mean) · scale / √(variance + ε) + bias with given statistics (inference form). */
const batchCentred = (c: RuleContext): string => c.b.sub(c.x(0), perChannel(c, c.x(3)));
const batchGain = (c: RuleContext): string => c.b.mul(c.x(1), inverseDeviation(c, c.x(4)));

const batchNormalization = perInput(
  (c) => c.b.mul(c.dy, perChannel(c, batchGain(c))),
  (c) => c.b.mul(channelSum(c, c.b.mul(c.dy, batchCentred(c))), inverseDeviation(c, c.x(4))),
  (c) => channelSum(c, c.dy),
  (c) => c.b.neg(c.b.mul(channelSum(c, c.dy), batchGain(c))),
  (c) => {
    const { b } = c;
    const inverse = inverseDeviation(c, c.x(4));
    const cubed = b.mul(b.mul(batchGain(c), inverse), inverse);
    return b.scale(b.mul(channelSum(c, b.mul(c.dy, batchCentred(c))), cubed), -0.5);
  },
);

function instanceParts(c: RuleContext): { xHat: string; inverse: string; axes: number[] } {
  const { b } = c;
  const axes = [...c.dims(0).keys()].slice(2);
  const centred = b.sub(c.x(0), b.reduceMean(c.x(0), axes, true));
  const inverse = inverseDeviation(c, b.reduceMean(b.mul(centred, centred), axes, true));
  return { xHat: b.mul(centred, inverse), inverse, axes };
}

const instanceNormalization = perInput(
  (c) => {
    const { xHat, inverse, axes } = instanceParts(c);
    return normalizedInput(c, c.b.mul(c.dy, perChannel(c, c.x(1))), xHat, inverse, axes);
  },
  (c) => channelSum(c, c.b.mul(c.dy, instanceParts(c).xHat)),
  (c) => channelSum(c, c.dy),
);

/** Gradient of a reduction's output, with the reduced dimensions put back as 1. */
const unreduced = (c: RuleContext, value: string): string => {
  const dims = c.dims(0);
  const axes = reducedAxes(c);
  return c.b.reshape(
    value,
    dims.map((dim, i) => (axes.includes(i) ? 1 : dim)),
  );
};

const reducedAxes = (c: RuleContext): number[] => {
  const rank = c.dims(0).length;
  return axesInput(c, rank) ?? (intOf(c.node, 'noop_with_empty_axes', 0) ? [] : [...c.dims(0).keys()]);
};

/** The gradient goes to the elements that attain the extremum, shared among ties. */
const reducedExtremum = (attains: 'GreaterOrEqual' | 'LessOrEqual'): GradientRule =>
  perInput((c) => {
    const { b } = c;
    const hit = b.cast(b.emit(attains, [c.x(0), unreduced(c, c.y())]), 'float32');
    const ties = b.reduceSum(hit, reducedAxes(c), true);
    return b.mul(hit, b.div(unreduced(c, c.dy), ties));
  }, null);

/** Gradients of normalizations and reductions. */
export const NORMALIZATION: Readonly<Record<string, GradientRule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LogSoftmax: perInput(logSoftmax),
  ReduceMax: reducedExtremum('GreaterOrEqual'),
  ReduceMean: perInput((c) => {
    const count = elementCount(c.dims(0)) / elementCount(c.b.dims(c.y()));
    return c.b.expand(c.b.scale(unreduced(c, c.dy), 1 / count), c.dims(0));
  }, null),
  ReduceMin: reducedExtremum('LessOrEqual'),
  ReduceSum: perInput((c) => c.b.expand(unreduced(c, c.dy), c.dims(0)), null),
  Softmax: perInput(softmax),
};
