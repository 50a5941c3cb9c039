import type { ObjectFeature } from '../../segmentation/features';
import { isBridgeError } from '../../errors';
import type { Judgements } from '../intents/judgements';
import type { PromptableModel } from '../models/promptableModel';
import type { SearchResult, SearchResults } from '../search/searchResult';
import type { SearchImage } from '../search/tilePixels';
import type { FindAll } from './findAll';

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
      readonly findAll: FindAll;
      /** What another model found does not change with a refinement of this one. */
      readonly model: PromptableModel;
      readonly results: SearchResults;
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
        const image = this.parts.image(result.setting.image.imageId);
        const again = await this.parts.findAll.again(result, this.parts.model, image, signal);
        if (again === undefined) continue;
        this.parts.results.replace(again.result);
        this.parts.publish(sessionId, this.#changes(intentId, result, again.result));
      } catch (error) {
        if (!isBridgeError(error)) throw error;
        this.parts.log(`result ${result.resultId} was not computed again: ${error.message}`);
      }
    }
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
