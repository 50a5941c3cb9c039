import { int, intOf, intsOf, floatOf, unsupported, type GraphNode } from './graph';
import type { GraphBuilder } from './builder';

/** Oldest opset whose forms are understood. */
export const OLDEST_OPSET = 11;

type Upgrade = (node: GraphNode, b: GraphBuilder, opset: number) => GraphNode;

const without = (node: GraphNode, ...names: string[]): GraphNode['attributes'] =>
  Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name)));

/** An INTS attribute that became an input (axes, split). */
const attributeToInput =
  (name: string, at: number): Upgrade =>
  (node, b) => {
    const values = intsOf(node, name);
    if (values === undefined) return node;
    const inputs = [...node.inputs];
    while (inputs.length < at) inputs.push('');
    inputs[at] = b.vector(values);
    return { ...node, inputs, attributes: without(node, name) };
  };

/** Before opset 13 the softmax ran over all axes from `axis` on, flattened; the same as now only for the last one. */
const lastAxisOnly: Upgrade = (node, b, opset) => {
  if (opset >= 13) return node;
  const rank = b.dims(node.inputs[0] ?? '').length;
  const axis = intOf(node, 'axis', 1);
  if (axis !== -1 && axis !== rank - 1)
    throw unsupported(node, `axis ${axis} in the form of opset ${opset}: export with opset 13 or later`);
  return { ...node, attributes: { ...node.attributes, axis: int(-1) } };
};

const splitCount: Upgrade = (node, b, opset) => {
  const upgraded = attributeToInput('split', 1)(node, b, opset);
  const named = upgraded.inputs.length > 1 || intOf(node, 'num_outputs', 0) > 0;
  if (named) return upgraded;
  return {
    ...upgraded,
    attributes: { ...upgraded.attributes, num_outputs: int(node.outputs.length) },
  };
};

const UPGRADES: Readonly<Record<string, Upgrade>> = {
  BatchNormalization: (node) => {
    if (intOf(node, 'training_mode', 0) === 1) throw unsupported(node, 'training_mode 1');
    return { ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, 'spatial') };
  },
  LogSoftmax: lastAxisOnly,
  ReduceMax: attributeToInput('axes', 1),
  ReduceMean: attributeToInput('axes', 1),
  ReduceMin: attributeToInput('axes', 1),
  ReduceProd: attributeToInput('axes', 1),
  ReduceSum: attributeToInput('axes', 1),
  Resize: (node) => {
    if (intOf(node, 'antialias', 0) === 1) throw unsupported(node, 'antialias');
    if (floatOf(node, 'exclude_outside', 0) !== 0) throw unsupported(node, 'exclude_outside');
    return node;
  },
  Softmax: lastAxisOnly,
  Split: splitCount,
  Squeeze: attributeToInput('axes', 1),
  Unsqueeze: attributeToInput('axes', 1),
};

/** Rewrites a node of an older opset (11 and later) into the form of `OPSET`. */
export function upgrade(node: GraphNode, b: GraphBuilder, opset: number): GraphNode {
  return UPGRADES[node.op]?.(node, b, opset) ?? node;
}
