import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';

/** `intent/create` */
export function create({ intents }: Services): Handler<Session, 'intent/create'> {
  return async ({ name, color }) => ({ intent: intents.create(name, color) });
}

/** `intent/update` */
export function update({ intents }: Services): Handler<Session, 'intent/update'> {
  return async ({ intentId, ...change }) => ({ intent: intents.update(intentId, change) });
}

/** `intent/list` */
export function list({ intents }: Services): Handler<Session, 'intent/list'> {
  return async () => ({ intents: intents.list() });
}

/** `intent/get` */
export function get({ intents }: Services): Handler<Session, 'intent/get'> {
  return async ({ intentId }) => ({ intent: intents.get(intentId) });
}

/** `intent/delete` */
export function remove({ intentTransfer }: Services): Handler<Session, 'intent/delete'> {
  return async ({ intentId }) => {
    await intentTransfer.delete(intentId);
    return null;
  };
}

/** `intent/export` */
export function exportDocument({ intentTransfer }: Services): Handler<Session, 'intent/export'> {
  return async ({ intentId }) => ({ document: { ...(await intentTransfer.export(intentId)) } });
}

/** `intent/import` */
export function importDocument({ intentTransfer }: Services): Handler<Session, 'intent/import'> {
  return async ({ document }) => intentTransfer.import({ ...document });
}
