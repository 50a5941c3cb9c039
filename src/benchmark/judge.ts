import type { LabelImage } from '../segmentation/components';
import { countOverlaps, matchMasks, matchMost, nearPairs, type Match } from '../segmentation/matching';
import type { Size } from '../segmentation/geometry';
import { detectionScores, scoreMasks } from '../segmentation/metrics';
import { fillOutline } from '../segmentation/rasterize';
import type { FoundObject } from '../segmentation/stitch';
import type { LabelledImage } from '../services/labelled/dataset';
import type { PreparedImage } from './intentPredictor';

/** What one answer is worth; `dice` (of the union masks) and `aji` where masks exist. */
export interface Score {
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  readonly dice?: number;
  readonly aji?: number;
}

/** Scores answers about one image; the pairs that may match are found once. */
export class Judge {
  /** All possible pairs: object index, index of the true object. Best first. */
  private readonly pairs: readonly Match[];

  constructor(
    private readonly truth: LabelledImage,
    private readonly found: Pick<PreparedImage, 'objects' | 'labels'>,
  ) {
    this.pairs =
      truth.labels === undefined
        ? nearPairs(
            found.objects.map(({ centroid }) => centroid),
            truth.objects,
            truth.matchRadius,
          )
        : matchMasks(countOverlaps(found.labels, truth.labels)).map(({ object, label, value }) => ({
            object: object - 1,
            label: label - 1,
            value,
          }));
  }

  /** The pairs of an answer (indices of objects) with the true objects of a class, each used once. */
  matches(selected: readonly number[], asked: string): Match[] {
    const chosen = new Set(selected);
    const { objects } = this.truth;
    return matchMost(
      this.pairs.filter(({ object, label }) => chosen.has(object) && objects[label]!.class === asked),
    );
  }

  /** Objects that match a true object, whatever its class. */
  real(): Set<number> {
    return new Set(this.pairs.map(({ object }) => object));
  }

  /** True objects of a class. */
  count(asked: string): number {
    return this.truth.objects.filter((object) => object.class === asked).length;
  }

  /**
   * Class of the true object that each found one is matched to; objects that are none, or of which nobody said what they are, are
   * left out.
   */
  classes(): Map<number, string> {
    const { objects } = this.truth;
    return new Map(
      matchMost(this.pairs).flatMap(({ object, label }) => {
        const name = objects[label]!.class;
        return name === undefined ? [] : [[object, name] as const];
      }),
    );
  }

  /** Precision, recall, F1 and, with masks, Dice and AJI of an answer. */
  score(selected: readonly number[], asked: string): Score {
    const wanted = this.truth.objects.map((object) => object.class === asked);
    if (this.truth.labels !== undefined) {
      const chosen = new Set(selected);
      const scores = scoreMasks(
        only(this.found.labels, (label) => chosen.has(label - 1)),
        only(this.truth.labels, (label) => wanted[label - 1]!),
      );
      const { f1, precision, recall, dice, aji } = scores;
      return { f1, precision, recall, dice, aji };
    }
    const truths = wanted.filter(Boolean).length;
    const matched = this.matches(selected, asked).length;
    const { f1, precision, recall } = detectionScores(matched, selected.length, truths);
    return { f1, precision, recall };
  }
}

/** Objects as a label image: label i + 1 is `objects[i]`; px of the image. */
export function labelObjects(
  objects: readonly Pick<FoundObject, 'outline'>[],
  { width, height }: Size,
): LabelImage {
  const labels = new Int32Array(width * height);
  objects.forEach(({ outline }, i) => fillOutline(outline, { x: 0, y: 0, width, height }, labels, i + 1));
  return { width, height, labels, count: objects.length };
}

/** The label image with all other labels erased; numbers stay. */
function only(image: LabelImage, keep: (label: number) => boolean): LabelImage {
  const kept = Uint8Array.from({ length: image.count + 1 }, (_, label) => (label > 0 && keep(label) ? 1 : 0));
  return { ...image, labels: image.labels.map((label) => label * kept[label]!) };
}
