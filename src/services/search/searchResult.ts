import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../errors';
import type { Spaces } from '../../segmentation/coordinates';
import {
  toFeatureCollection,
  type ObjectFeature,
  type ObjectFeatureCollection,
} from '../../segmentation/features';
import { stableUuid } from '../../segmentation/identifiers';
import type { PromptSet } from '../../segmentation/prompts';
import type { FoundObject } from '../../segmentation/stitch';
import {
  describeSelected,
  finishOutline,
  reviewOrder,
  selectObjects,
  type ResultFilter,
} from '../../segmentation/thresholds';
import type { PromptCandidates } from './candidates';
import type { IntentPrompt, SearchExtent, SearchFilters, SearchIntent } from './searchRequest';

/** Where the answer ends on a calibrated scale. */
const CALIBRATED_THRESHOLD = 0.5;

/** What a result is made of, known before the first object. */
export interface ResultSetting {
  readonly image: { readonly imageId: string; readonly uri: string };
  /** Of the model that searched. */
  readonly modelId: string;
  readonly spaces: Spaces;
  /** Of model space. */
  readonly micronsPerPixel: number;
  readonly intents: readonly SearchIntent[];
  /** The embedded prompts, one set per intent. */
  readonly prompts: readonly PromptSet[];
  /** Used where neither the request nor the intent names one, 0..1. */
  readonly scoreThreshold: number;
  /** Scores are such that 0.5 is the decision, whatever threshold the intent has learned: that is in the scores. */
  readonly calibrated?: boolean;
  readonly filters: SearchFilters;
  /** What was asked, to be asked again. */
  readonly asked?: {
    readonly prompts: readonly IntentPrompt[];
    readonly extent: SearchExtent;
    readonly pixelSizeMicrons?: number | undefined;
  };
}

/** All nuclei found by a search, whatever their score, so that filters, judgements and review need no inference. */
export class SearchResult {
  readonly objects: FoundObject[] = [];
  /** UUID of each object; the same for the same nucleus in another search. */
  readonly ids: string[] = [];
  readonly candidates: PromptCandidates[] = [];

  /** @param resultId of the result that this one takes the place of */
  constructor(
    readonly setting: ResultSetting,
    readonly resultId: string = randomUUID(),
  ) {}

  /** Takes newly found objects in; returns the features of those that pass the request's filters. */
  add(found: readonly FoundObject[]): ObjectFeature[] {
    const { image, spaces } = this.setting;
    const ids = found.map(({ anchor }) =>
      stableUuid(image.uri, anchor.x * spaces.scale, anchor.y * spaces.scale),
    );
    for (const object of found) this.objects.push(object);
    for (const id of ids) this.ids.push(id);
    return this.#describe(found, ids, this.setting.filters).features;
  }

  /** Takes the final scores in. @param objects those that were added, in their order */
  rescore(objects: readonly FoundObject[]): void {
    for (const [i, object] of objects.entries()) this.objects[i] = object;
  }

  /** The objects that pass, each with the class of the intent it fits best. @param filters those of the request when absent */
  features(filters: SearchFilters = this.setting.filters): ObjectFeatureCollection {
    return this.#describe(this.objects, this.ids, filters);
  }

  /** Indices of all objects, the most uncertain first. */
  review(filters: SearchFilters = this.setting.filters): number[] {
    return reviewOrder(
      this.objects,
      this.filter(filters).intents.map(({ scoreThreshold }) => scoreThreshold),
    );
  }

  /** The candidates of each click as features; a mask that misses the click has none. */
  candidateFeatures(): { prompt: PromptCandidates; features: (ObjectFeature | undefined)[] }[] {
    const { spaces, intents } = this.setting;
    return this.candidates.map((prompt) => ({
      prompt,
      features: prompt.masks.map(({ outline, score }) =>
        outline === undefined
          ? undefined
          : toFeatureCollection([
              {
                id: randomUUID(),
                outline: finishOutline(outline, spaces),
                classification: intents[prompt.intent]!.classification,
                measurements: { 'predicted IoU': Math.round(score * 1e4) / 1e4 },
              },
            ]).features[0],
      ),
    }));
  }

  /** The filters in the form of the pure shelf. */
  filter(filters: SearchFilters = this.setting.filters): ResultFilter {
    const { intents, scoreThreshold, calibrated = false } = this.setting;
    const { threshold, minAreaMicrons2, maxAreaMicrons2, simplify } = filters;
    return {
      intents: intents.map((intent) => ({
        classification: intent.classification,
        scoreThreshold:
          threshold ?? (calibrated ? CALIBRATED_THRESHOLD : (intent.scoreThreshold ?? scoreThreshold)),
      })),
      ...(minAreaMicrons2 !== undefined && { minArea: minAreaMicrons2 }),
      ...(maxAreaMicrons2 !== undefined && { maxArea: maxAreaMicrons2 }),
      ...(simplify !== undefined && { simplifyTolerance: simplify }),
    };
  }

  #describe(
    objects: readonly FoundObject[],
    ids: readonly string[],
    filters: SearchFilters,
  ): ObjectFeatureCollection {
    const { spaces, micronsPerPixel, intents } = this.setting;
    const filter = this.filter(filters);
    const selected = selectObjects(objects, filter, micronsPerPixel);
    const sources = describeSelected(objects, ids, selected, filter, spaces, 0);
    return toFeatureCollection(
      sources.map((source, i) => ({
        ...source,
        measurements: { ...source.measurements, round: intents[selected[i]!.intent]!.round },
      })),
    );
  }
}

/** Results of all sessions, kept while their image is open; a session's oldest go when it has too many. */
export class SearchResults {
  readonly #results = new Map<string, { sessionId: string; result: SearchResult }>();

  /** @param perSession results kept for one session */
  constructor(private readonly perSession = 16) {}

  keep(sessionId: string, result: SearchResult): void {
    this.#results.set(result.resultId, { sessionId, result });
    const own = [...this.#results].filter(([, entry]) => entry.sessionId === sessionId);
    for (const [id] of own.slice(0, -this.perSession)) this.#results.delete(id);
  }

  /** @throws BridgeError `ResultNotFound`, for another session's result too */
  get(sessionId: string, resultId: string): SearchResult {
    const entry = this.#results.get(resultId);
    if (entry?.sessionId !== sessionId)
      throw new BridgeError('ResultNotFound', `no result has the id ${resultId}`, { resultId });
    return entry.result;
  }

  /** A session's results, oldest first. */
  list(sessionId: string): SearchResult[] {
    return [...this.#results.values()].filter((e) => e.sessionId === sessionId).map(({ result }) => result);
  }

  /** The results of an intent in all sessions, with the session each belongs to. */
  ofIntent(intentId: string): { sessionId: string; result: SearchResult }[] {
    return [...this.#results.values()].filter(({ result }) =>
      result.setting.intents.some((intent) => intent.intentId === intentId),
    );
  }

  /** Puts a newer result in the place of the one with its id; nothing happens when that is gone. */
  replace(result: SearchResult): void {
    const entry = this.#results.get(result.resultId);
    if (entry !== undefined) this.#results.set(result.resultId, { ...entry, result });
  }

  closeImage(imageId: string): void {
    for (const [id, { result }] of this.#results)
      if (result.setting.image.imageId === imageId) this.#results.delete(id);
  }

  closeSession(sessionId: string): void {
    for (const [id, entry] of this.#results) if (entry.sessionId === sessionId) this.#results.delete(id);
  }
}
