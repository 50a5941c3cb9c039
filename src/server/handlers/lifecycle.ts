import { BridgeError } from '../../errors';
import type { Handler } from '../../protocol/handler';
import { PROTOCOL_VERSION, speaks } from '../../protocol/version';
import type { Services } from '../services';
import type { Session } from '../session';

/** `initialize` */
export function initialize(services: Services): Handler<Session, 'initialize'> {
  return async (params, { session }) => {
    if (!speaks(params.protocolVersion)) {
      throw new BridgeError(
        'VersionMismatch',
        `this server speaks protocol ${PROTOCOL_VERSION}, the client ${params.protocolVersion}`,
        {
          server: PROTOCOL_VERSION,
          client: params.protocolVersion,
        },
      );
    }
    session.client = { name: params.client.name, version: params.client.version ?? '' };
    const { device } = await services.engineReport();
    return {
      protocolVersion: PROTOCOL_VERSION,
      server: { name: 'sampo', version: services.version },
      capabilities: { methods: [...services.available] },
      limits: services.limits,
      device,
    };
  };
}

/** `shutdown`: the connection itself cancels what runs. */
export const shutdown: Handler<Session, 'shutdown'> = async () => null;

/** `server/status` */
export function status(services: Services): Handler<Session, 'server/status'> {
  return async () => {
    const { engine, device } = await services.engineReport();
    return {
      version: services.version,
      protocolVersion: PROTOCOL_VERSION,
      pid: process.pid,
      uptimeSeconds: (Date.now() - services.startedAt) / 1000,
      rssBytes: process.memoryUsage.rss(),
      clients: services.clientCount(),
      openImages: services.images.list().length,
      device,
      engine,
      limits: services.limits,
    };
  };
}

/** `server/stop`: answered first, then the process ends. */
export function stop(services: Services): Handler<Session, 'server/stop'> {
  return async () => {
    setTimeout(() => services.stop(), 20);
    return null;
  };
}

/** `rpc.discover` */
export function discover(services: Services): Handler<Session, 'rpc.discover'> {
  return async () => services.openrpc;
}
