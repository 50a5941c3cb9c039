/** The largest buffer that a Blosc chunk may claim, bytes. */
const MOST_BYTES = 2 ** 30;
const HEADER_BYTES = 16;

/**
 * What is wrong with a Blosc buffer by its header, undefined when nothing is. numcodecs decodes one that was cut short to other
 * values without a word, since its library trusts the lengths. Header: little-endian, bytes 4 to 7 decoded length, 12 to 15
 * length of the buffer (https://github.com/Blosc/c-blosc, README_CHUNK_FORMAT).
 */
export function bloscFault(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength < HEADER_BYTES) return `${bytes.byteLength} bytes are no Blosc buffer`;
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const decoded = header.getUint32(4, true);
  const encoded = header.getUint32(12, true);
  if (encoded !== bytes.byteLength) return `it has ${bytes.byteLength} of ${encoded} bytes`;
  return decoded > MOST_BYTES ? `it claims to hold ${decoded} bytes` : undefined;
}
