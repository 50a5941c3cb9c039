import { floatOf, intOf, unsupported } from '../graph';
import { numbersOf } from '../operands';
import type { Operand, Value } from '../value';
import { forEveryInput, perInput, type GradientRule, type InputGradient, type RuleContext } from './rule';

/** Slope of erf at 0. */
const ERF_SLOPE = 2 / Math.sqrt(Math.PI);
const THIRD = 1 / 3;

/** Rule of y = f(x): dx = dy · f'(x). */
const unary = (derivative: (context: RuleContext) => Value): GradientRule =>
  perInput((context) => context.dy.mul(derivative(context)));

type Comparison = 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual';

/** 1 where a comparison holds, else 0, as float32. */
const indicator = (a: Value, comparison: Comparison, b: Operand): Value => a[comparison](b).cast('float32');

/** The gradient goes to the inputs that attain the extremum, shared among ties. */
const extremum = (attains: 'greaterOrEqual' | 'lessOrEqual'): GradientRule =>
  forEveryInput(({ dy, x, y, node }, input) => {
    const hits = node.inputs.map((_, i) => indicator(x(i), attains, y(0)));
    const ties = hits.reduce((sum, hit) => sum.add(hit));
    return dy.mul(hits[input]!).div(ties);
  });

/** dy · p · x^(p−1); exact and cheap for the exponent 2. */
const powBase: InputGradient = ({ dy, x, constant }) => {
  const exponent = constant(1);
  const [known] = exponent?.data.length === 1 ? numbersOf(exponent) : [];
  if (known === 2) return dy.mul(x(0)).mul(2);
  const p = x(1).cast('float32');
  const lower = x(0).pow(p.add(-1));
  return dy.mul(p.mul(lower));
};

/** dy · y · log x, where x > 0; 0 elsewhere. */
const powExponent: InputGradient = ({ dy, x, y }) => {
  const safe = x(0).greater(0).where(x(0), 1);
  return dy.mul(y(0).mul(safe.log()));
};

/** Passes where x lies within the bounds that are given. */
const clipped: InputGradient = ({ dy, x, node }) =>
  (['greaterOrEqual', 'lessOrEqual'] as const).reduce(
    (gradient, comparison, i) =>
      node.inputs[i + 1] ? gradient.mul(indicator(x(0), comparison, x(i + 1))) : gradient,
    dy,
  );

/** A bound gets the gradients of all elements that lie beyond it. */
const clipBound =
  (beyond: 'less' | 'greater'): InputGradient =>
  ({ dy, x }, input) =>
    dy
      .mul(indicator(x(0), beyond, x(input)))
      .total()
      .reshape(x(input).dims);

const cast: InputGradient = ({ dy, x, node }) => {
  if (intOf(node, 'to', 1) !== 1) throw unsupported(node, 'only casts to float32 have a gradient');
  return dy.cast(x(0).type);
};

/** erf'(x) = 2/√π · e^(−x²) */
const erf = unary(({ x }) => x(0).square().neg().exp().mul(ERF_SLOPE));

/** α where 0 < y < 1. */
const hardSigmoid = unary(({ y, node }) => {
  const inside = indicator(y(0), 'greater', 0).mul(indicator(y(0), 'less', 1));
  return inside.mul(floatOf(node, 'alpha', 0.2));
});

/** 0 up to −3, x/3 + ½ up to 3, 1 above. */
const hardSwish = unary(({ x }) => {
  const above = indicator(x(0), 'greater', 3);
  const inside = indicator(x(0), 'greater', -3).mul(indicator(x(0), 'lessOrEqual', 3));
  return above.add(inside.mul(x(0).mul(THIRD).add(0.5)));
});

/** dy where x > 0, else α · dy. */
const leakyRelu: InputGradient = ({ dy, x, node }) => {
  const positive = x(0).greater(0);
  return positive.where(dy, dy.mul(floatOf(node, 'alpha', 0.01)));
};

/** Gradients of operators that work element by element; what was broadcast is summed back by the walk. */
export const ELEMENTWISE: Readonly<Record<string, GradientRule>> = {
  Abs: unary(({ x }) => indicator(x(0), 'greater', 0).sub(indicator(x(0), 'less', 0))),
  Add: perInput(
    ({ dy }) => dy,
    ({ dy }) => dy,
  ),
  Cast: perInput(cast),
  Clip: perInput(clipped, clipBound('less'), clipBound('greater')),
  Cos: unary(({ x }) => x(0).sin().neg()),
  Div: perInput(
    ({ dy, x }) => dy.div(x(1)),
    ({ dy, x, y }) => dy.mul(y(0)).div(x(1)).neg(),
  ),
  Erf: erf,
  Exp: unary(({ y }) => y(0)),
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Identity: perInput(({ dy }) => dy),
  LeakyRelu: perInput(leakyRelu),
  Log: perInput(({ dy, x }) => dy.div(x(0))),
  Max: extremum('greaterOrEqual'),
  Min: extremum('lessOrEqual'),
  Mul: perInput(
    ({ dy, x }) => dy.mul(x(1)),
    ({ dy, x }) => dy.mul(x(0)),
  ),
  Neg: perInput(({ dy }) => dy.neg()),
  Pow: perInput(powBase, powExponent),
  Reciprocal: unary(({ y }) => y(0).square().neg()),
  Relu: unary(({ x }) => indicator(x(0), 'greater', 0)),
  Sigmoid: unary(({ y }) => y(0).mul(y(0).oneMinus())),
  Sin: unary(({ x }) => x(0).cos()),
  Softplus: unary(({ x }) => x(0).sigmoid()),
  Sqrt: perInput(({ dy, y }) => dy.mul(0.5).div(y(0))),
  Sub: perInput(
    ({ dy }) => dy,
    ({ dy }) => dy.neg(),
  ),
  Sum: forEveryInput(({ dy }) => dy),
  Tanh: unary(({ y }) => y(0).square().oneMinus()),
  Where: perInput(
    null,
    ({ dy, x }) => x(0).where(dy, 0),
    ({ dy, x }) => x(0).where(0, dy),
  ),
};
