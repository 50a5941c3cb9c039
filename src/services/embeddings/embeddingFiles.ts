import type { Log } from '../../log';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

const SUFFIX = '.tile';
const PART = '.part';
/** A file that is still being written after this time, ms, was left by a process that died. */
const PART_AGE = 600_000;
const CHECKSUM_BYTES = 32;
/** A full folder is emptied to this share, so that not every write has to look for the oldest. */
const EMPTIED_TO = 0.9;
/** Other processes write too: the folder is looked at again after writing this share of the capacity. */
const LOOK_AFTER = 1 / 16;

/**
 * Byte strings in a folder, least recently used first out. Several processes may share the folder: a file is written beside
 * its place and renamed into it, and holds the SHA-256 of its content, so nobody reads half a file. Faults of the disk are
 * told to `log` and otherwise are misses: it is a cache. The folder stays within the capacity, and a sixteenth of it for each further process.
 */
export class EmbeddingFiles {
  readonly #folder: string;
  readonly #capacity: number;
  readonly #log: Log;
  #bytes: number | undefined;
  /** Written since the folder was looked at. */
  #written = 0;
  #failing = false;

  /** @param capacity bytes */
  constructor(folder: string, capacity: number, log: Log) {
    this.#folder = folder;
    this.#capacity = capacity;
    this.#log = log;
  }

  /** The content under a key (hex), or `undefined`: absent, unreadable or damaged. */
  async read(key: string): Promise<Uint8Array | undefined> {
    const path = this.#path(key);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const content = bytes.subarray(CHECKSUM_BYTES);
    if (bytes.length < CHECKSUM_BYTES || !digest([content]).equals(bytes.subarray(0, CHECKSUM_BYTES))) {
      this.#log(`a cached embedding is damaged and will be computed again: ${path}`);
      await rm(path, { force: true }).catch(() => undefined);
      return undefined;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined); // last use, for whoever has to make room
    return content;
  }

  /** Keeps content under a key, making room first. */
  async write(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.byteLength, CHECKSUM_BYTES);
    if (size > this.#capacity) return;
    const temporary = join(this.#folder, `.${randomBytes(8).toString('hex')}${PART}`);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      await this.#makeRoom(size);
      const file = await open(temporary, 'wx', 0o600);
      try {
        const { bytesWritten } = await file.writev([digest(parts), ...parts]);
        if (bytesWritten !== size) throw new Error(`only ${bytesWritten} of ${size} bytes were written`);
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path(key));
      this.#bytes = (this.#bytes ?? 0) + size;
      this.#written += size;
      this.#failing = false;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (!this.#failing) this.#log(`embeddings are not kept on disk: ${String(error)}`);
      this.#failing = true;
    }
  }

  /** Looks at the folder when it may be full, and removes what was used longest ago. */
  async #makeRoom(size: number): Promise<void> {
    const known = this.#bytes !== undefined && this.#written < this.#capacity * LOOK_AFTER;
    if (known && this.#bytes! + size <= this.#capacity) return;
    const names = await readdir(this.#folder);
    const now = Date.now();
    const files = await Promise.all(
      names
        .filter((name) => name.endsWith(SUFFIX) || name.endsWith(PART))
        .map(async (name) => {
          const path = join(this.#folder, name);
          const found = await stat(path).catch(() => undefined);
          const dead = name.endsWith(PART) && found !== undefined && now - found.mtimeMs > PART_AGE;
          return { path, bytes: found?.size ?? 0, used: found?.mtimeMs ?? now, dead };
        }),
    );
    for (const { path, dead } of files) if (dead) await rm(path, { force: true });
    const kept = files.filter(({ path, dead }) => !dead && path.endsWith(SUFFIX));
    let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total + size > this.#capacity) {
      kept.sort((a, b) => a.used - b.used);
      for (const { path, bytes } of kept) {
        if (total + size <= this.#capacity * EMPTIED_TO) break;
        await rm(path, { force: true });
        total -= bytes;
      }
    }
    this.#bytes = total;
    this.#written = 0;
  }

  #path(key: string): string {
    return join(this.#folder, key + SUFFIX);
  }
}

function digest(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
