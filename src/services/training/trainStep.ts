import { adamWStep, type AdamWState } from '../../autodiff/optimizers';
import { gradientName } from '../../autodiff/trainingGraph';
import type { Engine, Feed } from '../../engine/engine';
import { BridgeError } from '../../errors';
import { LOSS_PARTS } from '../../sampo/lossParts';
import { marginMetrics } from '../../sampo/margin';
import type { Answer } from '../../sampo/mining';
import type { RefineSettings } from '../../sampo/settings';
import type { PromptLimits } from '../../segmentation/prompts';
import { float32Tensor, type Tensor } from '../../tensor';
import type { Refinement } from '../intents/checkpointFile';
import { retryOnce } from '../search/retry';
import { OUTPUTS, TOKENS, type TrainGraph } from './trainGraphs';

/** Tokens start at zero and are few: they move faster than the decoder's weights. */
const TOKEN_RATE = 10;

/** Numbers of one step. */
export type StepMetrics = Readonly<Record<string, number>>;

type Outputs = Readonly<Record<string, Tensor>>;

/** Parameters in training, with their optimizer state. */
export class TrainRun {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly tokens: Float32Array;
  readonly #dims: ReadonlyMap<string, readonly number[]>;
  readonly #state: AdamWState = new Map();
  readonly #tokenDims: readonly number[];

  /**
   * @param start parameters and tokens to begin with, where they differ from the model's
   * @param trainsTokens false where many intents are trained at once: tokens belong to one
   */
  constructor(
    private readonly engine: Engine,
    private readonly graph: TrainGraph,
    private readonly settings: RefineSettings,
    limits: PromptLimits,
    start?: Pick<Refinement, 'parameters' | 'tokens'>,
    private readonly trainsTokens = true,
  ) {
    this.#dims = new Map([...graph.parameters].map(([name, { dims }]) => [name, dims]));
    this.parameters = new Map(
      [...graph.parameters].map(([name, { data }]) => [
        name,
        Float32Array.from(start?.parameters.get(name) ?? (data as Float32Array)),
      ]),
    );
    this.#tokenDims = [1, limits.intentTokens, limits.channels];
    this.tokens = Float32Array.from(start?.tokens ?? new Float32Array(limits.intentTokens * limits.channels));
  }

  /**
   * One step on one prompt. @param feeds the decoder's inputs without tokens, and the loss's @param pairs rows in use
   * @returns the metrics, and the answer before the step
   * @throws BridgeError `InferenceFailed` when the loss is no finite number any more, and the engine's
   */
  async step(
    feeds: Readonly<Record<string, Feed>>,
    pairs: number,
  ): Promise<{ metrics: StepMetrics; answer: Answer }> {
    const all: Record<string, Feed> = { ...feeds, [TOKENS]: float32Tensor(this.#tokenDims, this.tokens) };
    for (const [name, value] of this.parameters) all[name] = float32Tensor(this.#dims.get(name)!, value);
    const outputs = await retryOnce(() => this.engine.run(this.graph.id, all, { priority: 'training' }));
    const gradientNorm = this.#update(outputs);
    const loss = numbersOf(outputs, 'loss')[0]!;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      throw new BridgeError('InferenceFailed', 'the loss is no finite number any more', {
        loss,
        norm: gradientNorm,
      });
    return {
      metrics: { loss, ...partLosses(outputs), ...margins(outputs, pairs) },
      answer: { masks: numbersOf(outputs, OUTPUTS.masks), scores: numbersOf(outputs, OUTPUTS.scores) },
    };
  }

  /** Moves parameters and tokens along their gradients. @returns the norm of the parameters' gradient */
  #update(outputs: Outputs): number {
    const { optimizer } = this.settings;
    const updateOf = (name: string, value: Float32Array, decays: boolean) => {
      const gradient = outputs[gradientName(name)]?.data as Float32Array | undefined;
      return gradient === undefined ? [] : [{ name, value, gradient, decays }];
    };
    const isMatrix = (name: string): boolean => this.#dims.get(name)!.length > 1;
    const norm = adamWStep(
      [...this.parameters].flatMap(([name, value]) => updateOf(name, value, isMatrix(name))),
      this.#state,
      optimizer,
    );
    adamWStep(this.trainsTokens ? updateOf(TOKENS, this.tokens, false) : [], this.#state, {
      ...optimizer,
      learningRate: optimizer.learningRate * TOKEN_RATE,
    });
    return norm;
  }
}

function numbersOf(outputs: Outputs, name: string): Float32Array {
  return outputs[name]?.data as Float32Array;
}

/** Losses of the parts that the graph has. */
function partLosses(outputs: Outputs): Record<string, number> {
  const present = LOSS_PARTS.filter(({ metric }) => outputs[metric] !== undefined);
  return Object.fromEntries(present.map(({ metric }) => [metric, numbersOf(outputs, metric)[0]!]));
}

/** Mean margin and reward accuracy, where the graph has preferences. */
function margins(outputs: Outputs, pairs: number): Record<string, number> {
  return outputs['margins'] === undefined ? {} : marginMetrics(numbersOf(outputs, 'margins'), pairs);
}
