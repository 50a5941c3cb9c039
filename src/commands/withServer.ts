import { startServer } from '../composition';
import { isBridgeError } from '../errors';
import { connectionFilePath, processExists, readConnectionFile } from '../server/connectionFile';
import { openSlideSearch, type Surroundings } from './command';
import { RpcClient } from './rpcClient';

/** Which server to work with. */
export interface ServerChoice {
  readonly stateFolder: string;
  /** Folders that a server started here may read; a running one keeps its own. */
  readonly roots?: readonly string[];
  /** Of a server started here; SAMPO_DEVICE when absent. */
  readonly device?: string;
}

/**
 * Does `work` with the server of a state folder: the one that runs, else one in this process that ends with the work.
 * @throws what starting, connecting and `work` throw
 */
export async function withServer<T>(
  { stateFolder, roots = [], device }: ServerChoice,
  around: Surroundings,
  work: (client: RpcClient) => Promise<T>,
): Promise<T> {
  const running = await connectRunning(stateFolder);
  if (running) return closing(running, work);
  const wanted = device ?? around.env['SAMPO_DEVICE'];
  const model = around.env['SAMPO_MODEL'];
  const server = await startServer({
    stateFolder,
    roots,
    openSlide: openSlideSearch(undefined, around),
    ...(wanted ? { device: wanted } : {}),
    ...(model ? { model } : {}),
  });
  try {
    return await closing(await RpcClient.connect(server), work);
  } finally {
    await server.close();
  }
}

/** The running server's client; undefined when none runs or its file is left over. */
async function connectRunning(stateFolder: string): Promise<RpcClient | undefined> {
  const info = readConnectionFile(connectionFilePath(stateFolder));
  if (!info || !processExists(info.pid)) return undefined;
  return RpcClient.connect(info).catch((error: unknown) => {
    if (isBridgeError(error) && error.errorName === 'ConnectionRefused') return undefined;
    throw error;
  });
}

async function closing<T>(client: RpcClient, work: (client: RpcClient) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
