import { BridgeError } from '../../errors';
import type { Handler } from '../../protocol/handler';
import type { ServerStatusResult } from '../../protocol/types.gen';
import { PROTOCOL_VERSION, speaks } from '../../protocol/version';
import type { QueueView } from '../../services/batch/cluster/unitQueue';
import type { Services } from '../services';
import type { Session } from '../session';

/** `initialize` @param methods those that have a handler */
export function initialize(services: Services, methods: () => string[]): Handler<Session, 'initialize'> {
  return async (params, { session, afterAnswer }) => {
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
    afterAnswer(() => (session.initialized = true));
    const { device } = await services.engineReport();
    return {
      protocolVersion: PROTOCOL_VERSION,
      server: { name: 'sampo', version: services.version },
      capabilities: { methods: methods() },
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
      clients: services.sessions.count,
      openImages: services.images.list().length,
      device,
      engine,
      roots: services.roots,
      limits: services.limits,
      ...(services.queue && { workers: workersOf(services.queue.view()) }),
    };
  };
}

function workersOf({ address, connected, workers }: QueueView): NonNullable<ServerStatusResult['workers']> {
  return {
    address,
    connected,
    list: workers.map(({ name, kind, trouble, fits }) => ({
      name,
      version: kind.version,
      modelId: kind.modelId,
      fits,
      trouble,
    })),
  };
}

/** `server/stop`: answered first, then the process ends. */
export function stop(services: Services): Handler<Session, 'server/stop'> {
  return async (_params, { afterAnswer }) => {
    afterAnswer(() => services.stop());
    return null;
  };
}

/** `rpc.discover` */
export function discover(services: Services): Handler<Session, 'rpc.discover'> {
  return async () => services.openrpc;
}
