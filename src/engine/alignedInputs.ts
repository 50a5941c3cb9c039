import type { TensorData } from '../tensor';

// ONNX Runtime sums in another order where a tensor begins at another place of a cache line, and its results then differ in the
// last bit. A tensor that came in a message begins wherever the names before it ended. Memory of WebAssembly begins at a page,
// which JavaScript's own buffers do not, so every input is copied to a place of its own there: equal inputs, equal bits.

/** What Node 20 has of WebAssembly's memory, of which its types know nothing without those of a browser. */
interface PagedMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: { Memory: new (options: { initial: number; maximum: number }) => PagedMemory };

const PAGE = 65_536;
/** Larger than any vector register and cache line. */
const ALIGNMENT = 128;
/** Inputs that are larger together are used where they are, bytes: a copy of a gigabyte costs more than a last bit. */
const MOST_BYTES = 2 ** 30;

/** Room for the inputs of one run at a time, each at a place that depends on nothing but the sizes of those before it. */
export class AlignedInputs {
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_BYTES / PAGE });

  /** Copies inputs, in their order; the copies of an earlier call are no longer valid. */
  place<T extends TensorData>(inputs: readonly T[]): readonly T[] {
    let end = 0;
    const offsets = inputs.map(({ byteLength }) => {
      const offset = end;
      end = Math.ceil((offset + byteLength) / ALIGNMENT) * ALIGNMENT;
      return offset;
    });
    if (end > MOST_BYTES) return inputs;
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    const { buffer } = this.#memory;
    return inputs.map((input, i) => {
      const View = input.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
      const copy = new View(buffer, offsets[i]!, input.length);
      copy.set(input as never);
      return copy;
    });
  }
}
