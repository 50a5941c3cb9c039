import { BridgeError } from '../errors';
import type { Tensor } from '../tensor';
import { appendGradients } from './backward';
import type { GraphBuilder } from './builder';
import type { Graph } from './graph';
import { importGraph } from './importGraph';
import { Value } from './value';

/** What a loss builder is given: the graph, and where the model's inputs and outputs are in it. */
export interface LossContext {
  readonly builder: GraphBuilder;
  /** A model output (or any other value of the model, by its name there). */
  readonly value: (name: string) => Value;
}

/** A scalar loss and whatever else should be reported with each step, by output name. */
export interface Loss {
  readonly loss: Value;
  readonly metrics: Readonly<Record<string, Value>>;
}

export interface TrainingOptions {
  /** Initializers to train. */
  readonly isParameter: (name: string, tensor: Tensor) => boolean;
  /** Model inputs to train as well (say, `intent_tokens`); their values are the caller's. */
  readonly trainedInputs?: readonly string[];
  /** Appends the loss to the forward graph. */
  readonly loss: (context: LossContext) => Loss;
  /** Outputs of the model that the training graph passes through, by name. */
  readonly passOutputs?: readonly string[];
}

/** A graph of forward pass, loss and gradients. Feed it the model's inputs, the parameters, and the loss's inputs. */
export interface TrainingGraph {
  /** Outputs: `loss`, the metrics, the passed-through outputs, and one gradient (see `gradientName`) per parameter it reaches. */
  readonly graph: Graph;
  /** Parameters with the values they have in the model; trained inputs are not among them. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Output name of a parameter's gradient. */
export const gradientName = (parameter: string): string => `gradient:${parameter}`;

/**
 * Turns a forward graph into one that trains: parameters become inputs, the loss is appended, and gradients of the
 * parameters become outputs. Runs nothing. @throws BridgeError OperatorUnsupported (operator, node), ModelInvalid.
 */
export function buildTrainingGraph(model: Graph, options: TrainingOptions): TrainingGraph {
  const { isParameter, trainedInputs = [], passOutputs = [] } = options;
  const { builder, parameters, values } = importGraph(model, isParameter);
  const value = (name: string): Value => new Value(builder, valueOf(model, values, name));
  const { loss, metrics } = options.loss({ builder, value });
  const wanted = [...parameters.keys(), ...trainedInputs.map((name) => value(name).name)];
  const gradients = appendGradients(builder, loss.name, wanted);
  builder.output('loss', loss.name);
  for (const [name, metric] of Object.entries(metrics)) builder.output(name, metric.name);
  for (const name of passOutputs) builder.output(name, value(name).name);
  for (const [name, gradient] of gradients) builder.output(gradientName(name), gradient);
  return { graph: builder.build(), parameters };
}

function valueOf(model: Graph, values: ReadonlyMap<string, string>, name: string): string {
  const found = values.get(name);
  if (found === undefined)
    throw new BridgeError('ModelInvalid', `the model has no value '${name}'`, {
      hint: `Its outputs are ${model.outputs.map((port) => port.name).join(', ')}.`,
    });
  return found;
}
