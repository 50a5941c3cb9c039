import { elementCount, float32Tensor, type Tensor, type TensorType } from '../tensor';
import {
  int,
  ints,
  type Attributes,
  type Graph,
  type GraphNode,
  type GraphPort,
  type ValueType,
} from './graph';
import { ELEMENT_CODE } from './onnxCodec';
import { type NodeContext } from './operands';
import { inferTypes } from './shapes';

/** Opset of every graph this project writes: the newest whose operators all have CUDA and WebGPU kernels, because
 *  kernels match the version an operator last changed in (Equal and Pad changed in 19). */
export const OPSET = 18;

export interface EmitOptions {
  /** Number of outputs; 1 when absent. */
  readonly outputs?: number;
  /** Wanted value names of the outputs (used unless taken). */
  readonly names?: readonly string[];
  /** Node name for error messages and profiles. */
  readonly name?: string;
}

/**
 * Writes a graph node by node. Values are names; each has a static type from the moment it is emitted. The same
 * operator on the same inputs is emitted once, so gradient rules may each ask for what they need.
 */
export class GraphBuilder {
  readonly inputs: GraphPort[] = [];
  readonly outputs: GraphPort[] = [];
  readonly initializers = new Map<string, Tensor>();
  readonly nodes: GraphNode[] = [];
  private readonly types = new Map<string, ValueType>();
  private readonly emitted = new Map<string, string[]>();
  private readonly producers = new Map<string, GraphNode>();
  private readonly constants = new Map<string, string>();
  private counter = 0;

  /** Declares a graph input. */
  input(name: string, type: TensorType, dims: readonly number[]): string {
    this.inputs.push({ name, type, dims });
    this.types.set(name, { type, dims });
    return name;
  }

  /** Adds a named initializer. */
  initializer(name: string, tensor: Tensor): string {
    this.initializers.set(name, tensor);
    this.types.set(name, { type: tensor.type, dims: tensor.dims });
    return name;
  }

  /** Declares `value` a graph output called `name`. */
  output(name: string, value: string): void {
    const { type, dims } = this.typeOf(value);
    this.outputs.push({ name, type, dims });
    if (value === name) return;
    this.nodes.push({
      op: 'Identity',
      domain: '',
      name,
      inputs: [value],
      outputs: [name],
      attributes: {},
    });
    this.types.set(name, { type, dims });
  }

  /** Emits an operator (or finds it, when it was emitted before) and returns the names of its outputs. */
  emitAll(
    op: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    options: EmitOptions = {},
  ): string[] {
    const count = options.outputs ?? 1;
    const key = `${op}|${count}|${inputs.join(',')}|${attributeKey(attributes)}`;
    const known = this.emitted.get(key);
    if (known !== undefined) return known;
    const outputs = Array.from({ length: count }, (_, i) => this.freshName(op, options.names?.[i]));
    const node: GraphNode = {
      op,
      domain: '',
      name: options.name ?? outputs[0] ?? op,
      inputs,
      outputs,
      attributes,
    };
    inferTypes(this.contextOf(node)).forEach((type, i) => this.types.set(outputs[i] ?? '', type));
    this.nodes.push(node);
    for (const output of outputs) this.producers.set(output, node);
    this.emitted.set(key, outputs);
    return outputs;
  }

  /** Emits an operator of one output. */
  emit(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.emitAll(op, inputs, attributes)[0]!;
  }

  /** What shape rules and gradient rules may know of a node. */
  contextOf(node: GraphNode): NodeContext {
    return {
      node,
      type: (i) => this.typeOf(node.inputs[i] ?? ''),
      constant: (i) => this.initializers.get(node.inputs[i] ?? ''),
    };
  }

  /** Type of a value. @throws Error for a name that is not of this graph: a fault of the caller. */
  typeOf(value: string): ValueType {
    const type = this.types.get(value);
    if (type === undefined) throw new Error(`no value '${value}' in the graph`);
    return type;
  }

  /** The node a value comes from; undefined for inputs and initializers. */
  producerOf(value: string): GraphNode | undefined {
    return this.producers.get(value);
  }

  /** Static shape of a value. */
  dims(value: string): readonly number[] {
    return this.typeOf(value).dims;
  }

  /** A constant, shared with every equal one of up to 64 elements. */
  constant(tensor: Tensor): string {
    const small = tensor.data.length <= 64;
    const key = small
      ? `${tensor.type}|${tensor.dims.join(',')}|${Array.from<number | bigint>(tensor.data as never).join(',')}`
      : '';
    const known = small ? this.constants.get(key) : undefined;
    if (known !== undefined) return known;
    const name = this.initializer(this.freshName('const'), tensor);
    if (small) this.constants.set(key, name);
    return name;
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    return this.constant(float32Tensor([], Float32Array.of(value)));
  }

  /** A vector of int64, as shapes and axes are given. */
  vector(values: readonly number[]): string {
    return this.constant({
      type: 'int64',
      dims: [values.length],
      data: BigInt64Array.from(values, BigInt),
    });
  }

  add = (a: string, b: string): string => this.emit('Add', [a, b]);
  sub = (a: string, b: string): string => this.emit('Sub', [a, b]);
  mul = (a: string, b: string): string => this.emit('Mul', [a, b]);
  div = (a: string, b: string): string => this.emit('Div', [a, b]);
  neg = (a: string): string => this.emit('Neg', [a]);
  /** `a` times a number. */
  scale = (a: string, by: number): string => (by === 1 ? a : this.mul(a, this.scalar(by)));
  /** `a` plus a number. */
  shift = (a: string, by: number): string => this.add(a, this.scalar(by));
  matMul = (a: string, b: string): string => this.emit('MatMul', [a, b]);
  where = (condition: string, a: string, b: string): string => this.emit('Where', [condition, a, b]);

  /** a·b over matrices, either one transposed on the fly. */
  gemm(a: string, b: string, transA = false, transB = false): string {
    return this.emit('Gemm', [a, b], { transA: int(Number(transA)), transB: int(Number(transB)) });
  }

  cast(a: string, type: TensorType): string {
    return this.typeOf(a).type === type ? a : this.emit('Cast', [a], { to: int(ELEMENT_CODE[type]) });
  }

  reshape(a: string, dims: readonly number[]): string {
    return sameDims(this.dims(a), dims) ? a : this.emit('Reshape', [a, this.vector(dims)]);
  }

  transpose(a: string, perm: readonly number[]): string {
    return perm.every((axis, i) => axis === i) ? a : this.emit('Transpose', [a], { perm: ints(perm) });
  }

  /** Elements [start, start + count) of one axis. */
  slice(a: string, axis: number, start: number, count: number, step = 1): string {
    const dim = this.dims(a)[axis];
    if (start === 0 && count === dim && step === 1) return a;
    const bounds = [start, start + (count - 1) * step + 1, axis, step];
    return this.emit('Slice', [a, ...bounds.map((bound) => this.vector([bound]))]);
  }

  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? parts[0]! : this.emit('Concat', parts, { axis: int(axis) });
  }

  /** Zeros before and after; `pads` lists the begins of all axes, then the ends. */
  pad(a: string, pads: readonly number[]): string {
    return pads.every((pad) => pad === 0) ? a : this.emit('Pad', [a, this.vector(pads)]);
  }

  /** Broadcasts to exactly `dims`. */
  expand(a: string, dims: readonly number[]): string {
    return sameDims(this.dims(a), dims) ? a : this.emit('Expand', [a, this.vector(dims)]);
  }

  reduceSum = (a: string, axes: readonly number[], keep: boolean): string =>
    this.reduce('ReduceSum', a, axes, keep);
  reduceMean = (a: string, axes: readonly number[], keep: boolean): string =>
    this.reduce('ReduceMean', a, axes, keep);

  /**
   * A reduction over `axes` (counted from the front). Neighbouring axes with nothing but ones before them run as rows of
   * a matrix: the runtime is twenty times slower at [1, C, H, W] over C than at [C, H·W] over rows.
   */
  reduce(op: 'ReduceSum' | 'ReduceMean', a: string, axes: readonly number[], keep: boolean): string {
    if (axes.length === 0) return a;
    const dims = this.dims(a);
    const [first = 0] = axes;
    const last = axes.at(-1) ?? 0;
    const together = last - first + 1 === axes.length && axes.every((axis, i) => axis === first + i);
    const rows = elementCount(dims.slice(first, last + 1));
    const columns = elementCount(dims.slice(last + 1));
    if (!together || elementCount(dims.slice(0, first)) !== 1 || columns === 1 || dims.length <= 2)
      return this.emit(op, [a, this.vector(axes)], { keepdims: int(Number(keep)) });
    const flat = this.emit(op, [this.reshape(a, [rows, columns]), this.vector([0])], { keepdims: int(0) });
    const out = dims.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim]));
    return this.reshape(flat, out);
  }

  /** Sum of all elements, a scalar `[]`. */
  total(a: string): string {
    return this.reduceSum(this.reshape(a, [elementCount(this.dims(a))]), [0], false);
  }

  /** Zeros in the shape of another value. */
  zerosLike(a: string): string {
    return this.expand(this.scalar(0), this.dims(a));
  }

  /** The graph written so far, without the nodes and initializers that feed none of its outputs. */
  build(): Graph {
    const { inputs, outputs } = this;
    const needed = new Set(outputs.map((port) => port.name));
    const nodes: GraphNode[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      for (const input of node.inputs) needed.add(input);
      nodes.push(node);
    }
    const initializers = new Map([...this.initializers].filter(([name]) => needed.has(name)));
    return { opset: OPSET, inputs, outputs, initializers, nodes: nodes.reverse() };
  }

  private freshName(hint: string, wanted?: string): string {
    if (wanted !== undefined && wanted !== '' && !this.types.has(wanted)) return wanted;
    return `${hint}.${this.counter++}`;
  }
}

/** Whether two shapes are equal. */
export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

function attributeKey(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, attribute]) =>
      attribute.kind === 'tensor'
        ? `${name}=${attribute.value.type}:${Array.from(attribute.value.data as ArrayLike<unknown>, String).join()}`
        : `${name}=${attribute.kind}:${String(attribute.value)}`,
    )
    .sort()
    .join(';');
}
