import type { Engine, RunOptions } from '../../engine/engine';
import { isBridgeError } from '../../errors';
import type { Embedding } from '../../segmentation/embeddingFeatures';
import { float32Tensor, type Tensor } from '../../tensor';

/** Tiles of sampo-tiny are 1 MiB each. */
const CAPACITY = 128;

/**
 * Embeddings that lie in the engine, least recently used first out: a decoder run then sends its prompts alone. What the engine
 * has lost by a restart is sent again.
 */
export class ResidentEmbeddings {
  /** The name of each embedding and the moment from which it may be fed. */
  readonly #held = new Map<Embedding, { readonly name: string; readonly ready: Promise<void> }>();
  #count = 0;

  /** @param prefix of the names, one for each user of the engine */
  constructor(
    private readonly engine: Engine,
    private readonly prefix: string,
    private readonly capacity = CAPACITY,
  ) {}

  /** A name for an output that a run keeps; `hold` it then, or `drop` it. */
  nextName(): string {
    return `${this.prefix}/${++this.#count}`;
  }

  /** Says that the engine has the embedding under a name. */
  hold(embedding: Embedding, name: string, ready: Promise<void> = Promise.resolve()): void {
    this.#held.set(embedding, { name, ready });
    for (const [oldest, old] of this.#held) {
      if (this.#held.size <= this.capacity) break;
      this.#held.delete(oldest);
      this.drop(old.name);
    }
  }

  /** Forgets a name in the engine, in its turn. */
  drop(name: string): void {
    this.engine.dropResident(name).catch(() => undefined); // a closing engine forgets everything
  }

  /** `Engine.run` with an embedding as one of the inputs. @throws BridgeError as `Engine.run` */
  async run(
    model: string,
    input: string,
    embedding: Embedding,
    feeds: Readonly<Record<string, Tensor>>,
    options: RunOptions,
  ): Promise<Record<string, Tensor>> {
    const once = async (): Promise<Record<string, Tensor>> => {
      const resident = await this.#name(embedding);
      return this.engine.run(model, { ...feeds, [input]: { resident } }, options);
    };
    try {
      return await once();
    } catch (error) {
      if (!isBridgeError(error) || error.errorName !== 'ResidentMissing') throw error;
      this.#held.delete(embedding);
      return once();
    }
  }

  async #name(embedding: Embedding): Promise<string> {
    let held = this.#held.get(embedding);
    this.#held.delete(embedding);
    if (held === undefined) {
      const { data, channels, side } = embedding;
      const name = this.nextName();
      held = { name, ready: this.engine.setResident(name, float32Tensor([1, channels, side, side], data)) };
    }
    this.hold(embedding, held.name, held.ready);
    try {
      await held.ready;
    } catch (error) {
      this.#held.delete(embedding);
      throw error;
    }
    return held.name;
  }
}
