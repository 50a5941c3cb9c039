import { BridgeError } from '../../errors';
import type { Handler } from '../../protocol/handler';
import type { Feature, SegmentPromptParams } from '../../protocol/types.gen';
import type { IntentPrompt } from '../../services/search/searchRequest';
import type { PromptableModel } from '../../services/models/promptableModel';
import { readExamples } from '../../services/search/searchRequest';
import { withRoomyHeap } from '../../services/search/roomyHeap';
import type { SearchOutcome, SearchRequest } from '../../services/search/search';
import { searchImage } from '../../services/search/tilePixels';
import type { Services } from '../services';
import type { Session } from '../session';
import type { Warning } from '../../services/warning';

/** `segment/prompt` */
export function prompt(services: Services): Handler<Session, 'segment/prompt'> {
  return async (params, { signal, progress, session }) => {
    const { models, results, intents, images, limits } = services;
    const model = models.promptable(params.modelId);
    const image = searchImage(images, params.imageId);
    const prompts = await Promise.all(params.intents.map((one) => readPrompt(services, one, model)));
    const request: SearchRequest = {
      image,
      prompts,
      extent: params.extent,
      ...(params.filters && { filters: params.filters }),
      ...(params.pixelSizeMicrons !== undefined && { pixelSizeMicrons: params.pixelSizeMicrons }),
      signal,
      onTile: ({ done, total, objects, etaSeconds }) =>
        progress.report({
          message: `tile ${done} of ${total}`,
          percentage: (100 * done) / total,
          etaSeconds,
          objects: objects,
        }),
    };
    const outcome = await withRoomyHeap(() => services.searchWith(model).run(request));
    results.keep(session.id, outcome.result);
    if (params.remember !== false)
      params.intents.forEach(({ intentId }, i) =>
        intents.remember(intentId, image.uri, outcome.learned[i] ?? [], model.id),
      );
    const count = outcome.featureCollection.features.length;
    if (count > limits.objectsPerAnswer)
      throw new BridgeError('LimitExceeded', `${count} objects are more than one answer may hold`, {
        limit: 'objectsPerAnswer',
        value: limits.objectsPerAnswer,
        resultId: outcome.result.resultId,
        hint: 'ask segment/threshold for fewer with data.resultId, or search a smaller extent',
      });
    return answer({ ...outcome, warnings: [...outcome.warnings, ...leftOut(services, params, model)] });
  };
}

/** `segment/threshold` */
export function threshold({ results }: Services): Handler<Session, 'segment/threshold'> {
  return async ({ resultId, filters }, { session }) => ({
    featureCollection: wireCollection(results.get(session.id, resultId).features(filters)),
  });
}

/** What refined intents lack with a model that was not refined. */
function leftOut(
  { intents }: Services,
  params: SegmentPromptParams,
  { refinable, manifest }: PromptableModel,
): Warning[] {
  if (refinable) return [];
  return params.intents
    .map(({ intentId }) => intents.get(intentId))
    .filter(({ checkpointId }) => checkpointId !== null)
    .map(({ name }) => ({
      name: 'RefinementLeftOut',
      message: `the refinement of "${name}" belongs to the bundled model and is left out with ${manifest.name}`,
    }));
}

async function readPrompt(
  { intents, checkpoints }: Services,
  { intentId, clicks = [], boxes = [], exampleObjects = [] }: SegmentPromptParams['intents'][number],
  { refinable }: PromptableModel,
): Promise<IntentPrompt> {
  const { tokens, scoreThreshold, ...plain } = intents.forSearch(intentId);
  // What a refinement has learned belongs to the model that was refined.
  const learned = { ...(tokens && { tokens }), ...(scoreThreshold !== undefined && { scoreThreshold }) };
  return {
    intent: refinable ? await checkpoints.apply({ ...plain, ...learned }) : plain,
    clicks: clicks.map(({ x, y, positive = true }) => ({ x, y, positive })),
    boxes: boxes.map(([x, y, width, height]) => ({ x, y, width, height })),
    objects: readExamples(exampleObjects),
  };
}

function answer({ result, featureCollection, tiles, pixelSizeMicrons, seconds, warnings }: SearchOutcome) {
  return {
    resultId: result.resultId,
    featureCollection: wireCollection(featureCollection),
    candidates: result.candidateFeatures().map(({ prompt: one, features }) => ({
      promptId: one.promptId,
      intentId: result.setting.intents[one.intent]!.intentId,
      click: { x: one.click.x, y: one.click.y },
      masks: one.masks.map(({ score }, k) => ({
        score,
        ...(features[k] && { feature: features[k] }),
      })),
    })),
    tiles: { ...tiles, failed: tiles.failed.map((tile) => ({ ...tile })) },
    pixelSizeMicrons,
    seconds,
    warnings: warnings.map((warning) => ({ ...warning })),
  };
}

function wireCollection({ features }: SearchOutcome['featureCollection']) {
  return { type: 'FeatureCollection' as const, features: features as unknown as Feature[] };
}
