const { imul } = Math; // called for every character

/** Mixes 32-bit words as MurmurHash3 does (Appleby, public domain). */
function murmur3(text: string, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let k = imul(text.charCodeAt(i), 0xcc9e2d51);
    k = imul((k << 15) | (k >>> 17), 0x1b873593);
    hash ^= k;
    hash = (imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A UUID (version 8 of RFC 9562) that depends on `key` and the position alone, so that the same object keeps its name from run
 * to run. @param key names the image and what must tell objects apart @param x, y full-resolution px, used to 0.01
 */
export function stableUuid(key: string, x: number, y: number): string {
  const text = `${key}\n${x.toFixed(2)}\n${y.toFixed(2)}`;
  const hex = [0x9747b28c, 0x85ebca6b, 0x27d4eb2f, 0x165667b1]
    .map((seed) => murmur3(text, seed).toString(16).padStart(8, '0'))
    .join('');
  const variant = ((parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
