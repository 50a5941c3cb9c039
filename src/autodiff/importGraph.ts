import { BridgeError } from '../errors';
import type { Tensor } from '../tensor';
import { GraphBuilder } from './builder';
import { fold, tensorFromNumbers } from './fold';
import { intOf, unsupported, type Graph, type GraphNode } from './graph';
import { rewrite } from './rewrites';
import { OLDEST_OPSET, upgrade } from './upgrade';

/** Which initializers become graph inputs: the parameters. */
type ParameterTest = (name: string, tensor: Tensor) => boolean;

/** A model's forward graph in a builder, ready to be written on. */
export interface ImportedGraph {
  readonly builder: GraphBuilder;
  /** Model value name → value name in the builder (they differ where folding or sharing replaced a value). */
  readonly values: ReadonlyMap<string, string>;
  /** Parameters by name, with their values in the model. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/**
 * Reads a forward graph into a builder with static shapes: shape computations fold away, identities vanish, older
 * operator forms are rewritten. @throws BridgeError OperatorUnsupported (operator and node), ModelInvalid.
 */
export function importGraph(graph: Graph, isParameter: ParameterTest = () => false): ImportedGraph {
  if (graph.opset < OLDEST_OPSET)
    throw new BridgeError('ModelInvalid', `opset ${graph.opset} is older than ${OLDEST_OPSET}`, {
      hint: 'Export the model again with opset 17.',
    });
  const builder = new GraphBuilder();
  const values = new Map<string, string>([['', '']]);
  const parameters = new Map<string, Tensor>();
  const nodes = reaching(graph);
  const used = new Set(nodes.flatMap((node) => node.inputs));
  for (const [name, tensor] of graph.initializers) {
    if (!used.has(name)) continue;
    if (isParameter(name, tensor)) {
      parameters.set(name, tensor);
      values.set(name, builder.input(name, tensor.type, tensor.dims));
    } else values.set(name, builder.initializer(name, tensor));
  }
  for (const port of graph.inputs) {
    if (!used.has(port.name)) continue;
    const { dims } = port;
    const open = dims.find((dim) => typeof dim === 'string');
    if (open !== undefined)
      throw new BridgeError('ModelInvalid', `input '${port.name}' leaves dimension '${open}' open`, {
        hint: 'Export it with fixed shapes: training graphs are static.',
      });
    values.set(port.name, builder.input(port.name, port.type, dims as readonly number[]));
  }
  for (const node of nodes) importNode(builder, graph.opset, node, values);
  return { builder, values, parameters };
}

/** Nodes that feed the outputs, in order. */
function reaching(graph: Graph): GraphNode[] {
  const wanted = new Set(graph.outputs.map((port) => port.name));
  const kept: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    for (const input of node.inputs) wanted.add(input);
    kept.push(node);
  }
  return kept.reverse();
}

function importNode(b: GraphBuilder, opset: number, original: GraphNode, values: Map<string, string>): void {
  const inputs = original.inputs.map((name) => {
    const value = values.get(name);
    if (value === undefined) throw unsupported(original, `input '${name}' is not a value of the graph`);
    return value;
  });
  const output = original.outputs[0] ?? '';
  if (original.op === 'Constant') {
    values.set(output, b.initializer(output, constantValue(original)));
    return;
  }
  const node = upgrade({ ...original, inputs: dropTrailing(inputs) }, b, opset);
  if (isIdentity(node, b)) {
    values.set(output, node.inputs[0] ?? '');
    return;
  }
  const folded = fold(b.contextOf(node));
  if (folded !== undefined) {
    values.set(output, folded.data.length > 64 ? b.initializer(output, folded) : b.constant(folded));
    return;
  }
  const rewritten = rewrite(b, node);
  if (rewritten !== undefined) {
    values.set(output, rewritten);
    return;
  }
  // Mean and inverse deviation cost nothing to give, and the gradient needs them.
  const outputs = node.op === 'LayerNormalization' ? 3 : node.outputs.length;
  const names = b.emitAll(node.op, node.inputs, node.attributes, {
    outputs,
    names: node.outputs,
    name: node.name,
  });
  node.outputs.forEach((name, i) => values.set(name, names[i] ?? ''));
}

function dropTrailing(inputs: readonly string[]): string[] {
  const last = inputs.findLastIndex((name) => name !== '');
  return inputs.slice(0, last + 1);
}

function isIdentity(node: GraphNode, b: GraphBuilder): boolean {
  const [input = ''] = node.inputs;
  switch (node.op) {
    case 'Identity':
    case 'Dropout':
      return true;
    case 'Cast': {
      const { type } = b.typeOf(input);
      return type === 'float32' && intOf(node, 'to', 0) === 1;
    }
    default:
      return false;
  }
}

function constantValue(node: GraphNode): Tensor {
  for (const [name, attribute] of Object.entries(node.attributes)) {
    if (attribute.kind === 'tensor') return attribute.value;
    if (name === 'value_float' && attribute.kind === 'float')
      return tensorFromNumbers('float32', [], [attribute.value]);
    if (name === 'value_int' && attribute.kind === 'int')
      return tensorFromNumbers('int64', [], [attribute.value]);
    if (name === 'value_ints' && attribute.kind === 'ints')
      return tensorFromNumbers('int64', [attribute.value.length], attribute.value);
    if (name === 'value_floats' && attribute.kind === 'floats')
      return tensorFromNumbers('float32', [attribute.value.length], attribute.value);
  }
  throw unsupported(node, 'a constant of this kind');
}
