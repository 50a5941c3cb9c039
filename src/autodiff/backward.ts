import { GraphBuilder } from './builder';
import { unsupported, type GraphNode } from './graph';
import type { InputGradient, RuleContext } from './rules/rule';
import { sumTo } from './rules/sums';
import { isDifferentiable, RULES } from './rules/table';
import { Value } from './value';

/**
 * Appends the gradient of `loss` (a scalar value) by each of `parameters`. Knows no operator: it walks the nodes
 * backwards, asks the rule table, sums each gradient back to the shape of an input that was broadcast, adds up what reaches a
 * value by several ways, and visits only the path from the parameters to the loss. Parameters the loss does not depend on are
 * absent from the result.
 * @throws BridgeError OperatorUnsupported naming operator and node, where the path meets an operator without a rule.
 */
export function appendGradients(
  builder: GraphBuilder,
  loss: string,
  parameters: readonly string[],
): Map<string, string> {
  const forward = [...builder.nodes];
  const active = dependents(forward, parameters);
  const start = new Value(builder, builder.scalar(1)).expand(builder.dims(loss));
  const gradients = new Map<string, Value>([[loss, start]]);
  for (const node of forward.toReversed()) {
    if (!node.outputs.some((output) => gradients.has(output) && active.has(output))) continue;
    const context = ruleContext(builder, node, gradients);
    node.inputs.forEach((input, i) => {
      if (!active.has(input)) return;
      const rule = gradientOf(node, i);
      if (rule === null) return;
      const gradient = sumTo(rule(context, i), builder.dims(input));
      gradients.set(input, gradients.get(input)?.add(gradient) ?? gradient);
    });
  }
  return new Map(
    parameters.flatMap((name) => (gradients.has(name) ? [[name, gradients.get(name)!.name]] : [])),
  );
}

/** Values that depend on a parameter through differentiable operators. */
function dependents(nodes: readonly GraphNode[], parameters: readonly string[]): Set<string> {
  const active = new Set(parameters);
  for (const node of nodes) {
    if (!isDifferentiable(node)) continue;
    if (node.inputs.some((input) => active.has(input))) for (const output of node.outputs) active.add(output);
  }
  active.delete('');
  return active;
}

function gradientOf(node: GraphNode, input: number): InputGradient | null {
  const rule = RULES[node.op];
  const gradient = rule?.variadic ?? rule?.inputs[input];
  if (gradient === undefined) throw unsupported(node, `no gradient rule for input ${input}`);
  return gradient;
}

function ruleContext(
  builder: GraphBuilder,
  node: GraphNode,
  gradients: ReadonlyMap<string, Value>,
): RuleContext {
  const value = (name: string | undefined): Value => new Value(builder, name ?? '');
  const y = (i: number): Value => value(node.outputs[i]);
  const dyOf = (i: number): Value | undefined => gradients.get(node.outputs[i] ?? '');
  return {
    ...builder.contextOf(node),
    builder,
    x: (i) => value(node.inputs[i]),
    y,
    get dy() {
      return dyOf(0) ?? y(0).zerosLike();
    },
    dyOf,
  };
}
