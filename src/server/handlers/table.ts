import type { HandlerTable } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';
import * as batch from './batch';
import * as checkpoints from './checkpoints';
import * as graphs from './graphs';
import * as images from './images';
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
    'intent/create': intents.create(services),
    'intent/update': intents.update(services),
    'intent/list': intents.list(services),
    'intent/get': intents.get(services),
    'intent/delete': intents.remove(services),
    'intent/export': intents.exportDocument(services),
    'intent/import': intents.importDocument(services),
    'segment/prompt': segment.prompt(services),
    'segment/threshold': segment.threshold(services),
    'preference/submit': preferences.submit(services),
    'preference/list': preferences.list(services),
    'preference/undo': preferences.undo(services),
    'preference/redo': preferences.redo(services),
    'review/next': preferences.next(services),
    'training/start': training.start(services),
    'training/status': training.status(services),
    'training/stop': training.stop(services),
    'checkpoint/list': checkpoints.list(services),
    'checkpoint/activate': checkpoints.activate(services),
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
