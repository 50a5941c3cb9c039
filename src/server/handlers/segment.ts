import { BridgeError } from '../../errors';
import type { Handler } from '../../protocol/handler';
import type { SegmentPromptParams } from '../../protocol/types.gen';
import type { SearchOutcome } from '../../services/search/search';
import { readExamples } from '../../services/search/searchRequest';
import { searchImage } from '../../services/search/tilePixels';
import type { TileProgress } from '../../services/search/tileRun';
import type { ShownExamples } from '../../services/verbs/findAll';
import type { Services } from '../services';
import type { Session } from '../session';

/** `segment/prompt` */
export function prompt({ findAll, images, limits, models }: Services): Handler<Session, 'segment/prompt'> {
  return async (params, { signal, progress, session }) => {
    const { imageId, extent, filters, pixelSizeMicrons, remember } = params;
    await images.verified(imageId);
    const outcome = await findAll.run({
      sessionId: session.id,
      model: models.promptable(params.modelId),
      image: searchImage(images, imageId),
      shown: params.intents.map(shownExamples),
      extent,
      filters,
      pixelSizeMicrons,
      remember,
      signal,
      onTile: (tile) => progress.report(tileReport(tile)),
    });
    refuseTooMany(outcome, limits.objectsPerAnswer);
    return answer(outcome);
  };
}

/** `segment/threshold` */
export function threshold({ results }: Services): Handler<Session, 'segment/threshold'> {
  return async ({ resultId, filters }, { session }) => ({
    featureCollection: results.get(session.id, resultId).features(filters),
  });
}

function shownExamples({
  intentId,
  clicks = [],
  boxes = [],
  exampleObjects = [],
}: SegmentPromptParams['intents'][number]): ShownExamples {
  return {
    intentId,
    clicks: clicks.map(({ x, y, positive = true }) => ({ x, y, positive })),
    boxes: boxes.map(([x, y, width, height]) => ({ x, y, width, height })),
    objects: readExamples(exampleObjects),
  };
}

function tileReport({ done, total, objects, etaSeconds }: TileProgress) {
  return {
    message: `tile ${done} of ${total}`,
    percentage: (100 * done) / total,
    etaSeconds,
    objects,
  };
}

/** @throws BridgeError `LimitExceeded`; the result is kept, and data says how to ask for less of it */
function refuseTooMany({ featureCollection, result }: SearchOutcome, limit: number): void {
  const count = featureCollection.features.length;
  if (count <= limit) return;
  throw new BridgeError('LimitExceeded', `${count} objects are more than one answer may hold`, {
    limit: 'objectsPerAnswer',
    value: limit,
    resultId: result.resultId,
    hint: 'ask segment/threshold for fewer with data.resultId, or search a smaller extent',
  });
}

function answer({ result, featureCollection, tiles, pixelSizeMicrons, seconds, warnings }: SearchOutcome) {
  return {
    resultId: result.resultId,
    featureCollection,
    candidates: result
      .candidateFeatures()
      .map(({ prompt: { promptId, intent, click, masks }, features }) => ({
        promptId,
        intentId: result.setting.intents[intent]!.intentId,
        click: { x: click.x, y: click.y },
        masks: masks.map(({ score }, k) => ({
          score,
          ...(features[k] !== undefined && { feature: features[k] }),
        })),
      })),
    tiles,
    pixelSizeMicrons,
    seconds,
    warnings,
  };
}
