/** Decoded pixels, row by row, channels interleaved: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint16Array;
}

/** What every read of an image gives: RGB, 8 bit. */
export interface RgbPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/**
 * Any pixels as 8-bit RGB. Grey is repeated; transparency is laid over white, as on a light table. 16 bit becomes 8 by
 * `round(255 · value / high)`, clamped.
 * @param high the 16-bit value that stands for full: 4095 for a camera of 12 bits
 */
export function toRgb8(pixels: Pixels, high = 65535): RgbPixels {
  const { width, height, channels, data } = pixels;
  const wide = data instanceof Uint16Array;
  if (channels === 3 && !wide) return { width, height, channels, data };
  const scale = wide ? 255 / high : 1;
  const greyLike = channels < 3;
  const alphaAt = channels === 2 ? 1 : channels === 4 ? 3 : -1;
  // Alpha always spans its whole type.
  const alphaScale = wide ? 1 / 65535 : 1 / 255;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const from = pixel * channels;
    const alpha = alphaAt < 0 ? 1 : data[from + alphaAt]! * alphaScale;
    for (let channel = 0; channel < 3; channel += 1) {
      const value = Math.min(255, data[from + (greyLike ? 0 : channel)]! * scale);
      rgb[pixel * 3 + channel] = Math.round(value * alpha + 255 * (1 - alpha));
    }
  }
  return { width, height, channels: 3, data: rgb };
}

/** CMYK (0 is no ink) as RGB without a colour profile: `255 · (1 − ink) · (1 − black)`. */
export function fromCmyk({ width, height, data }: Omit<Pixels, 'channels'>): RgbPixels {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const light = 255 - data[pixel * 4 + 3]!;
    for (let channel = 0; channel < 3; channel += 1)
      rgb[pixel * 3 + channel] = ((255 - data[pixel * 4 + channel]!) * light) / 255;
  }
  return { width, height, channels: 3, data: new Uint8Array(rgb.buffer) };
}

/** A rectangle in pixels, fractions allowed; x to the right, y down, from the corner of the first pixel. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The window of `pixels`, resampled to `width` × `height`: the area average where that is smaller, bilinear where it is
 * larger. Positions are pixel edges, so a window of whole pixels at its own size comes back unchanged.
 */
export function resample(pixels: RgbPixels, window: Window, width: number, height: number): RgbPixels {
  const columns = axisWeights(window.x, window.width, width, pixels.width);
  const rows = axisWeights(window.y, window.height, height, pixels.height);
  // Rows first would touch more memory; across first leaves `narrow` [pixels.height, width, 3].
  const narrow = new Float32Array(pixels.height * width * 3);
  for (let y = 0; y < pixels.height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const { first, weights } = columns[x]!;
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        let at = (y * pixels.width + first) * 3 + channel;
        for (const weight of weights) {
          sum += weight * pixels.data[at]!;
          at += 3;
        }
        narrow[(y * width + x) * 3 + channel] = sum;
      }
    }
  }
  const data = new Uint8Array(width * height * 3);
  const stride = width * 3;
  for (let y = 0; y < height; y += 1) {
    const { first, weights } = rows[y]!;
    for (let at = 0; at < stride; at += 1) {
      let sum = 0;
      for (let index = 0; index < weights.length; index += 1) {
        sum += weights[index]! * narrow[(first + index) * stride + at]!;
      }
      data[y * stride + at] = Math.round(sum);
    }
  }
  return { width, height, channels: 3, data };
}

interface Weights {
  readonly first: number;
  /** Of the source pixels from `first` on; they sum to 1. */
  readonly weights: readonly number[];
}

/** How each of `count` output pixels over [start, start + length) mixes source pixels 0 … limit − 1. */
function axisWeights(start: number, length: number, count: number, limit: number): Weights[] {
  const step = length / count;
  return Array.from({ length: count }, (_, index) => {
    if (step >= 1) return areaWeights(start + index * step, start + (index + 1) * step, limit);
    return linearWeights(start + (index + 0.5) * step - 0.5, limit);
  });
}

function areaWeights(from: number, to: number, limit: number): Weights {
  // Sums of fractions miss whole numbers by an ulp or two; without the margin a neighbour would join with weight 1e-16.
  const first = Math.min(limit - 1, Math.max(0, Math.floor(from + 1e-6)));
  const last = Math.min(limit, Math.max(first + 1, Math.ceil(to - 1e-6)));
  const covered = Array.from(
    { length: last - first },
    (_, index) => Math.min(to, first + index + 1) - Math.max(from, first + index),
  );
  const total = covered.reduce((sum, part) => sum + part, 0);
  return { first, weights: covered.map((part) => part / total) };
}

function linearWeights(centre: number, limit: number): Weights {
  const inside = Math.min(limit - 1, Math.max(0, centre));
  const first = Math.min(Math.max(0, limit - 2), Math.floor(inside));
  const fraction = inside - first;
  return limit === 1 ? { first: 0, weights: [1] } : { first, weights: [1 - fraction, fraction] };
}

/** A copy of a rectangle of whole pixels inside `pixels`. */
export function crop(pixels: RgbPixels, { x, y, width, height }: Window): RgbPixels {
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    const from = ((y + row) * pixels.width + x) * 3;
    data.set(pixels.data.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, channels: 3, data };
}
