import { floatOf, intOf, unsupported } from '../graph';
import { numbersOf } from '../shapes';
import { broadcasting, forEveryInput, perInput, type GradientRule, type RuleContext } from './rule';

/** Rule of y = f(x): dx = dy · f'(x). */
const unary = (derivative: (c: RuleContext) => string): GradientRule =>
  perInput((c) => c.b.mul(c.dy, derivative(c)));

/** 1 where the condition holds, else 0, as float32. */
const indicator = (c: RuleContext, op: string, a: string, b: string): string =>
  c.b.cast(c.b.emit(op, [a, b]), c.b.typeOf(c.x(0)).type);

const square = (c: RuleContext, a: string): string => c.b.mul(a, a);

/** Extremum of several inputs: the gradient goes to the inputs that attain it, shared among ties. */
const extremum = (attains: 'GreaterOrEqual' | 'LessOrEqual'): GradientRule =>
  forEveryInput(
    broadcasting((c, i) => {
      const { b } = c;
      const hit = (k: number): string => indicator(c, attains, c.x(k), c.y());
      const ties = c.node.inputs.map((_, k) => hit(k)).reduce((sum, k) => b.add(sum, k));
      return b.div(b.mul(c.dy, hit(i)), ties);
    }),
  );

/** dy · p · x^(p−1); exact and cheap for the exponent 2. */
function powBase(c: RuleContext): string {
  const { b } = c;
  const exponent = c.constant(1);
  const [p = 0] = exponent?.data.length === 1 ? numbersOf(exponent) : [];
  if (p === 2) return b.scale(b.mul(c.dy, c.x(0)), 2);
  const lower = b.emit('Pow', [c.x(0), b.shift(b.cast(c.x(1), 'float32'), -1)]);
  return b.mul(c.dy, b.mul(b.cast(c.x(1), 'float32'), lower));
}

/** dy · y · log x, where x > 0; 0 elsewhere. */
function powExponent(c: RuleContext): string {
  const { b } = c;
  const positive = b.emit('Greater', [c.x(0), b.scalar(0)]);
  const safe = b.where(positive, c.x(0), b.scalar(1));
  return b.mul(c.dy, b.mul(c.y(), b.emit('Log', [safe])));
}

/** Passes where x lies within the bounds that are given. */
const clipped = (c: RuleContext): string =>
  (['GreaterOrEqual', 'LessOrEqual'] as const).reduce((gradient, op, i) => {
    const bound = c.node.inputs[i + 1];
    return bound ? c.b.mul(gradient, indicator(c, op, c.x(0), bound)) : gradient;
  }, c.dy);

const clipBound =
  (op: 'Less' | 'Greater'): ((c: RuleContext, input: number) => string) =>
  (c, input) =>
    c.b.reshape(c.b.total(c.b.mul(c.dy, indicator(c, op, c.x(0), c.x(input)))), c.dims(input));

/** Gradients of operators that work element by element. */
export const ELEMENTWISE: Readonly<Record<string, GradientRule>> = {
  Abs: unary((c) =>
    c.b.sub(indicator(c, 'Greater', c.x(0), c.b.scalar(0)), indicator(c, 'Less', c.x(0), c.b.scalar(0))),
  ),
  Add: perInput(
    broadcasting((c) => c.dy),
    broadcasting((c) => c.dy),
  ),
  Cast: perInput((c) => {
    if (intOf(c.node, 'to', 1) !== 1) throw unsupported(c.node, 'only casts to float32 have a gradient');
    return c.b.cast(c.dy, c.b.typeOf(c.x(0)).type);
  }),
  Clip: perInput(clipped, clipBound('Less'), clipBound('Greater')),
  Cos: unary((c) => c.b.neg(c.b.emit('Sin', [c.x(0)]))),
  Div: perInput(
    broadcasting((c) => c.b.div(c.dy, c.x(1))),
    broadcasting((c) => c.b.neg(c.b.div(c.b.mul(c.dy, c.y()), c.x(1)))),
  ),
  Erf: unary((c) => c.b.scale(c.b.emit('Exp', [c.b.neg(square(c, c.x(0)))]), 2 / Math.sqrt(Math.PI))),
  Exp: unary((c) => c.y()),
  HardSigmoid: unary((c) => {
    const inside = c.b.mul(
      indicator(c, 'Greater', c.y(), c.b.scalar(0)),
      indicator(c, 'Less', c.y(), c.b.scalar(1)),
    );
    return c.b.scale(inside, floatOf(c.node, 'alpha', 0.2));
  }),
  HardSwish: unary((c) => {
    const above = indicator(c, 'Greater', c.x(0), c.b.scalar(3));
    const inside = c.b.mul(
      indicator(c, 'Greater', c.x(0), c.b.scalar(-3)),
      indicator(c, 'LessOrEqual', c.x(0), c.b.scalar(3)),
    );
    return c.b.add(above, c.b.mul(inside, c.b.shift(c.b.scale(c.x(0), 1 / 3), 0.5)));
  }),
  Identity: perInput((c) => c.dy),
  LeakyRelu: perInput((c) =>
    c.b.where(
      c.b.emit('Greater', [c.x(0), c.b.scalar(0)]),
      c.dy,
      c.b.scale(c.dy, floatOf(c.node, 'alpha', 0.01)),
    ),
  ),
  Log: perInput((c) => c.b.div(c.dy, c.x(0))),
  Max: extremum('GreaterOrEqual'),
  Min: extremum('LessOrEqual'),
  Mul: perInput(
    broadcasting((c) => c.b.mul(c.dy, c.x(1))),
    broadcasting((c) => c.b.mul(c.dy, c.x(0))),
  ),
  Neg: perInput((c) => c.b.neg(c.dy)),
  Pow: perInput(broadcasting(powBase), broadcasting(powExponent)),
  Reciprocal: unary((c) => c.b.neg(square(c, c.y()))),
  Relu: unary((c) => indicator(c, 'Greater', c.x(0), c.b.scalar(0))),
  Sigmoid: unary((c) => c.b.mul(c.y(), c.b.sub(c.b.scalar(1), c.y()))),
  Sin: unary((c) => c.b.emit('Cos', [c.x(0)])),
  Softplus: unary((c) => c.b.emit('Sigmoid', [c.x(0)])),
  Sqrt: perInput((c) => c.b.div(c.b.scale(c.dy, 0.5), c.y())),
  Sub: perInput(
    broadcasting((c) => c.dy),
    broadcasting((c) => c.b.neg(c.dy)),
  ),
  Sum: forEveryInput(broadcasting((c) => c.dy)),
  Tanh: unary((c) => c.b.sub(c.b.scalar(1), square(c, c.y()))),
  Where: perInput(
    null,
    broadcasting((c) => c.b.where(c.x(0), c.dy, c.b.scalar(0))),
    broadcasting((c) => c.b.where(c.x(0), c.b.scalar(0), c.dy)),
  ),
};
