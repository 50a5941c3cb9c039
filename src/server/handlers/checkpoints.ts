import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';
import { wire } from './intents';

/** `checkpoint/list` */
export function list({ checkpoints }: Services): Handler<Session, 'checkpoint/list'> {
  return async ({ intentId }) => ({ checkpoints: checkpoints.list(intentId).map((one) => ({ ...one })) });
}

/** `checkpoint/activate` */
export function activate(services: Services): Handler<Session, 'checkpoint/activate'> {
  return async ({ intentId, checkpointId }, { signal }) => {
    await services.checkpoints.activate(intentId, checkpointId);
    await services.republisher.republish(intentId, undefined, signal);
    return { intent: wire(services.intents.get(intentId)) };
  };
}

/** `checkpoint/delete` */
export function remove({ checkpoints }: Services): Handler<Session, 'checkpoint/delete'> {
  return async ({ intentId, checkpointId }) => {
    await checkpoints.delete(intentId, checkpointId);
    return null;
  };
}
