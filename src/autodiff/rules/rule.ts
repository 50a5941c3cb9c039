import type { GraphBuilder } from '../builder';
import type { NodeContext } from '../operands';
import type { Value } from '../value';

/** What a gradient rule may use: its node, the node's inputs and outputs, and the gradient that arrives. */
export interface RuleContext extends NodeContext {
  /** The graph being written, for what `Value` has no word for. */
  readonly builder: GraphBuilder;
  /** Input `i`; its name is empty where it is left out. */
  readonly x: (i: number) => Value;
  /** Output `i`. */
  readonly y: (i: number) => Value;
  /** Gradient of the loss by output 0 (zeros when only another output is used). */
  readonly dy: Value;
  /** Gradient of the loss by output `i`, or undefined where nothing depends on it. */
  readonly dyOf: (i: number) => Value | undefined;
}

/**
 * Gradient of the loss by one input: appends nodes, returns the value. It is shaped like that input, or like what that input is
 * broadcast to: the walk sums it back.
 */
export type InputGradient = (context: RuleContext, input: number) => Value;

/** How to go backwards through one operator: one entry per input; null for inputs that have no gradient (indices,
 *  shapes). `variadic` serves every input of an operator that takes any number. */
export interface GradientRule {
  readonly inputs: readonly (InputGradient | null)[];
  readonly variadic?: InputGradient;
}

/** Rule of an operator whose inputs are given one by one. */
export const perInput = (...inputs: (InputGradient | null)[]): GradientRule => ({ inputs });

/** Rule of an operator that treats any number of inputs alike. */
export const forEveryInput = (variadic: InputGradient): GradientRule => ({ inputs: [], variadic });
