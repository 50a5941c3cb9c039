import { mkdirSync } from 'node:fs';
import { posix, win32 } from 'node:path';
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

/** Creates the folder, readable by this user alone, with what is missing above it. @throws BridgeError `StoreReadOnly`, `DiskFull` */
export function createStateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageError(error, folder);
  }
}
