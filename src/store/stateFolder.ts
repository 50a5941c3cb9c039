import { existsSync, mkdirSync } from 'node:fs';
import { dirname, posix, win32 } from 'node:path';
import { storageError } from './storageErrors';

/**
 * Where this user's state belongs: `$XDG_STATE_HOME/sampo` or `~/.local/state/sampo`, `~/Library/Application Support/sampo`
 * on macOS, `%LOCALAPPDATA%\sampo` on Windows. A relative `XDG_STATE_HOME` is ignored, as the XDG specification asks.
 */
export function defaultStateFolder(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local'), 'sampo');
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'sampo');
  const xdg = env['XDG_STATE_HOME'];
  const base = xdg !== undefined && posix.isAbsolute(xdg) ? xdg : posix.join(home, '.local', 'state');
  return posix.join(base, 'sampo');
}

/**
 * Creates a folder with what is missing above it. @throws what the system says: on a read-only disk Node's own recursive way
 * says ENOENT, which would send the user looking for a missing folder
 */
export function makeFolder(folder: string, mode = 0o777): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') mkdirSync(firstMissing(folder), { mode });
    throw error;
  }
}

/** The topmost folder that has to be made for `folder`; `folder` itself when it is there. */
export function firstMissing(folder: string): string {
  const above = dirname(folder);
  return existsSync(folder) || existsSync(above) || above === folder ? folder : firstMissing(above);
}

/** Creates the folder, readable by this user alone, with what is missing above it. @throws BridgeError `StoreReadOnly`, `DiskFull` */
export function createStateFolder(folder: string): void {
  try {
    makeFolder(folder, 0o700);
  } catch (error) {
    throw storageError(error, folder);
  }
}
