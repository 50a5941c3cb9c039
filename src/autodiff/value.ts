import type { TensorType } from '../tensor';
import type { GraphBuilder } from './builder';

/** What arithmetic takes beside a value: another one, or a number (a float32 scalar). */
export type Operand = Value | number;

/**
 * A value of a graph that is being written, with the builder's arithmetic in the order of mathematics: `dy.mul(x).div(y)`.
 * Every method appends what it needs to the graph and returns the result; nothing is computed.
 */
export class Value {
  /** @param builder whose graph it belongs to  @param name its name there; empty for an optional input that is left out */
  constructor(
    private readonly builder: GraphBuilder,
    readonly name: string,
  ) {}

  /** Static shape. */
  get dims(): readonly number[] {
    return this.builder.dims(this.name);
  }

  /** Element type. */
  get type(): TensorType {
    return this.builder.typeOf(this.name).type;
  }

  add(other: Operand): Value {
    return this.#with(this.builder.add(this.name, this.#nameOf(other)));
  }

  sub(other: Value): Value {
    return this.#with(this.builder.sub(this.name, other.name));
  }

  /** Times another value, or times a number (nothing is written for 1). */
  mul(other: Operand): Value {
    const { builder, name } = this;
    return this.#with(typeof other === 'number' ? builder.scale(name, other) : builder.mul(name, other.name));
  }

  div(other: Value): Value {
    return this.#with(this.builder.div(this.name, other.name));
  }

  neg(): Value {
    return this.#with(this.builder.neg(this.name));
  }

  /** 1 − this. */
  oneMinus(): Value {
    const { builder, name } = this;
    return this.#with(builder.sub(builder.scalar(1), name));
  }

  square(): Value {
    return this.mul(this);
  }

  abs = (): Value => this.apply('Abs');
  cos = (): Value => this.apply('Cos');
  exp = (): Value => this.apply('Exp');
  log = (): Value => this.apply('Log');
  reciprocal = (): Value => this.apply('Reciprocal');
  sigmoid = (): Value => this.apply('Sigmoid');
  sin = (): Value => this.apply('Sin');
  /** log(1 + eˣ), finite for every x. */
  softplus = (): Value => this.apply('Softplus');
  sqrt = (): Value => this.apply('Sqrt');
  pow = (exponent: Value): Value => this.apply('Pow', exponent);
  /** The larger of this and a number. */
  atLeast = (least: number): Value => this.apply('Clip', least);

  // Conditions are of type bool.
  greater = (other: Operand): Value => this.apply('Greater', other);
  greaterOrEqual = (other: Operand): Value => this.apply('GreaterOrEqual', other);
  less = (other: Operand): Value => this.apply('Less', other);
  lessOrEqual = (other: Operand): Value => this.apply('LessOrEqual', other);

  /** `then` where this condition holds, else `otherwise`. */
  where = (then: Operand, otherwise: Operand): Value => this.apply('Where', then, otherwise);

  /** Matrix product over the last two axes, batched over the others. */
  matMul(other: Value): Value {
    return this.#with(this.builder.matMul(this.name, other.name));
  }

  /** Product of two matrices, either one transposed on the fly. */
  gemm(other: Value, { transA = false, transB = false } = {}): Value {
    return this.#with(this.builder.gemm(this.name, other.name, transA, transB));
  }

  cast(type: TensorType): Value {
    return this.#with(this.builder.cast(this.name, type));
  }

  reshape(dims: readonly number[]): Value {
    return this.#with(this.builder.reshape(this.name, dims));
  }

  transpose(perm: readonly number[]): Value {
    return this.#with(this.builder.transpose(this.name, perm));
  }

  /** Elements start, start + step, … of one axis, `count` of them. */
  slice(axis: number, start: number, count: number, step = 1): Value {
    return this.#with(this.builder.slice(this.name, axis, start, count, step));
  }

  /** The elements of one axis, last first. */
  reverse(axis: number): Value {
    const bounds = [this.dims[axis]! - 1, Number.MIN_SAFE_INTEGER, axis, -1];
    return this.apply('Slice', ...bounds.map((bound) => this.#with(this.builder.vector([bound]))));
  }

  /** Zeros before and after; `pads` lists the begins of all axes, then the ends. */
  pad(pads: readonly number[]): Value {
    return this.#with(this.builder.pad(this.name, pads));
  }

  /** Broadcast to exactly `dims`. */
  expand(dims: readonly number[]): Value {
    return this.#with(this.builder.expand(this.name, dims));
  }

  /** Sum over axes, which are dropped unless they are kept as 1. */
  sum(axes: readonly number[], { keep = false } = {}): Value {
    return this.#with(this.builder.reduceSum(this.name, axes, keep));
  }

  /** Mean over axes, which are dropped unless they are kept as 1. */
  mean(axes: readonly number[], { keep = false } = {}): Value {
    return this.#with(this.builder.reduceMean(this.name, axes, keep));
  }

  /** Sum of all elements, a scalar `[]`. */
  total(): Value {
    return this.#with(this.builder.total(this.name));
  }

  zerosLike(): Value {
    return this.#with(this.builder.zerosLike(this.name));
  }

  /** Any operator of one output, this value as its first input. */
  apply(operator: string, ...others: readonly Operand[]): Value {
    const names = others.map((other) => this.#nameOf(other));
    return this.#with(this.builder.emit(operator, [this.name, ...names]));
  }

  #with(name: string): Value {
    return new Value(this.builder, name);
  }

  #nameOf(operand: Operand): string {
    return typeof operand === 'number' ? this.builder.scalar(operand) : operand.name;
  }
}
