import { startServer } from '../composition';
import { BridgeError } from '../errors';
import { openSlideSearch, setting, type Surroundings } from './command';
import { RpcClient } from './rpcClient';
import { connectIfRunning } from './runningServer';

/** Which server to work with. */
export interface ServerChoice {
  readonly stateFolder: string;
  /** Folders that a server started here may read; a running one keeps its own. */
  readonly roots?: readonly string[] | undefined;
  /** Redis or Valkey: batches are searched by the workers there. A running server must have one itself. */
  readonly queue?: string | undefined;
  /** Of a server started here; SAMPO_DEVICE when absent. */
  readonly device?: string | undefined;
}

/**
 * Does `work` with the server of a state folder: the one that runs, else one in this process that ends with the work.
 * @throws what starting, connecting and `work` throw
 */
export async function withServer<T>(
  { stateFolder, roots = [], queue, device }: ServerChoice,
  around: Surroundings,
  work: (client: RpcClient) => Promise<T>,
): Promise<T> {
  const running = await connectIfRunning(stateFolder);
  if (running)
    return closing(running, async (client) => {
      if (queue !== undefined) await requireQueue(client);
      return work(client);
    });
  const server = await startServer({
    stateFolder,
    roots,
    openSlide: openSlideSearch(undefined, around),
    queue,
    device: device ?? setting(around, 'SAMPO_DEVICE'),
    model: setting(around, 'SAMPO_MODEL'),
  });
  try {
    return await closing(await RpcClient.connect(server), work);
  } finally {
    await server.close();
  }
}

/** @throws BridgeError `NotAvailable` for a server that would search everything itself */
async function requireQueue(client: RpcClient): Promise<void> {
  const { workers } = await client.request('server/status', {});
  if (workers === undefined)
    throw new BridgeError('NotAvailable', 'the running server has no queue', {
      hint: 'stop it (sampo stop) and start it with: sampo serve --queue URL; or leave --queue out',
    });
}

async function closing<T>(client: RpcClient, work: (client: RpcClient) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
