import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a client finds and enters the running server. */
export interface ConnectionInfo {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly protocolVersion: string;
}

/** Where the connection file of a state folder lies. */
export function connectionFilePath(stateFolder: string): string {
  return join(stateFolder, 'connection.json');
}

/** Writes the file whole or not at all, readable by this user alone (0600). */
export function writeConnectionFile(path: string, info: ConnectionInfo): void {
  const draft = `${path}.${info.pid}.new`;
  writeFileSync(draft, JSON.stringify(info), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

/** Reads the file; undefined when there is none or it cannot be understood. */
export function readConnectionFile(path: string): ConnectionInfo | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<ConnectionInfo>;
    const { url, token, pid, protocolVersion } = value;
    if (
      typeof url !== 'string' ||
      typeof token !== 'string' ||
      typeof pid !== 'number' ||
      typeof protocolVersion !== 'string'
    )
      return undefined;
    return { url, token, pid, protocolVersion };
  } catch {
    return undefined;
  }
}

/** Whether a process with this id runs (and may be signalled or not). One that has ended and waits for its parent to notice does not. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isZombie(pid);
}

/** Linux tells; elsewhere nobody is asked. */
function isZombie(pid: number): boolean {
  try {
    // "PID (NAME) STATE ...", and the name may hold brackets.
    return /\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Removes the file, unless another server has written its own meanwhile. */
export function removeConnectionFile(path: string, pid: number): void {
  if (readConnectionFile(path)?.pid === pid) rmSync(path, { force: true });
}
