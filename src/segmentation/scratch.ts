/** Larger arrays are not kept, values: a whole image may be segmented at once, once. */
const KEPT = 1 << 20;

/**
 * An array that is used again by the next call: a search segments thousands of windows, and fresh arrays for each were a third of
 * its time, in the garbage collector. -> a function that gives `length` values of undefined content, valid until its next call
 */
export function scratch<T extends Int32Array | Uint16Array | Uint8Array | Float32Array>(
  make: new (length: number) => T,
): (length: number) => T {
  let kept = new make(0);
  return (length) => {
    if (length > KEPT) return new make(length);
    if (kept.length < length) kept = new make(length);
    return kept.subarray(0, length) as T;
  };
}
