import type { Handler } from '../../protocol/handler';
import { checkThumbnailCount } from '../../services/intents/thumbnails';
import type { Services } from '../services';
import type { Session } from '../session';

/** `preference/submit` */
export function submit({ judge }: Services): Handler<Session, 'preference/submit'> {
  return async ({ judgements, ...where }, { session }) => judge.submit(session.id, where, judgements);
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
      overrides,
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
export function next(services: Services): Handler<Session, 'review/next'> {
  const { judge, limits } = services;
  return async ({ resultId, intentId, count = 10, thumbnails: wanted }, { session, signal }) => {
    if (wanted === undefined) return judge.next(session.id, { resultId, intentId, count });
    checkThumbnailCount(count, limits.thumbnails);
    const page = judge.next(session.id, { resultId, intentId, count });
    const cut = await judge.thumbnails(session.id, resultId, page, wanted, signal);
    const thumbnails = await Promise.all(
      cut.map(async ({ objectId, region: { x, y, downsample }, pixels }) => {
        const png = await services.encodePng(pixels);
        const base64 = Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64');
        const { width, height } = pixels;
        return { objectId, base64, encoding: 'png' as const, width, height, x, y, downsample };
      }),
    );
    return { ...page, thumbnails };
  };
}
