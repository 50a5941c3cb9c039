import type { HandlerTable } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';
import * as graphs from './graphs';
import * as images from './images';
import * as lifecycle from './lifecycle';

/** Every method this server has, one handler each. */
export function handlerTable(services: Services): HandlerTable<Session> {
  return {
    initialize: lifecycle.initialize(services),
    shutdown: lifecycle.shutdown,
    'server/status': lifecycle.status(services),
    'server/stop': lifecycle.stop(services),
    'rpc.discover': lifecycle.discover(services),
    'image/open': images.open(services),
    'image/close': images.close(services),
    'image/region': images.region(services),
    'model/load': graphs.load(services),
    'model/run': graphs.run(services),
    'model/release': graphs.release(services),
  };
}
