import { BridgeError, isBridgeError } from '../errors';
import { connectionFilePath, processExists, readConnectionFile } from '../server/connectionFile';
import { RpcClient } from './rpcClient';

/** Connects to the server that runs on a state folder. @throws BridgeError `NoServer`, `ConnectionRefused`, `TokenRefused` */
export async function connectRunning(stateFolder: string): Promise<RpcClient> {
  const path = connectionFilePath(stateFolder);
  const info = readConnectionFile(path);
  const hint = 'start one with: sampo serve';
  if (!info) throw new BridgeError('NoServer', `no server runs (no connection file at ${path})`, { hint });
  if (!processExists(info.pid))
    throw new BridgeError('NoServer', `no server runs (process ${info.pid} of ${path} is gone)`, { hint });
  return RpcClient.connect(info);
}

/** The same; undefined when none runs, or its connection file was left over. @throws BridgeError `TokenRefused` */
export async function connectIfRunning(stateFolder: string): Promise<RpcClient | undefined> {
  try {
    return await connectRunning(stateFolder);
  } catch (error) {
    if (isBridgeError(error) && ['NoServer', 'ConnectionRefused'].includes(error.errorName)) return undefined;
    throw error;
  }
}
