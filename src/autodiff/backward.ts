import { GraphBuilder } from './builder';
import { unsupported, type GraphNode } from './graph';
import type { InputGradient, RuleContext } from './rules/rule';
import { isDifferentiable, RULES } from './rules/table';

/**
 * Appends the gradient of `loss` (a scalar value) by each of `parameters`. Knows no operator: it walks the nodes
 * backwards, asks the rule table, adds up what reaches a value by several ways, and visits only the path from the
 * parameters to the loss. Parameters the loss does not depend on are absent from the result.
 * @throws BridgeError OperatorUnsupported naming operator and node, where the path meets an operator without a rule.
 */
export function appendGradients(
  b: GraphBuilder,
  loss: string,
  parameters: readonly string[],
): Map<string, string> {
  const forward = [...b.nodes];
  const active = dependents(forward, parameters);
  const gradients = new Map<string, string>([[loss, b.expand(b.scalar(1), b.dims(loss))]]);
  for (const node of forward.toReversed()) {
    if (!node.outputs.some((output) => gradients.has(output) && active.has(output))) continue;
    const context = ruleContext(b, node, gradients);
    node.inputs.forEach((input, i) => {
      if (!active.has(input)) return;
      const rule = gradientOf(node, i);
      if (rule === null) return;
      const gradient = rule(context, i);
      const sofar = gradients.get(input);
      gradients.set(input, sofar === undefined ? gradient : b.add(sofar, gradient));
    });
  }
  return new Map(parameters.flatMap((name) => (gradients.has(name) ? [[name, gradients.get(name)!]] : [])));
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

function ruleContext(b: GraphBuilder, node: GraphNode, gradients: ReadonlyMap<string, string>): RuleContext {
  const y = (i = 0): string => node.outputs[i] ?? '';
  return {
    ...b.contextOf(node),
    b,
    x: (i) => node.inputs[i] ?? '',
    dims: (i) => b.dims(node.inputs[i] ?? ''),
    y,
    get dy() {
      return gradients.get(y()) ?? b.zerosLike(y());
    },
    dyOf: (i) => gradients.get(y(i)),
  };
}
