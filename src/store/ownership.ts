import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError, isBridgeError } from '../errors';
import { Database } from './database';
import { storageError } from './storageErrors';

/**
 * Makes this process the one owner of a state folder. The lock is an open exclusive transaction on a file of its own:
 * the operating system lets go of it when the process ends, however it ends, so there is no stale lock to clean up.
 * @returns the way to give it up
 * @throws BridgeError `StoreLocked` with the owner's `pid`
 */
export function takeOwnership(folder: string): () => void {
  const lock = Database.open(join(folder, 'owner.lock'), 0);
  const pidFile = join(folder, 'owner.pid');
  try {
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    if (!isBridgeError(error) || error.errorName !== 'StoreLocked') throw storageError(error, pidFile);
    const pid = ownerPid(pidFile);
    throw new BridgeError(
      'StoreLocked',
      `the state folder ${folder} is in use by process ${pid ?? '(unknown)'}`,
      {
        hint: 'use the server that runs already, stop it, or give this one another state folder',
        path: folder,
        ...(pid === undefined ? {} : { pid }),
      },
    );
  }
  return () => lock.close();
}

function ownerPid(pidFile: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}
