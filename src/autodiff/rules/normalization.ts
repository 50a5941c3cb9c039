import { elementCount } from '../../tensor';
import { intOf } from '../graph';
import { axesInput, axisOf, epsilonOf } from '../operands';
import type { Value } from '../value';
import { perInput, type GradientRule, type InputGradient, type RuleContext } from './rule';
import { channelSum } from './sums';

/** The axis of a softmax, counted from the front. */
const softmaxAxis = ({ node, x }: RuleContext): number => axisOf(intOf(node, 'axis', -1), x(0).dims.length);

/** dx = y ∘ (dy − Σ dy∘y) along the axis. */
const softmax: InputGradient = (context) => {
  const { dy } = context;
  const y = context.y(0);
  return y.mul(dy.sub(dy.mul(y).sum([softmaxAxis(context)], { keep: true })));
};

/** dx = dy − softmax(x) · Σ dy along the axis. */
const logSoftmax: InputGradient = (context) => {
  const { dy, y } = context;
  return dy.sub(
    y(0)
      .exp()
      .mul(dy.sum([softmaxAxis(context)], { keep: true })),
  );
};

/**
 * dx = (g − mean g − x̂ · mean(g∘x̂)) / deviation, with g = dy∘scale and x̂ the normalized input; means over the normalized axes.
 * @param inverse 1 / deviation
 */
function normalizedInput(g: Value, xHat: Value, inverse: Value, axes: readonly number[]): Value {
  const centred = g.sub(g.mean(axes, { keep: true }));
  const projected = xHat.mul(g.mul(xHat).mean(axes, { keep: true }));
  return centred.sub(projected).mul(inverse);
}

/** x̂ = (x − mean) / deviation, from the operator's own further outputs. */
const layerNormalized = ({ x, y }: RuleContext): Value => x(0).sub(y(1)).mul(y(2));

const layerAxes = ({ node, x }: RuleContext): number[] => {
  const rank = x(0).dims.length;
  return [...x(0).dims.keys()].slice(axisOf(intOf(node, 'axis', -1), rank));
};

const layerNormalization = perInput(
  (context) => {
    const { dy, x, y } = context;
    return normalizedInput(dy.mul(x(1)), layerNormalized(context), y(2), layerAxes(context));
  },
  (context) => context.dy.mul(layerNormalized(context)),
  ({ dy }) => dy,
);

/** A per-channel vector [C] as [1, C, 1, ...], to go with x. */
const perChannel = ({ x }: RuleContext, vector: Value): Value => {
  const [, channels = 1, ...space] = x(0).dims;
  return vector.reshape([1, channels, ...space.fill(1)]);
};

/** 1 / √(variance + ε) */
const inverseDeviation = ({ node }: RuleContext, variance: Value): Value =>
  variance.add(epsilonOf(node)).sqrt().reciprocal();

// Of y = (x − mean) · scale / √(variance + ε) + bias with given statistics (inference form).
const batchCentred = (context: RuleContext): Value => context.x(0).sub(perChannel(context, context.x(3)));
const batchInverse = (context: RuleContext): Value => inverseDeviation(context, context.x(4));
/** scale / √(variance + ε) */
const batchGain = (context: RuleContext): Value => context.x(1).mul(batchInverse(context));

const batchNormalization = perInput(
  (context) => context.dy.mul(perChannel(context, batchGain(context))),
  (context) => channelSum(context.dy.mul(batchCentred(context))).mul(batchInverse(context)),
  ({ dy }) => channelSum(dy),
  (context) => channelSum(context.dy).mul(batchGain(context)).neg(),
  (context) => {
    // −½ · scale / deviation³ · Σ dy∘(x − mean)
    const inverse = batchInverse(context);
    const cubed = batchGain(context).mul(inverse).mul(inverse);
    return channelSum(context.dy.mul(batchCentred(context)))
      .mul(cubed)
      .mul(-0.5);
  },
);

/** x̂ and 1 / deviation of an instance normalization, over the spatial axes. */
function instanceParts(context: RuleContext): { xHat: Value; inverse: Value; axes: number[] } {
  const x = context.x(0);
  const axes = [...x.dims.keys()].slice(2);
  const centred = x.sub(x.mean(axes, { keep: true }));
  const inverse = inverseDeviation(context, centred.square().mean(axes, { keep: true }));
  return { xHat: centred.mul(inverse), inverse, axes };
}

const instanceNormalization = perInput(
  (context) => {
    const { xHat, inverse, axes } = instanceParts(context);
    return normalizedInput(context.dy.mul(perChannel(context, context.x(1))), xHat, inverse, axes);
  },
  (context) => channelSum(context.dy.mul(instanceParts(context).xHat)),
  ({ dy }) => channelSum(dy),
);

const reducedAxes = (context: RuleContext): number[] => {
  const axes = [...context.x(0).dims.keys()];
  const given = axesInput(context, axes.length);
  return given ?? (intOf(context.node, 'noop_with_empty_axes', 0) ? [] : axes);
};

/** Value of a reduction's shape, with the reduced dimensions put back as 1. */
const unreduced = (context: RuleContext, value: Value): Value => {
  const axes = reducedAxes(context);
  return value.reshape(context.x(0).dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim)));
};

const reducedSum: InputGradient = (context) => unreduced(context, context.dy).expand(context.x(0).dims);

const reducedMean: InputGradient = (context) => {
  const { dy, x, y } = context;
  const share = 1 / (elementCount(x(0).dims) / elementCount(y(0).dims));
  return unreduced(context, dy).mul(share).expand(x(0).dims);
};

/** The gradient goes to the elements that attain the extremum, shared among ties. */
const reducedExtremum =
  (attains: 'greaterOrEqual' | 'lessOrEqual'): InputGradient =>
  (context) => {
    const { dy, x, y } = context;
    const attained = x(0)[attains](unreduced(context, y(0)));
    const hit = attained.cast('float32');
    const ties = hit.sum(reducedAxes(context), { keep: true });
    return hit.mul(unreduced(context, dy).div(ties));
  };

/** Gradients of normalizations and reductions. */
export const NORMALIZATION: Readonly<Record<string, GradientRule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LogSoftmax: perInput(logSoftmax),
  ReduceMax: perInput(reducedExtremum('greaterOrEqual'), null),
  ReduceMean: perInput(reducedMean, null),
  ReduceMin: perInput(reducedExtremum('lessOrEqual'), null),
  ReduceSum: perInput(reducedSum, null),
  Softmax: perInput(softmax),
};
