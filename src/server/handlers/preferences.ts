import type { Handler } from '../../protocol/handler';
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
export function next({ judge }: Services): Handler<Session, 'review/next'> {
  return async ({ resultId, intentId, count = 10 }, { session }) =>
    judge.next(session.id, { resultId, intentId, count });
}
