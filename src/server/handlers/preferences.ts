import type { Handler } from '../../protocol/handler';
import type { Feature } from '../../protocol/types.gen';
import { nextToReview } from '../../services/intents/review';
import type { Services } from '../services';
import type { Session } from '../session';

/** `preference/submit` */
export function submit(services: Services): Handler<Session, 'preference/submit'> {
  return async ({ intentId, imageId, judgements }, { session }) => {
    const { uri, pixelSizeMicrons } = services.images.get(imageId);
    const { micronsPerPixel } = services.model.manifest;
    const source = {
      intentId,
      imageUri: uri,
      scale: micronsPerPixel / (pixelSizeMicrons ?? micronsPerPixel),
      results: services.results.list(session.id).reverse(),
    };
    return services.judgements.submit(source, judgements);
  };
}

/** `preference/list` */
export function list({ judgements }: Services): Handler<Session, 'preference/list'> {
  return async ({ intentId }) => ({
    judgements: judgements.list(intentId).map(({ judgementId, kind, imageUri, objectId, at, overrides }) => ({
      judgementId,
      kind,
      imageUri,
      ...(objectId !== undefined && { objectId }),
      at,
      overrides: [...overrides],
    })),
    ...judgements.can(intentId),
  });
}

/** `preference/undo` */
export function undo({ judgements }: Services): Handler<Session, 'preference/undo'> {
  return async ({ intentId }) => judgements.undo(intentId);
}

/** `preference/redo` */
export function redo({ judgements }: Services): Handler<Session, 'preference/redo'> {
  return async ({ intentId }) => judgements.redo(intentId);
}

/** `review/next` */
export function next({ judgements, results }: Services): Handler<Session, 'review/next'> {
  return async ({ resultId, intentId, count = 10 }, { session }) => {
    const result = results.get(session.id, resultId);
    const judged = new Set(judgements.list(intentId).flatMap(({ objectId }) => objectId ?? []));
    const { objects, ...counts } = nextToReview(result, intentId, judged, count);
    return { objects: objects as unknown as Feature[], ...counts };
  };
}
