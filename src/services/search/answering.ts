import {
  decoderAnswer,
  fitAnswer,
  saidOf,
  type AnswerCalibration,
  type FittedAnswer,
  type NucleusLooks,
} from '../../segmentation/answering/answerScores';
import { findShown } from '../../segmentation/answering/shownNuclei';
import type { Point } from '../../segmentation/geometry';
import { calibrateScore } from '../../segmentation/scoring';
import type { FoundObject } from '../../segmentation/stitch';
import type { EmbeddedPrompt } from './embeddedPrompt';
import type { LookedAt, NucleusReader } from './nucleusReader';

/** A new fit once so many times as many nuclei are known: fitting costs little beside what has come since. */
const REFIT_GROWTH = 2.5;

const NO_FEATURE = new Float32Array(0);

/** One intent as its answer needs it. */
export interface AnsweredIntent extends Pick<EmbeddedPrompt, 'examples'> {
  /** Places in this image that were judged, model px. */
  readonly judged?: readonly (Point & { readonly label: 0 | 1 })[] | undefined;
  /** The decoder's score from which a nucleus belongs, 0..1: the model's, or that of a refinement. */
  readonly threshold: number;
}

/**
 * Scores the nuclei of a search by the decoder and by the image's other nuclei. Those found first are answered by what is known
 * then; in the end all are scored anew. What counts as known is what this search has found and what the tiles of its clicks show:
 * never what another search has left in a cache. So equal requests have equal answers, in whatever order the tiles come.
 */
export class Answering {
  /** Found in the extent, in the order they came; their scores are the decoder's. */
  readonly #found: LookedAt[] = [];
  /** Nuclei beside the extent. */
  readonly #beside: LookedAt[] = [];
  #answers: readonly IntentAnswer[] = [];
  #fittedTo = 0;

  constructor(
    private readonly reader: Pick<NucleusReader, 'look'>,
    private readonly intents: readonly AnsweredIntent[],
    private readonly calibration: AnswerCalibration,
  ) {}

  /** Nuclei that lie outside of the extent and are known all the same; their scores are the decoder's. */
  async addBeside(objects: readonly FoundObject[]): Promise<void> {
    this.#beside.push(...(await this.reader.look(objects)));
  }

  /** Takes newly found objects in. -> the same with their scores, as far as is known by now */
  async add(objects: readonly FoundObject[]): Promise<FoundObject[]> {
    const looked = await this.reader.look(objects);
    this.#found.push(...looked);
    const known = this.#found.length + this.#beside.length;
    if (known > 0 && known >= REFIT_GROWTH * this.#fittedTo) this.#fit();
    return looked.map((nucleus) => this.#scored(nucleus));
  }

  /** All objects with their final scores, in the order in which they were added. */
  finish(): FoundObject[] {
    if (this.#found.length > 0) this.#fit();
    return this.#found.map((nucleus) => this.#scored(nucleus));
  }

  #fit(): void {
    const known = [...this.#found, ...this.#beside].filter(isReadable).sort(byPlace);
    this.#answers = this.intents.map((intent, k) => {
      const objects = known.map(({ object }) => object);
      const { shown, elsewhere } = findShown(objects, intent.examples);
      const { shown: judged } = findShown(
        objects,
        (intent.judged ?? []).map((at) => ({ at, label: at.label, feature: NO_FEATURE })),
      );
      const decoder = known.map(({ object }) => calibrateScore(object.scores[k]!, intent.threshold));
      const nuclei = known.map(({ looks }) => looks);
      return {
        score: fitAnswer({ nuclei, decoder, shown, judged, elsewhere }, this.calibration),
        said: new Map([...saidOf({ shown, judged })].map(([i, label]) => [known[i]!, label])),
      };
    });
    this.#fittedTo = this.#found.length + this.#beside.length;
  }

  #scored(nucleus: LookedAt): FoundObject {
    const { object, looks } = nucleus;
    const scores = this.#answers.map(({ score, said }, k) => {
      const decoder = calibrateScore(object.scores[k]!, this.intents[k]!.threshold);
      if (looks === undefined) return decoderAnswer(decoder, this.calibration.slope);
      return said.get(nucleus) ?? score(looks, decoder);
    });
    return { ...object, scores };
  }
}

interface IntentAnswer {
  readonly score: FittedAnswer;
  /** What the user has shown or judged. */
  readonly said: ReadonlyMap<LookedAt, 0 | 1>;
}

/** Whether its tile could be read; the others are scored by the decoder alone. */
function isReadable(nucleus: LookedAt): nucleus is LookedAt & { readonly looks: NucleusLooks } {
  return nucleus.looks !== undefined;
}

/** From top to bottom, then from left to right: sums come out alike in whatever order the nuclei were found. */
function byPlace({ object: { anchor: a } }: LookedAt, { object: { anchor: b } }: LookedAt): number {
  return a.y - b.y || a.x - b.x;
}
