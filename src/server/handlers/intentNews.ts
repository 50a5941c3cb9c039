import { isBridgeError } from '../../errors';
import type { Handler } from '../../protocol/handler';
import type { ClientRequests, Intent } from '../../protocol/types.gen';
import type { Services } from '../services';
import type { Session } from '../session';

/**
 * The handler, after whose success the other clients are told what has become of the intents (`intent/changed`), so that two
 * viewers show the same.
 * @param changed ids of the intents that a request with these params and this result has changed
 */
export function tellsOthers<M extends keyof ClientRequests>(
  { sessions, intents }: Pick<Services, 'sessions' | 'intents'>,
  handler: Handler<Session, M>,
  changed: (params: ClientRequests[M]['params'], result: ClientRequests[M]['result']) => readonly string[],
): Handler<Session, M> {
  return async (params, context) => {
    const result = await handler(params, context);
    context.afterAnswer(() => {
      for (const intentId of changed(params, result))
        sessions.notifyOthers(context.session.id, 'intent/changed', {
          intentId,
          intent: intentNow(intents, intentId),
        });
    });
    return result;
  };
}

/** The intent as it is now, null when there is none any more. */
function intentNow(intents: Services['intents'], intentId: string): Intent | null {
  try {
    return intents.get(intentId);
  } catch (error) {
    if (isBridgeError(error) && error.errorName === 'IntentNotFound') return null;
    throw error;
  }
}
