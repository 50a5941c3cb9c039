import type { Click, IntentPrompt, SearchIntent } from '../../../src/services/search/searchRequest';
import type { Tissue } from '../../segmentation/tissue';

/** An intent as a search takes it. */
export function intent(name: string, change: Partial<SearchIntent> = {}): SearchIntent {
  return {
    intentId: name,
    classification: { name, color: [200, 0, 0] },
    exemplars: [],
    round: 0,
    ...change,
  };
}

/** An intent with its clicks. */
export function ask(
  name: string,
  clicks: readonly Click[],
  change: Partial<SearchIntent> = {},
): IntentPrompt {
  return { intent: intent(name, change), clicks, boxes: [], objects: [] };
}

/** Clicks on the highest pixels of the first `count` nuclei of a parity. */
export function clicksOn(tissue: Tissue, parity: 0 | 1, count: number, positive = true): Click[] {
  const clicks: Click[] = [];
  for (let label = 2 - parity; clicks.length < count && label <= tissue.count; label += 2) {
    let best = -1;
    tissue.truth.forEach((value, i) => {
      if (value === label && (best < 0 || tissue.distanceMap[i]! > tissue.distanceMap[best]!)) best = i;
    });
    if (best < 0 || tissue.distanceMap[best]! < 0.8) continue;
    clicks.push({ x: (best % tissue.width) + 0.5, y: Math.floor(best / tissue.width) + 0.5, positive });
  }
  return clicks;
}
