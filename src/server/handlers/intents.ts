import type { Handler } from '../../protocol/handler';
import type { Intent as WireIntent } from '../../protocol/types.gen';
import type { Intent } from '../../services/intents/intents';
import type { Services } from '../services';
import type { Session } from '../session';

/** `intent/create` */
export function create({ intents }: Services): Handler<Session, 'intent/create'> {
  return async ({ name, color }) => ({ intent: wire(intents.create(name, color)) });
}

/** `intent/update` */
export function update({ intents }: Services): Handler<Session, 'intent/update'> {
  return async ({ intentId, ...change }) => ({ intent: wire(intents.update(intentId, change)) });
}

/** `intent/list` */
export function list({ intents }: Services): Handler<Session, 'intent/list'> {
  return async () => ({ intents: intents.list().map(wire) });
}

/** `intent/get` */
export function get({ intents }: Services): Handler<Session, 'intent/get'> {
  return async ({ intentId }) => ({ intent: wire(intents.get(intentId)) });
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
  return async ({ document }) => {
    const { intent, warnings } = await intentTransfer.import({ ...document });
    return { intent: wire(intent), warnings };
  };
}

/** An intent as it is sent. */
export function wire(intent: Intent): WireIntent {
  return { ...intent, color: [...intent.color] };
}
