import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';

/** `checkpoint/list` */
export function list({ checkpoints }: Services): Handler<Session, 'checkpoint/list'> {
  return async ({ intentId }) => ({
    checkpoints: checkpoints.list(intentId),
  });
}

/** `checkpoint/activate` */
export function activate({ refine }: Services): Handler<Session, 'checkpoint/activate'> {
  return async ({ intentId, checkpointId }, { signal }) => ({
    intent: await refine.goTo(intentId, checkpointId, signal),
  });
}

/** `checkpoint/delete` */
export function remove({ checkpoints }: Services): Handler<Session, 'checkpoint/delete'> {
  return async ({ intentId, checkpointId }) => {
    await checkpoints.delete(intentId, checkpointId);
    return null;
  };
}
