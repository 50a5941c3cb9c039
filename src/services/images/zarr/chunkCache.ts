/** Decoded chunks, up to `bytes` of them; the one that was used longest ago goes first. Asked for twice at once, decoded once. */
export class ChunkCache<Chunk extends { readonly values: { readonly byteLength: number } }> {
  readonly #limit: number;
  readonly #chunks = new Map<string, { chunk: Promise<Chunk>; bytes: number }>();
  #bytes = 0;

  constructor(bytes: number) {
    this.#limit = bytes;
  }

  get(key: string, decode: () => Promise<Chunk>): Promise<Chunk> {
    const known = this.#chunks.get(key);
    if (known !== undefined) {
      this.#chunks.delete(key);
      this.#chunks.set(key, known);
      return known.chunk;
    }
    const entry = { chunk: decode(), bytes: 0 };
    this.#chunks.set(key, entry);
    entry.chunk.then(
      ({ values }) => {
        if (this.#chunks.get(key) !== entry) return;
        entry.bytes = values.byteLength;
        this.#bytes += entry.bytes;
        this.#shrink();
      },
      () => this.#remove(key),
    );
    return entry.chunk;
  }

  /** Forgets the chunks whose key begins with `prefix`. */
  forget(prefix: string): void {
    for (const key of [...this.#chunks.keys()]) if (key.startsWith(prefix)) this.#remove(key);
  }

  #shrink(): void {
    for (const [key, { bytes }] of this.#chunks) {
      if (this.#bytes <= this.#limit) return;
      // One that is still being decoded has no size yet and frees nothing.
      if (bytes > 0) this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#chunks.get(key)?.bytes ?? 0;
    this.#chunks.delete(key);
  }
}
