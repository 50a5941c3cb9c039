import { BridgeError } from '../../errors';
import { toFeatureCollection, type ObjectFeature } from '../../segmentation/features';
import { uncertainty } from '../../segmentation/scoring';
import { describeSelected } from '../../segmentation/thresholds';
import type { SearchResult } from '../search/searchResult';

/** Objects to judge next. */
export interface ReviewPage {
  readonly objects: ObjectFeature[];
  /** Objects of the result that were judged. */
  readonly judged: number;
  readonly total: number;
}

/**
 * The `count` objects of a result whose score for the intent is nearest to its threshold, without those judged already.
 * @throws BridgeError `IntentNotFound` when the result was not made for the intent
 */
export function nextToReview(
  result: SearchResult,
  intentId: string,
  judgedObjects: ReadonlySet<string>,
  count: number,
): ReviewPage {
  const { objects, ids, setting } = result;
  const intent = setting.intents.findIndex((one) => one.intentId === intentId);
  if (intent < 0)
    throw new BridgeError('IntentNotFound', `the result holds nothing of the intent ${intentId}`, {
      intentId,
      resultId: result.resultId,
    });
  const filter = result.filter();
  const { scoreThreshold } = filter.intents[intent]!;
  const doubt = (index: number): number => uncertainty(objects[index]!.scores[intent]!, scoreThreshold);
  const open = [...objects.keys()].filter((index) => !judgedObjects.has(ids[index]!));
  const chosen = open.sort((a, b) => doubt(b) - doubt(a) || a - b).slice(0, count);
  const { micronsPerPixel, spaces, intents } = setting;
  const selected = chosen.map((index) => ({
    index,
    intent,
    score: objects[index]!.scores[intent]!,
    area: objects[index]!.area * micronsPerPixel ** 2,
  }));
  const { round } = intents[intent]!;
  const { features } = toFeatureCollection(describeSelected(objects, ids, selected, filter, spaces, round));
  return { objects: features, judged: objects.length - open.length, total: objects.length };
}
