import type { Engine } from '../../engine/engine';
import { rateAnswer, type Answer, type RatedAnswer } from '../../sampo/mining';
import { float32Tensor } from '../../tensor';
import type { NucleusModel } from '../models/nucleusModel';
import { retryOnce } from '../search/retry';
import { TOKENS } from './trainGraphs';
import type { TrainingPrompt, TrainingTile } from './trainingPrompts';

/** The decoder that margins are taken against. */
export interface Reference {
  /** Its engine id. */
  readonly decoder: string;
  readonly tokens?: Float32Array | undefined;
}

/** A question: the tile it is about, and which of the tile's prompts it is. */
export interface Question {
  readonly tile: number;
  readonly prompt: number;
}

/** The answers to all questions asked so far: the reference's, computed once each, and the latest ones of the decoder in training. */
export class Answers {
  readonly #reference: (RatedAnswer | undefined)[][];
  readonly #latest: (RatedAnswer | undefined)[][];
  /** Tiles whose embedding is in the engine. */
  readonly #resident = new Set<number>();

  constructor(
    private readonly engine: Engine,
    private readonly model: Pick<NucleusModel, 'decode' | 'manifest'>,
    private readonly lessons: readonly TrainingTile[],
    private readonly reference: Reference,
  ) {
    this.#reference = lessons.map(() => []);
    this.#latest = lessons.map(() => []);
  }

  /** Engine name of a tile's embedding. */
  embeddingOf(tile: number): string {
    return `training/tile/${tile}`;
  }

  /** The reference's answer; asked for before the decoder in training has answered, it stands for its answer as well. */
  async referenceTo({ tile, prompt }: Question): Promise<RatedAnswer> {
    const known = this.#reference[tile]![prompt];
    if (known !== undefined) return known;
    const answer = await this.#ask({ tile, prompt });
    this.#reference[tile]![prompt] = answer;
    this.#latest[tile]![prompt] ??= answer;
    return answer;
  }

  /** The latest answers to a tile's prompts; undefined where one was not asked yet. */
  latestOn(tile: number): readonly (RatedAnswer | undefined)[] {
    return this.#latest[tile]!;
  }

  /** Takes the answer of the decoder in training. */
  update({ tile, prompt }: Question, answer: Answer): void {
    this.#latest[tile]![prompt] = this.#rate(tile, answer);
  }

  /** Gives the engine's memory back. */
  async release(): Promise<void> {
    await Promise.all([...this.#resident].map((tile) => this.engine.dropResident(this.embeddingOf(tile))));
  }

  async #ask({ tile, prompt }: Question): Promise<RatedAnswer> {
    const { tile: judged, prompts } = this.lessons[tile]!;
    if (!this.#resident.has(tile)) {
      const { data, channels, side } = judged.embedding;
      await this.engine.setResident(this.embeddingOf(tile), float32Tensor([1, channels, side, side], data));
      this.#resident.add(tile);
    }
    const { decoder, tokens } = this.reference;
    const { masks, scores } = await retryOnce(() =>
      this.model.decode(judged.embedding, withTokens(prompts[prompt]!.feeds, tokens), {
        decoder,
        priority: 'training',
      }),
    );
    return this.#rate(tile, { masks, scores });
  }

  #rate(tile: number, answer: Answer): RatedAnswer {
    return rateAnswer(answer, this.lessons[tile]!.pixels, this.model.manifest.postprocess.answer);
  }
}

/** Decoder inputs with an intent's tokens. */
function withTokens(
  feeds: TrainingPrompt['feeds'],
  tokens: Float32Array | undefined,
): TrainingPrompt['feeds'] {
  const zeros = feeds[TOKENS];
  return tokens && zeros ? { ...feeds, [TOKENS]: float32Tensor(zeros.dims, tokens) } : feeds;
}
