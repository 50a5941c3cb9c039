import { createHash } from 'node:crypto';
import { BridgeError } from '../../errors';
import type { Engine, LoadedModel } from '../../engine/engine';
import type { Tensor } from '../../tensor';

/** How a repeated run goes on. */
export interface RunTally {
  readonly outputs: Record<string, Tensor>;
  readonly runs: number;
  readonly seconds: number;
}

/** Plain ONNX graphs that clients load and run by themselves, beside the product's own models. */
export class Graphs {
  private readonly loaded = new Map<string, LoadedModel>();

  constructor(private readonly engine: Engine) {}

  /** Loads a graph from a path or from bytes; the same graph gets the same id. @throws BridgeError ModelInvalid */
  async load(model: string | Uint8Array): Promise<LoadedModel> {
    const id = `graph-${createHash('sha256').update(model).digest('hex').slice(0, 16)}`;
    const graph = await this.engine.load(id, { model });
    this.loaded.set(id, graph);
    return graph;
  }

  /** The graph behind an id. @throws BridgeError ModelNotFound */
  find(id: string): LoadedModel {
    const graph = this.loaded.get(id);
    if (!graph) throw new BridgeError('ModelNotFound', `no loaded graph ${JSON.stringify(id)}`);
    return graph;
  }

  /** Runs a graph `repeat` times with the same feeds; `each` hears of every finished run. */
  async run(
    id: string,
    feeds: Record<string, Tensor>,
    { repeat, signal, each }: { repeat: number; signal: AbortSignal; each: (done: number) => void },
  ): Promise<RunTally> {
    this.find(id);
    const start = performance.now();
    let outputs: Record<string, Tensor> = {};
    for (let done = 1; done <= repeat; done++) {
      outputs = await this.engine.run(id, feeds, { signal });
      each(done);
    }
    return { outputs, runs: repeat, seconds: (performance.now() - start) / 1000 };
  }

  /** @throws BridgeError ModelNotFound */
  async release(id: string): Promise<void> {
    this.find(id);
    this.loaded.delete(id);
    await this.engine.release(id);
  }

  get ids(): readonly string[] {
    return [...this.loaded.keys()];
  }
}
