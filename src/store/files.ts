import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BridgeError } from '../errors';
import { errorCode, storageError } from './storageErrors';

/** Hex SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Hex SHA-256 and size of a file too large for memory. @throws what reading it throws, `AbortError` */
export async function sha256OfFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * Writes a whole file or leaves the old one: beside it first, synced, then renamed over it.
 * @param mode of the file; for its owner alone when absent
 * @returns the hex SHA-256 to read it back with
 * @throws BridgeError `DiskFull`, `StoreReadOnly`
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, mode = 0o600): Promise<string> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw storageError(error, path);
  }
  return sha256(bytes);
}

/**
 * Reads a file that must have this SHA-256.
 * @throws BridgeError `FileNotFound`, or `FileDamaged` when the bytes are others than those written
 */
export async function readFileChecked(path: string, expected: string): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new BridgeError('FileNotFound', `the file ${path} is gone`, { path });
    }
    throw storageError(error, path);
  }
  const actual = sha256(bytes);
  if (actual !== expected) {
    throw new BridgeError('FileDamaged', `the file ${path} is not what was written`, {
      path,
      expected,
      actual,
    });
  }
  return bytes;
}

/** Makes the rename itself durable; Windows has no such call for folders and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
