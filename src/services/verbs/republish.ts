import type { ObjectFeature } from '../../segmentation/features';
import { isBridgeError } from '../../errors';
import type { Checkpoints } from '../intents/checkpoints';
import type { Intents } from '../intents/intents';
import type { Judgements } from '../intents/judgements';
import type { Search } from '../search/search';
import type { SearchResult, SearchResults } from '../search/searchResult';
import type { SearchImage } from '../search/tilePixels';

/** What changed among an intent's objects on an open image. */
export interface ObjectChanges {
  readonly imageId: string;
  readonly intentId: string;
  readonly added: ObjectFeature[];
  /** Same id, other score or class. */
  readonly changed: ObjectFeature[];
  readonly removed: string[];
}

/** Computes the results of an intent again after it has changed. */
export class Republisher {
  constructor(
    private readonly parts: {
      readonly search: Search;
      readonly results: SearchResults;
      readonly intents: Intents;
      readonly checkpoints: Checkpoints;
      readonly judgements: Judgements;
      /** @throws BridgeError `ImageNotOpen` */
      readonly image: (imageId: string) => SearchImage;
      readonly publish: (sessionId: string, changes: ObjectChanges) => void;
      readonly log: (line: string) => void;
    },
  ) {}

  /**
   * Computes results anew under their ids and tells each client what changed. A result whose image is closed, or that
   * fails, is left as it is. @param resultIds all of the intent's when absent
   */
  async republish(intentId: string, resultIds?: readonly string[], signal?: AbortSignal): Promise<void> {
    const open = this.parts.results
      .ofIntent(intentId)
      .filter(({ result }) => resultIds === undefined || resultIds.includes(result.resultId));
    for (const { sessionId, result } of open) {
      try {
        const again = await this.#again(result, signal);
        if (again === undefined) continue;
        this.parts.results.replace(again);
        this.parts.publish(sessionId, this.#changes(intentId, result, again));
      } catch (error) {
        if (!isBridgeError(error)) throw error;
        this.parts.log(`result ${result.resultId} was not computed again: ${error.message}`);
      }
    }
  }

  async #again(result: SearchResult, signal?: AbortSignal): Promise<SearchResult | undefined> {
    const { asked, filters, image, modelId } = result.setting;
    const { search, intents, checkpoints } = this.parts;
    // What another model found does not change with a refinement of this one.
    if (asked === undefined || modelId !== search.modelId) return undefined;
    const prompts = [];
    for (const prompt of asked.prompts) {
      const intent = await checkpoints.apply(intents.forSearch(prompt.intent.intentId));
      prompts.push({ ...prompt, intent });
    }
    const outcome = await search.run({
      ...asked,
      image: this.parts.image(image.imageId),
      prompts,
      filters,
      resultId: result.resultId,
      ...(signal && { signal }),
    });
    return outcome.result;
  }

  /** What a client must do; what its user has drawn or judged stays as the user said. */
  #changes(intentId: string, before: SearchResult, after: SearchResult): ObjectChanges {
    const verdicts = new Map(
      this.parts.judgements.list(intentId).map(({ objectId, kind }) => [objectId ?? '', kind]),
    );
    const keptByUser = (id: string): boolean => {
      const kind = verdicts.get(id);
      return kind === 'accept' || kind === 'add' || kind === 'edit';
    };
    const old = new Map(featuresOf(intentId, before).map((feature) => [feature.id, feature]));
    const fresh = featuresOf(intentId, after).filter(({ id }) => verdicts.get(id) !== 'reject');
    const drawn = (id: string): boolean => verdicts.get(id) === 'edit' || verdicts.get(id) === 'add';
    const now = new Set(fresh.map(({ id }) => id));
    return {
      imageId: after.setting.image.imageId,
      intentId,
      added: fresh.filter(({ id }) => !old.has(id) && !drawn(id)),
      changed: fresh.filter(
        (feature) =>
          old.has(feature.id) &&
          !drawn(feature.id) &&
          JSON.stringify(old.get(feature.id)) !== JSON.stringify(feature),
      ),
      removed: [...old.keys()].filter((id) => !now.has(id) && !keptByUser(id)),
    };
  }
}

/** The features that went to an intent. */
function featuresOf(intentId: string, result: SearchResult): ObjectFeature[] {
  const { intents } = result.setting;
  const { classification } = intents.find((one) => one.intentId === intentId) ?? {};
  const features: ObjectFeature[] = result.features().features;
  return features.filter(({ properties }) => properties.classification?.name === classification?.name);
}
