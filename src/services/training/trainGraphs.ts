import { decodeModel, encodeModel } from '../../autodiff/onnxCodec';
import { buildTrainingGraph } from '../../autodiff/trainingGraph';
import type { Engine } from '../../engine/engine';
import { sampoObjective } from '../../sampo/objective';
import type { RefineSettings } from '../../sampo/settings';
import { isTrainable } from '../../sampo/trainableSets';
import type { Tensor } from '../../tensor';
import type { NucleusModel } from '../models/nucleusModel';

/** The decoder input that belongs to the intent. */
export const TOKENS = 'intent_tokens';
/** What the decoder answers, by the names of its outputs. */
export const OUTPUTS = { masks: 'masks', scores: 'iou_predictions' } as const;

/** A graph of forward pass, loss and gradients, in the engine. */
export interface TrainGraph {
  /** Its engine id. */
  readonly id: string;
  /** Trained parameters as the model has them. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Builds training graphs of the model's decoder and keeps them in the engine, one per shape. */
export class TrainGraphs {
  readonly #graphs = new Map<string, Promise<TrainGraph>>();

  constructor(
    private readonly engine: Engine,
    private readonly model: Pick<NucleusModel, 'read'>,
  ) {}

  /** @throws BridgeError `OperatorUnsupported`, `ModelInvalid`, what `Engine.load` throws */
  get(settings: RefineSettings): Promise<TrainGraph> {
    const { trainable, objective, pairs } = settings;
    const key = JSON.stringify({ trainable, objective, pairs });
    let graph = this.#graphs.get(key);
    if (graph === undefined) {
      graph = this.#build(settings, `training/${this.#graphs.size}`);
      this.#graphs.set(key, graph);
      graph.catch(() => this.#graphs.delete(key));
    }
    return graph;
  }

  async #build({ trainable, objective, pairs }: RefineSettings, id: string): Promise<TrainGraph> {
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
