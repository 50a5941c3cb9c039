import type { HandlerTable } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';
import * as batch from './batch';
import * as checkpoints from './checkpoints';
import * as graphs from './graphs';
import * as images from './images';
import { tellsOthers } from './intentNews';
import * as intents from './intents';
import * as lifecycle from './lifecycle';
import * as models from './models';
import * as preferences from './preferences';
import * as segment from './segment';
import * as training from './training';

/** Every method this server has, one handler each. */
export function handlerTable(services: Services): HandlerTable<Session> {
  const table: HandlerTable<Session> = {
    initialize: lifecycle.initialize(services, () => Object.keys(table)),
    shutdown: lifecycle.shutdown,
    'server/status': lifecycle.status(services),
    'server/stop': lifecycle.stop(services),
    'rpc.discover': lifecycle.discover(services),
    'image/open': images.open(services),
    'image/close': images.close(services),
    'image/region': images.region(services),
    'intent/create': tellsOthers(services, intents.create(services), (_, { intent }) => [intent.intentId]),
    'intent/update': tellsOthers(services, intents.update(services), (_, { intent }) => [intent.intentId]),
    'intent/list': intents.list(services),
    'intent/get': intents.get(services),
    'intent/delete': tellsOthers(services, intents.remove(services), ({ intentId }) => [intentId]),
    'intent/export': intents.exportDocument(services),
    'intent/import': tellsOthers(services, intents.importDocument(services), (_, { intent }) => [
      intent.intentId,
    ]),
    'segment/prompt': tellsOthers(services, segment.prompt(services), segment.taught),
    'segment/threshold': segment.threshold(services),
    'preference/submit': tellsOthers(services, preferences.submit(services), ({ intentId }) => [intentId]),
    'preference/list': preferences.list(services),
    'preference/undo': tellsOthers(services, preferences.undo(services), ({ intentId }) => [intentId]),
    'preference/redo': tellsOthers(services, preferences.redo(services), ({ intentId }) => [intentId]),
    'review/next': preferences.next(services),
    'training/start': tellsOthers(services, training.start(services), ({ intentId }, { activated }) =>
      activated ? [intentId] : [],
    ),
    'training/status': training.status(services),
    'training/stop': training.stop(services),
    'checkpoint/list': checkpoints.list(services),
    'checkpoint/activate': tellsOthers(services, checkpoints.activate(services), ({ intentId }) => [
      intentId,
    ]),
    'checkpoint/delete': checkpoints.remove(services),
    'batch/start': batch.start(services),
    'batch/status': batch.status(services),
    'batch/list': batch.list(services),
    'batch/cancel': batch.cancel(services),
    'batch/resume': batch.resume(services),
    'model/list': models.list(services),
    'model/import': models.importFolder(services),
    'model/pull': models.pull(services),
    'model/load': graphs.load(services),
    'model/run': graphs.run(services),
    'model/release': graphs.release(services),
  };
  return table;
}
