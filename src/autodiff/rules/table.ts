import { intOf, type GraphNode } from '../graph';
import { CONVOLUTION } from './convolution';
import { ELEMENTWISE } from './elementwise';
import { LAYOUT } from './layout';
import { LINEAR } from './linear';
import { NORMALIZATION } from './normalization';
import { RESIZE } from './resize';
import type { GradientRule } from './rule';

/** How to go backwards through each operator: one entry per operator, one gradient per differentiable input. */
export const RULES: Readonly<Record<string, GradientRule>> = {
  ...ELEMENTWISE,
  ...LINEAR,
  ...NORMALIZATION,
  ...LAYOUT,
  ...CONVOLUTION,
  ...RESIZE,
};

/** Operators whose outputs are piecewise constant in all inputs: the walk ends at them. */
export const NOT_DIFFERENTIABLE: ReadonlySet<string> = new Set(
  // prettier-ignore
  ['And', 'ArgMax', 'Ceil', 'ConstantOfShape', 'Equal', 'Floor', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Not', 'OneHot', 'Or',
   'Range', 'Round', 'Shape', 'Sign'],
);

/** Whether gradients may flow through a node; not through one that answers, or casts to, numbers that jump. */
export function isDifferentiable(node: GraphNode): boolean {
  const toFloat = [1, 10, 11, 16].includes(intOf(node, 'to', 1));
  return !NOT_DIFFERENTIABLE.has(node.op) && (node.op !== 'Cast' || toFloat);
}
