import { SILENT, type Log } from '../../log';
import { createHash } from 'node:crypto';
import { EmbeddingFiles } from './embeddingFiles';
import type { EncodedTile } from '../models/promptableModel';

/** Sizes and place of the cache. */
export interface EmbeddingCacheOptions {
  /** Kept in memory alone when absent. */
  readonly folder?: string;
  /** Bytes in memory; 192 MiB when absent (about 128 tiles of sampo-tiny). */
  readonly memoryBytes?: number;
  /** Bytes on disk; 4 GiB when absent. */
  readonly diskBytes?: number;
  readonly log?: Log | undefined;
}

/** Where a cached tile came from. */
export interface CachedTile {
  readonly tile: EncodedTile;
  /** False when it had to be computed. */
  readonly cached: boolean;
  /** Equal keys, equal tiles. */
  readonly key: string;
}

const MIB = 1 << 20;
/** channels, side, stride, pixels of a map, values of `extra`: uint32 each, little-endian. */
const HEADER_BYTES = 20;

/** Key of a tile, hex: whatever tells its pixels and the model that encoded them apart. */
export function embeddingKey(...parts: readonly (string | number | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = part instanceof Uint8Array ? part : Buffer.from(String(part));
    hash.update(`${bytes.length}:`).update(bytes); // lengths keep ["ab", "c"] and ["a", "bc"] apart
  }
  return hash.digest('hex');
}

/** Encoded tiles of all clients, in memory and on disk, least recently used first out; computed once however many ask. */
export class EmbeddingCache {
  readonly #memory = new Map<string, EncodedTile>();
  readonly #pending = new Map<string, Promise<CachedTile>>();
  readonly #writing = new Set<Promise<void>>();
  readonly #capacity: number;
  readonly #files: EmbeddingFiles | undefined;
  readonly #log: Log;
  #bytes = 0;

  constructor(options: EmbeddingCacheOptions = {}) {
    const { folder, memoryBytes = 192 * MIB, diskBytes = 4096 * MIB, log = SILENT } = options;
    this.#capacity = memoryBytes;
    this.#log = log;
    this.#files = folder === undefined ? undefined : new EmbeddingFiles(folder, diskBytes, log);
  }

  /** Bytes held in memory. */
  get memoryBytes(): number {
    return this.#bytes;
  }

  /** The tile under a key, computed by `make` when nobody has it. @throws what `make` throws */
  async get(key: string, make: () => Promise<EncodedTile>): Promise<CachedTile> {
    const held = this.#memory.get(key);
    if (held !== undefined) {
      this.#memory.delete(key);
      this.#memory.set(key, held);
      return { tile: held, cached: true, key };
    }
    const pending = this.#pending.get(key);
    // The other caller may have been cancelled: then this one computes it for itself.
    if (pending !== undefined) return pending.catch(() => this.get(key, make));
    const found = this.#find(key, make);
    this.#pending.set(key, found);
    try {
      return await found;
    } finally {
      this.#pending.delete(key);
    }
  }

  /** Resolves when everything is on disk. */
  async close(): Promise<void> {
    await Promise.all(this.#writing);
  }

  async #find(key: string, make: () => Promise<EncodedTile>): Promise<CachedTile> {
    const bytes = await this.#files?.read(key);
    const read = bytes === undefined ? undefined : unpack(bytes);
    if (bytes !== undefined && read === undefined)
      this.#log(`a cached embedding has another form and will be computed again: ${key}`);
    const tile = read ?? (await make());
    this.#hold(key, tile);
    if (read === undefined && this.#files !== undefined) {
      const writing: Promise<void> = this.#files
        .write(key, pack(tile))
        .finally(() => this.#writing.delete(writing));
      this.#writing.add(writing);
    }
    return { tile, cached: read !== undefined, key };
  }

  #hold(key: string, tile: EncodedTile): void {
    this.#memory.set(key, tile);
    this.#bytes += tileBytes(tile);
    for (const [oldest, old] of this.#memory) {
      if (this.#bytes <= this.#capacity) break;
      this.#memory.delete(oldest);
      this.#bytes -= tileBytes(old);
    }
  }
}

function tileBytes({ embedding, nucleusLogits, distanceMap, extra }: EncodedTile): number {
  const { byteLength = 0 } = extra ?? {};
  return embedding.data.byteLength + nucleusLogits.byteLength + distanceMap.byteLength + byteLength;
}

function pack({ embedding, nucleusLogits, distanceMap, extra }: EncodedTile): Uint8Array[] {
  const header = Buffer.alloc(HEADER_BYTES);
  const { channels, side, stride } = embedding;
  const counts = [channels, side, stride, nucleusLogits.length, extra?.length ?? 0];
  counts.forEach((value, i) => header.writeUInt32LE(value, 4 * i));
  const bytes = (values: Float32Array): Uint8Array =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [header, ...[embedding.data, nucleusLogits, distanceMap, ...(extra ? [extra] : [])].map(bytes)];
}

function unpack(bytes: Uint8Array): EncodedTile | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true));
  const [channels = 0, side = 0, stride = 0, pixels = 0, more = 0] = counts;
  const cells = channels * side * side;
  if (bytes.length !== HEADER_BYTES + 4 * (cells + 2 * pixels + more)) return undefined;
  // One copy puts the values on a boundary of four bytes (`slice` of a Buffer would be none).
  const values = new Float32Array(Uint8Array.from(bytes.subarray(HEADER_BYTES)).buffer);
  return {
    embedding: { data: values.subarray(0, cells), channels, side, stride },
    nucleusLogits: values.subarray(cells, cells + pixels),
    distanceMap: values.subarray(cells + pixels, cells + 2 * pixels),
    ...(more > 0 && { extra: values.subarray(cells + 2 * pixels) }),
  };
}
