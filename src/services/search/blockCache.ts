import type { KnownLooks } from './nucleusReader';
import type { BlockMemo, BlockNuclei } from '../../segmentation/blockNuclei';

const MIB = 1 << 20;
/** Of a nucleus with its looks, beside its pixels and vertices. */
const OBJECT_BYTES = 1000;

/** The nuclei of all blocks that were searched lately, least recently used first out: only the intents of a new search are computed anew. */
export class BlockCache implements BlockMemo {
  readonly #blocks = new Map<string, { readonly nuclei: BlockNuclei; readonly bytes: number }>();
  #bytes = 0;
  /** What the nuclei look like; goes with them. */
  readonly looks: KnownLooks = new WeakMap();

  /** @param capacity bytes; the default holds about 10,000 x 10,000 px of dense tissue */
  constructor(private readonly capacity = 128 * MIB) {}

  /** Bytes held, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): BlockNuclei | undefined {
    const held = this.#blocks.get(key);
    if (held === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, held);
    return held.nuclei;
  }

  set(key: string, nuclei: BlockNuclei): void {
    this.#bytes -= this.#blocks.get(key)?.bytes ?? 0;
    this.#blocks.delete(key);
    const bytes = nuclei.reduce((sum, one) => sum + sizeOf(one), 2 * key.length);
    this.#blocks.set(key, { nuclei, bytes });
    this.#bytes += bytes;
    for (const [oldest, old] of this.#blocks) {
      if (this.#bytes <= this.capacity) break;
      this.#blocks.delete(oldest);
      this.#bytes -= old.bytes;
    }
  }
}

function sizeOf({ outline, pixels }: BlockNuclei[number]): number {
  const values = outline.reduce((sum, part) => part.reduce((inner, ring) => inner + ring.length, sum), 0);
  return OBJECT_BYTES + pixels.byteLength + 8 * values;
}
