import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join, relative, isAbsolute, sep } from 'node:path';

/** A stretch of a stored value, as zarrita asks for it. */
type Stretch = { offset: number; length: number } | { suffixLength: number };

/**
 * A Zarr hierarchy in a local folder, as zarrita reads one: `undefined` where nothing is stored. Unlike zarrita's own, it never
 * follows a link out of the folder, and a value that ends too early is an error, not zeros.
 */
export class ZarrFolder {
  readonly #root: string;
  readonly #missed = new WeakSet<object>();

  /** @param root real path of the folder */
  constructor(root: string) {
    this.#root = root;
  }

  /** @param options of zarrita's caller; remembered when nothing is stored, see `missed` */
  async get(key: string, options?: object): Promise<Uint8Array | undefined> {
    const bytes = await this.#reading(key, async (file, size) => this.#bytes(file, key, 0, size));
    if (bytes === undefined && options !== undefined) this.#missed.add(options);
    return bytes;
  }

  /** Whether the call that was given these options found nothing: zarrita itself answers with the fill value. */
  missed(options: object): boolean {
    return this.#missed.has(options);
  }

  async getRange(key: string, stretch: Stretch): Promise<Uint8Array | undefined> {
    return this.#reading(key, async (file, size) =>
      'suffixLength' in stretch
        ? this.#bytes(file, key, size - stretch.suffixLength, stretch.suffixLength)
        : this.#bytes(file, key, stretch.offset, stretch.length),
    );
  }

  async #reading(
    key: string,
    read: (file: FileHandle, size: number) => Promise<Uint8Array>,
  ): Promise<Uint8Array | undefined> {
    let path: string;
    try {
      path = await realpath(join(this.#root, key));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    const way = relative(this.#root, path);
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
      throw new Error(`${key} is a link out of the folder`);
    const file = await open(path, 'r');
    try {
      const found = await file.stat();
      // A folder where a value should be holds no value; a pipe could wait for ever.
      if (!found.isFile()) return undefined;
      return await read(file, found.size);
    } finally {
      await file.close();
    }
  }

  async #bytes(file: FileHandle, key: string, offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let bytesRead = 0;
    if (offset >= 0) ({ bytesRead } = await file.read(bytes, 0, length, offset));
    if (bytesRead < length) throw new Error(`${key} ends too early`);
    return bytes;
  }
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
