import type { Spaces } from './coordinates';
import { roundOutline, type Classification, type FeatureSource } from './features';
import type { Outline } from './geometry';
import { assignIntent, calibrateScore, uncertainty } from './scoring';
import { simplifyOutline } from './simplify';
import type { FoundObject } from './stitch';

/** An intent as results are filtered by it. */
export interface IntentFilter {
  readonly classification: Classification;
  /** Score from which an object belongs to the intent, 0..1. */
  readonly scoreThreshold: number;
}

/** What may change over objects already found, without inference. */
export interface ResultFilter {
  /** In the order of the objects' scores. */
  readonly intents: readonly IntentFilter[];
  /** µm²; no limit when absent. */
  readonly minArea?: number;
  readonly maxArea?: number;
  /** Greatest distance a border may move, full-resolution px; 0 or absent keeps the exact pixel edges. */
  readonly simplifyTolerance?: number;
}

/** A found object that passed, with the intent it went to. */
export interface SelectedObject {
  /** Index in the list that was filtered. */
  readonly index: number;
  readonly intent: number;
  /** The intent's own score, 0..1. */
  readonly score: number;
  /** µm². */
  readonly area: number;
}

/** The objects that pass, in their order: each goes to the intent it exceeds most (`calibrateScore`), or to none. @param micronsPerPixel of model space */
export function selectObjects(
  objects: readonly FoundObject[],
  filter: ResultFilter,
  micronsPerPixel: number,
): SelectedObject[] {
  const thresholds = filter.intents.map(({ scoreThreshold }) => scoreThreshold);
  const { minArea = 0, maxArea = Infinity } = filter;
  return objects.flatMap(({ scores, area: pixels }, index) => {
    const area = pixels * micronsPerPixel * micronsPerPixel;
    if (area < minArea || area > maxArea) return [];
    const intent = assignIntent(scores, thresholds);
    return intent === undefined ? [] : [{ index, intent, score: scores[intent]!, area }];
  });
}

/** The outline as it is sent: full-resolution px, simplified as asked, two decimals, valid. */
export function finishOutline(outline: Outline, spaces: Spaces, simplifyTolerance = 0): Outline {
  return simplifyOutline(outline, simplifyTolerance / spaces.scale, (result) =>
    roundOutline(result, spaces.scale),
  );
}

/** Selected objects -> what features are made of. @param ids UUID per found object @param round the intent's refinement round */
export function describeSelected(
  objects: readonly FoundObject[],
  ids: readonly string[],
  selected: readonly SelectedObject[],
  filter: ResultFilter,
  spaces: Spaces,
  round: number,
): FeatureSource[] {
  return selected.map(({ index, intent, score, area }) => ({
    id: ids[index]!,
    outline: finishOutline(objects[index]!.outline, spaces, filter.simplifyTolerance),
    classification: filter.intents[intent]!.classification,
    measurements: {
      score: roundTo(score, 4),
      uncertainty: roundTo(uncertainty(score, filter.intents[intent]!.scoreThreshold), 4),
      'area µm²': roundTo(area, 2),
      round,
    },
  }));
}

/**
 * Indices of all objects, those whose judgement teaches most first: by how close the best calibrated score is to its threshold;
 * ties keep their order. @param thresholds one per intent
 */
export function reviewOrder(objects: readonly FoundObject[], thresholds: readonly number[]): number[] {
  const doubts = objects.map(({ scores }) => {
    let best = 0;
    scores.forEach((score, i) => {
      if (calibrateScore(score, thresholds[i]!) > calibrateScore(scores[best]!, thresholds[best]!)) best = i;
    });
    return scores.length === 0 ? 0 : uncertainty(scores[best]!, thresholds[best]!);
  });
  return doubts.map((_, i) => i).sort((a, b) => doubts[b]! - doubts[a]! || a - b);
}

function roundTo(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
