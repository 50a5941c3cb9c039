import { isBridgeError } from '../../errors';
import { packageVersion } from '../../packageFiles';
import { connectionFilePath, processExists, readConnectionFile } from '../../server/connectionFile';
import { RpcClient } from '../rpcClient';
import { failed, note, ok, problem, type Finding } from './finding';

/** The server of a state folder: whether it runs and answers, its version, protocol and roots. */
export async function serverCheck(stateFolder: string): Promise<Finding> {
  const path = connectionFilePath(stateFolder);
  const info = readConnectionFile(path);
  if (!info) return note('server', 'none runs', 'start one with: sampo serve --root FOLDER_OF_YOUR_IMAGES');
  if (!processExists(info.pid))
    return note(
      'server',
      `none runs; ${path} is left over from process ${info.pid}, which was killed`,
      'nothing to do: the next start replaces it',
    );
  try {
    const client = await RpcClient.connect(info);
    const status = await client.request('server/status', {});
    await client.close();
    const roots =
      status.roots.length > 0
        ? `reads images below ${status.roots.join(' and ')}`
        : 'reads no images by path';
    const found = `${status.version} at ${info.url}, process ${status.pid}, protocol ${status.protocolVersion}, ${roots}`;
    if (status.version !== packageVersion())
      return problem(
        'server',
        `${found}; this is ${packageVersion()}`,
        'stop it and start this one: sampo stop, then sampo serve',
      );
    return status.roots.length > 0
      ? ok('server', found)
      : note('server', found, 'to open files by path: sampo serve --root FOLDER_OF_YOUR_IMAGES');
  } catch (error) {
    if (isBridgeError(error) && error.errorName === 'VersionMismatch')
      return problem('server', error.message, 'stop it with the version that started it, then: sampo serve');
    return failed('server', error, 'stop that process, then: sampo serve');
  }
}
