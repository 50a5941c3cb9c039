import type { Tensor } from '../tensor';
import { float32Tensor } from '../tensor';

/** A manifest's normalization: `(value * scale - mean[c]) / std[c]` per channel. */
export interface Normalization {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** An 8-bit RGB image, rows from the top, channels interleaved: data [height * width * 3]. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** RGB8 -> normalised float32 [1, 3, height, width]. @throws RangeError when the pixels do not fit the size. */
export function normalizeRgb(image: RgbImage, normalization: Normalization): Tensor {
  const { width, height, data } = image;
  const plane = width * height;
  if (data.length !== plane * 3)
    throw new RangeError(`an RGB image of ${width} x ${height} has ${plane * 3} bytes, got ${data.length}`);
  const out = new Float32Array(plane * 3);
  for (let c = 0; c < 3; c++) {
    const table = Float32Array.from(
      { length: 256 },
      (_, value) => (value * normalization.scale - normalization.mean[c]!) / normalization.std[c]!,
    );
    for (let i = 0, at = c * plane; i < plane; i++, at++) out[at] = table[data[i * 3 + c]!]!;
  }
  return float32Tensor([1, 3, height, width], out);
}

/** How a tile that reaches beyond the image is filled: its mirror image, or white (an empty slide). */
export type Padding = 'reflect' | 'white';

/** The image enlarged to `size` x `size` px at its right and bottom; unchanged when it already has that size. @throws RangeError when larger. */
export function padTile(image: RgbImage, size: number, padding: Padding = 'reflect'): RgbImage {
  const { width, height, data } = image;
  if (width > size || height > size || width < 1 || height < 1)
    throw new RangeError(`cannot pad ${width} x ${height} to ${size} x ${size}`);
  if (width === size && height === size) return image;
  const out = new Uint8Array(size * size * 3).fill(255);
  for (let y = 0; y < size; y++) {
    if (padding === 'white' && y >= height) break;
    const row = mirror(y, height) * width;
    for (let x = 0; x < size; x++) {
      if (padding === 'white' && x >= width) break;
      const from = (row + mirror(x, width)) * 3;
      const to = (y * size + x) * 3;
      out[to] = data[from]!;
      out[to + 1] = data[from + 1]!;
      out[to + 2] = data[from + 2]!;
    }
  }
  return { width: size, height: size, data: out };
}

/** Index of `i` in an axis mirrored about its last pixel, which is not repeated: 0 1 2 1 0 1 2 ... */
function mirror(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = i % period;
  return at < length ? at : period - at;
}
