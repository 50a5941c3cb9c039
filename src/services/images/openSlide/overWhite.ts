import type { SlidePixels } from './openSlideQuestions';

/**
 * OpenSlide's pixels as RGB. Where the scanner left something out they are transparent, and become white, as glass is.
 * @param words premultiplied ARGB, one a pixel: alpha in the highest byte
 */
export function overWhite(words: Uint32Array, width: number, height: number): SlidePixels {
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
