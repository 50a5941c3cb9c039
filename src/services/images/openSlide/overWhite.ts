import type { SlidePixels } from './openSlideQuestions';

/**
 * OpenSlide's pixels as RGB. Where the scanner left something out they are transparent, and become white, as glass is.
 * @param words premultiplied ARGB, one a pixel: alpha in the highest byte
 */
export function overWhite(words: Uint32Array, width: number, height: number): SlidePixels {
  const opaque = opaqueRgb(words);
  if (opaque !== undefined) return { width, height, channels: 3, data: opaque, leftOut: 0 };
  // Clamped: a seam of two half-covered pixels may be brighter than its alpha.
  const data = new Uint8ClampedArray(3 * words.length);
  let leftOut = 0;
  for (let pixel = 0, at = 0; pixel < words.length; pixel += 1, at += 3) {
    const word = words[pixel]!;
    const glass = 255 - (word >>> 24);
    data[at] = ((word >>> 16) & 255) + glass;
    data[at + 1] = ((word >>> 8) & 255) + glass;
    data[at + 2] = (word & 255) + glass;
    if (glass === 255) leftOut += 1;
  }
  return { width, height, channels: 3, data: new Uint8Array(data.buffer), leftOut };
}

/** The common case in half the time: pixels without transparency, four ARGB words to three of RGB; undefined for others. */
function opaqueRgb(words: Uint32Array): Uint8Array | undefined {
  const grouped = words.length - (words.length % 4);
  const data = new Uint8Array(3 * words.length);
  // Little-endian, as every system that Node runs on today is.
  const packed = new Uint32Array(data.buffer, 0, (3 * grouped) / 4);
  let alpha = 255 << 24;
  for (let from = 0, to = 0; from < grouped; from += 4, to += 3) {
    const a = words[from]!;
    const b = words[from + 1]!;
    const c = words[from + 2]!;
    const d = words[from + 3]!;
    alpha &= a & b & c & d;
    packed[to] = ((a >>> 16) & 255) | (a & 0xff00) | ((a & 255) << 16) | ((b & 0xff0000) << 8);
    packed[to + 1] = ((b >>> 8) & 255) | ((b & 255) << 8) | (c & 0xff0000) | ((c & 0xff00) << 16);
    packed[to + 2] = (c & 255) | ((d >>> 8) & 0xff00) | ((d & 0xff00) << 8) | (d << 24);
  }
  for (let pixel = grouped; pixel < words.length; pixel += 1) {
    const word = words[pixel]!;
    alpha &= word;
    data.set([(word >>> 16) & 255, (word >>> 8) & 255, word & 255], 3 * pixel);
  }
  return alpha >>> 24 === 255 ? data : undefined;
}
