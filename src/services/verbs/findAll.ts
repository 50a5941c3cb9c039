import type { Outline, Rectangle } from '../../segmentation/geometry';
import type { Checkpoints } from '../intents/checkpoints';
import type { Intents } from '../intents/intents';
import { judgedPlaces } from '../intents/judgedPlaces';
import type { Judgements } from '../intents/judgements';
import type { PromptableModel } from '../models/promptableModel';
import type { Search, SearchOutcome, SearchRequest } from '../search/search';
import type { Click, IntentPrompt, SearchIntent } from '../search/searchRequest';
import type { SearchResult, SearchResults } from '../search/searchResult';
import type { SearchImage } from '../search/tilePixels';
import type { Warning } from '../warning';

/** What a user shows of one intent, full-resolution px; its earlier examples count beside them. */
export interface ShownExamples {
  readonly intentId: string;
  readonly clicks?: readonly Click[] | undefined;
  readonly boxes?: readonly Rectangle[] | undefined;
  readonly objects?: readonly Outline[] | undefined;
}

/** “Find all like these”, asked by a client. */
export interface FindAllRequest extends Omit<SearchRequest, 'prompts'> {
  readonly sessionId: string;
  readonly model: PromptableModel;
  readonly shown: readonly ShownExamples[];
  /** Keep the examples with their intents; true when absent. */
  readonly remember?: boolean | undefined;
}

/** What finding works with. */
export interface FindAllParts {
  readonly intents: Intents;
  readonly judgements: Judgements;
  readonly checkpoints: Checkpoints;
  readonly results: SearchResults;
  /** A search with a model. */
  readonly searchWith: (model: PromptableModel) => Search;
}

/** The verb *find all*: intents with what they have learned, searched for, kept for judging, and their examples remembered. */
export class FindAll {
  constructor(private readonly parts: FindAllParts) {}

  /** @throws BridgeError `IntentNotFound`, `CheckpointDamaged`, and what `Search.run` throws */
  async run(request: FindAllRequest): Promise<SearchOutcome> {
    const { sessionId, model, shown, remember = true, ...search } = request;
    const { intents, results, searchWith } = this.parts;
    const prompts = await Promise.all(shown.map((examples) => this.#prompt(examples, model)));
    const outcome = await searchWith(model).run({ ...search, prompts });
    results.keep(sessionId, outcome.result);
    if (remember)
      for (const [i, { intentId }] of shown.entries()) intents.remember(intentId, outcome.learned[i] ?? []);
    return { ...outcome, warnings: [...outcome.warnings, ...this.#refinementsLeftOut(shown, model)] };
  }

  /**
   * Asks again what led to a result, with its intents as they are now, under the result's id.
   * -> undefined for a result that was not asked for, or of another model
   */
  async again(
    { setting, resultId }: SearchResult,
    model: PromptableModel,
    image: SearchImage,
    signal?: AbortSignal,
  ): Promise<SearchOutcome | undefined> {
    const { asked, filters, modelId } = setting;
    if (asked === undefined || modelId !== model.id) return undefined;
    const prompts = await Promise.all(
      asked.prompts.map(async (prompt) => ({
        ...prompt,
        intent: await this.#intent(prompt.intent.intentId, model),
      })),
    );
    return this.parts.searchWith(model).run({ ...asked, image, prompts, filters, resultId, signal });
  }

  async #prompt(
    { intentId, clicks = [], boxes = [], objects = [] }: ShownExamples,
    model: PromptableModel,
  ): Promise<IntentPrompt> {
    return { intent: await this.#intent(intentId, model), clicks, boxes, objects };
  }

  /** The intent with its refinement; what that has learned belongs to the model that was refined. */
  async #intent(intentId: string, { refinable }: PromptableModel): Promise<SearchIntent> {
    const { intents, judgements } = this.parts;
    const judged = judgedPlaces(judgements.list(intentId));
    const intent = { ...intents.forSearch(intentId), judged };
    if (refinable) return this.parts.checkpoints.apply(intent);
    return { ...intent, tokens: undefined, scoreThreshold: undefined };
  }

  #refinementsLeftOut(shown: readonly ShownExamples[], { refinable, manifest }: PromptableModel): Warning[] {
    if (refinable) return [];
    return shown
      .map(({ intentId }) => this.parts.intents.get(intentId))
      .filter(({ checkpointId }) => checkpointId !== null)
      .map(({ name }) => ({
        name: 'RefinementLeftOut',
        message: `the refinement of "${name}" belongs to the bundled model and is left out with ${manifest.name}`,
      }));
  }
}
