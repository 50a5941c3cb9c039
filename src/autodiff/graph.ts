import type { Tensor, TensorType } from '../tensor';
import { BridgeError } from '../errors';

/** A node attribute, tagged as ONNX tags it (an INT and a FLOAT of the same value are different things). */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: Tensor };

/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One operator application; an empty string among `inputs` or `outputs` is an optional one left out. */
export interface GraphNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** Element type and static shape of a value. */
export interface ValueType {
  readonly type: TensorType;
  readonly dims: readonly number[];
}

/** A graph input or output as declared: symbolic dimensions by name, unknown ones as `?`. */
export interface GraphPort {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly (number | string)[];
}

/** An ONNX graph in memory: nodes in topological order, weights as initializers. */
export interface Graph {
  readonly opset: number;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly GraphNode[];
}

/** An INT attribute. */
export const int = (value: number): Attribute => ({ kind: 'int', value });
/** A FLOAT attribute. */
export const float = (value: number): Attribute => ({ kind: 'float', value });
/** An INTS attribute. */
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
/** A STRING attribute. */
export const text = (value: string): Attribute => ({ kind: 'string', value });

/** Value of an INT attribute, or `fallback` (the operator's default) when it is absent. */
export function intOf(node: GraphNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
}

/** Value of a FLOAT attribute, or `fallback`. */
export function floatOf(node: GraphNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

/** Value of an INTS attribute, or undefined. */
export function intsOf(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}

/** Value of a STRING attribute, or `fallback`. */
export function textOf(node: GraphNode, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === 'string' ? attribute.value : fallback;
}

/** The error for an operator, or a form of it, that cannot be trained through; names operator and node. */
export function unsupported(node: GraphNode, reason: string): BridgeError {
  return new BridgeError(
    'OperatorUnsupported',
    `operator ${node.op} (node '${node.name || (node.outputs[0] ?? '')}'): ${reason}`,
    {
      operator: node.op,
      node: node.name,
      hint: 'docs/operators.md lists the operators and forms that can be trained through.',
    },
  );
}
