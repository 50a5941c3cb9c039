import { decodeModel, encodeModel } from '../../autodiff/onnxCodec';
import { adamWStep, type AdamWState } from '../../autodiff/optimizers';
import { buildTrainingGraph, gradientName } from '../../autodiff/trainingGraph';
import type { Engine, Feed } from '../../engine/engine';
import { BridgeError, isBridgeError } from '../../errors';
import { marginMetrics } from '../../sampo/lossFeeds';
import type { Answer } from '../../sampo/mining';
import { sampoObjective } from '../../sampo/objective';
import type { RefineSettings } from '../../sampo/settings';
import { isTrainable } from '../../sampo/trainableSets';
import { float32Tensor, type Tensor } from '../../tensor';
import type { NucleusModel } from '../models/nucleusModel';

/** The decoder input that belongs to the intent. */
const TOKENS = 'intent_tokens';
const OUTPUTS = { masks: 'masks', scores: 'iou_predictions' } as const;
/** Tokens start at zero and are few: they move faster than the decoder's weights. */
const TOKEN_RATE = 10;
/** A crashed engine restarts by itself with its models; a step is sent again this often. */
const ATTEMPTS = 3;

/** A graph of forward pass, loss and gradients, in the engine. */
interface TrainGraph {
  readonly id: string;
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Numbers of one step. */
export type StepMetrics = Readonly<Record<string, number>>;

/** Builds training graphs of the model's decoder and keeps them in the engine, one per shape. */
export class TrainGraphs {
  readonly #graphs = new Map<string, Promise<TrainGraph>>();

  constructor(
    private readonly engine: Engine,
    private readonly model: NucleusModel,
  ) {}

  /** @throws BridgeError `OperatorUnsupported`, `ModelInvalid`, what `Engine.load` throws */
  get({ trainable, objective, pairs }: RefineSettings): Promise<TrainGraph> {
    const key = JSON.stringify({ trainable, objective, pairs });
    let graph = this.#graphs.get(key);
    if (graph === undefined) {
      graph = this.#build(trainable, objective, pairs, `training/${this.#graphs.size}`);
      this.#graphs.set(key, graph);
      graph.catch(() => this.#graphs.delete(key));
    }
    return graph;
  }

  async #build(
    trainable: RefineSettings['trainable'],
    objective: RefineSettings['objective'],
    pairs: number,
    id: string,
  ): Promise<TrainGraph> {
    const decoder = decodeModel(await this.model.read('decoder'));
    const training = buildTrainingGraph(decoder, {
      isParameter: isTrainable(trainable),
      trainedInputs: [TOKENS],
      loss: sampoObjective(objective, OUTPUTS, pairs),
      passOutputs: [OUTPUTS.masks, OUTPUTS.scores],
    });
    await this.engine.load(id, { model: encodeModel(training.graph) }, { priority: 'training' });
    return { id, parameters: training.parameters };
  }
}

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
    limits: NucleusModel['promptLimits'],
    start?: { readonly parameters: ReadonlyMap<string, Float32Array>; readonly tokens: Float32Array },
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
   */
  async step(
    feeds: Readonly<Record<string, Feed>>,
    pairs: number,
  ): Promise<{ metrics: StepMetrics; answer: Answer }> {
    const all: Record<string, Feed> = { ...feeds, [TOKENS]: float32Tensor(this.#tokenDims, this.tokens) };
    for (const [name, value] of this.parameters) all[name] = float32Tensor(this.#dims.get(name)!, value);
    const outputs = await patiently(() => this.engine.run(this.graph.id, all, { priority: 'training' }));
    const numbers = (name: string): Float32Array => outputs[name]?.data as Float32Array;
    const update = (name: string, value: Float32Array, decays: boolean) => {
      const gradient = outputs[gradientName(name)]?.data as Float32Array | undefined;
      return gradient === undefined ? [] : [{ name, value, gradient, decays }];
    };
    const { optimizer } = this.settings;
    const norm = adamWStep(
      [...this.parameters].flatMap(([name, value]) => update(name, value, this.#dims.get(name)!.length > 1)),
      this.#state,
      optimizer,
    );
    adamWStep(this.trainsTokens ? update(TOKENS, this.tokens, false) : [], this.#state, {
      ...optimizer,
      learningRate: optimizer.learningRate * TOKEN_RATE,
    });
    const loss = numbers('loss')[0]!;
    if (!Number.isFinite(loss) || !Number.isFinite(norm))
      throw new BridgeError('InferenceFailed', 'the loss is no finite number any more', { loss, norm });
    const parts = ['lossDpo', 'lossRank', 'lossSegment', 'lossScore'].flatMap((name) =>
      outputs[name] === undefined ? [] : [[name, numbers(name)[0]!] as const],
    );
    const margins = outputs['margins'] === undefined ? {} : marginMetrics(numbers('margins'), pairs);
    return {
      metrics: { loss, ...Object.fromEntries(parts), ...margins },
      answer: { masks: numbers(OUTPUTS.masks), scores: numbers(OUTPUTS.scores) },
    };
  }
}

/** Sends work again that met a crash of the engine. @throws the last error */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      const again = isBridgeError(error) && error.errorName === 'EngineCrashed' && attempt < ATTEMPTS;
      if (!again) throw error;
    }
}
