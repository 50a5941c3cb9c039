import type { Handler } from '../../protocol/handler';
import type { Intent as WireIntent, Warning } from '../../protocol/types.gen';
import { readExportedCheckpoint } from '../../services/intents/checkpoints';
import type { ImportedIntent, Intent } from '../../services/intents/intents';
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
export function remove({ intents, checkpoints }: Services): Handler<Session, 'intent/delete'> {
  return async ({ intentId }) => {
    await checkpoints.deleteAll(intentId);
    intents.delete(intentId);
    return null;
  };
}

/** `intent/export` */
export function exportOne({ intents, checkpoints }: Services): Handler<Session, 'intent/export'> {
  return async ({ intentId }) => {
    const checkpoint = await checkpoints.export(intentId);
    return { document: { ...intents.export(intentId), ...(checkpoint && { checkpoint }) } };
  };
}

/** `intent/import` */
export function importOne({ intents, checkpoints, model }: Services): Handler<Session, 'intent/import'> {
  return async (params) => {
    const document: Readonly<Record<string, unknown>> = { ...params.document };
    // Read before anything is kept: an intent comes in whole or not at all.
    const checkpoint = readExportedCheckpoint(document['checkpoint']);
    const imported = intents.import(document, model.promptLimits.channels);
    const { intentId } = imported.intent;
    if (checkpoint && imported.sameModel)
      await checkpoints.import(intentId, checkpoint).catch((error: unknown) => {
        intents.delete(intentId);
        throw error;
      });
    const warnings = importWarnings(imported, document['modelId'], model.id, checkpoint !== undefined);
    return { intent: wire(intents.get(intentId)), warnings };
  };
}

function importWarnings(
  { intent, renamed, sameModel, foreign, images }: ImportedIntent,
  madeWith: unknown,
  modelId: string,
  refined: boolean,
): Warning[] {
  const warnings: Warning[] = [];
  if (renamed)
    warnings.push({
      name: 'IntentIdTaken',
      message: 'an intent with this id is here already; the import has a new one',
    });
  if (foreign > 0)
    warnings.push({
      name: 'IntentOfOtherModel',
      message: `"${intent.name}" was made with the model ${String(madeWith)}, this is ${modelId}: ${foreign} examples will be embedded again when the images that hold them are open: ${images.join(', ')}`,
    });
  if (refined && !sameModel)
    warnings.push({
      name: 'RefinementLeftOut',
      message: `the refinement of "${intent.name}" belongs to the other model and is left out`,
    });
  return warnings;
}

/** An intent as it is sent. */
export function wire(intent: Intent): WireIntent {
  return { ...intent, color: [...intent.color] };
}
