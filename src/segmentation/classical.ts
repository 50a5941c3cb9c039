import type { LabelImage } from './components';
import { segmentInstances, DEFAULT_INSTANCE_OPTIONS, type InstanceOptions } from './instances';
import { stainDensities } from './measurements';
import type { RgbImage } from './preprocess';

/**
 * Nuclei the classical way, as a baseline: haematoxylin by colour deconvolution (Ruifrok and Johnston 2001), Gaussian blur, Otsu's
 * threshold, distance transform, marker-controlled watershed.
 */
export function segmentClassically(
  { width, height, data }: RgbImage,
  options: InstanceOptions = DEFAULT_INSTANCE_OPTIONS,
): LabelImage {
  const stain = new Float32Array(width * height);
  for (let i = 0; i < stain.length; i++)
    stain[i] = stainDensities(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!)[0];
  const smooth = gaussian(stain, width, height, 1);
  const threshold = otsuThreshold(smooth);
  const mask = Uint8Array.from(smooth, (value) => (value > threshold ? 1 : 0));
  const distance = distanceTransform(mask, width, height);
  const inside = distance.filter((value) => value > 0).sort();
  // Heights relative to a large nucleus, on which the markers' threshold is defined.
  const reference = Math.max(1, inside[Math.floor(0.95 * (inside.length - 1))] ?? 1);
  const heights = gaussian(distance, width, height, 1).map((value) => value / reference);
  const logits = Float32Array.from(mask, (value) => (value === 1 ? 10 : -10));
  return segmentInstances(logits, heights, width, height, options);
}

/** Otsu's threshold (1979): the cut that separates the two classes' means most, on 256 bins of the values' range. */
export function otsuThreshold(values: Float32Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const width = (high - low) / 256;
  if (!(width > 0)) return low;
  const bins = new Float64Array(256);
  for (const value of values) bins[Math.min(255, Math.floor((value - low) / width))]!++;
  const total = bins.reduce((sum, count, i) => sum + count * i, 0);
  let [below, sum, best, cut] = [0, 0, -1, 0];
  for (let i = 0; i < 255; i++) {
    below += bins[i]!;
    sum += bins[i]! * i;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sum / below - (total - sum) / above) ** 2;
    if (between > best) [best, cut] = [between, i];
  }
  return low + (cut + 1) * width;
}

/** Euclidean distance of each non-zero pixel's centre to the nearest zero one, px (Felzenszwalb and Huttenlocher 2012); beyond the image nothing is known. */
export function distanceTransform(mask: Uint8Array, width: number, height: number): Float32Array {
  const far = width + height;
  const squares = Float64Array.from(mask, (value) => (value === 0 ? 0 : far * far));
  const line = (start: number, step: number, length: number): void => {
    const values = Float64Array.from({ length }, (_, i) => squares[start + i * step]!);
    const places = new Int32Array(length);
    const bounds = new Float64Array(length + 1);
    let top = 0;
    bounds[0] = -Infinity;
    bounds[1] = Infinity;
    for (let q = 1; q < length; q++) {
      const meets = (p: number): number => (values[q]! + q * q - values[p]! - p * p) / (2 * (q - p));
      let s = meets(places[top]!);
      while (s <= bounds[top]!) s = meets(places[--top]!);
      places[++top] = q;
      bounds[top] = s;
      bounds[top + 1] = Infinity;
    }
    for (let q = 0, k = 0; q < length; q++) {
      while (bounds[k + 1]! < q) k++;
      squares[start + q * step] = (q - places[k]!) ** 2 + values[places[k]!]!;
    }
  };
  for (let x = 0; x < width; x++) line(x, width, height);
  for (let y = 0; y < height; y++) line(y * width, 1, width);
  return Float32Array.from(squares, (value) => Math.min(far, Math.sqrt(value)));
}

/** Gaussian blur cut at 3 sigma; the border continues outward. */
function gaussian(values: Float32Array, width: number, height: number, sigma: number): Float32Array {
  const reach = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const along = (from: Float32Array, horizontal: boolean): Float32Array => {
    const out = new Float32Array(from.length);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        let sum = 0;
        for (let k = -reach; k <= reach; k++) {
          const cx = horizontal ? Math.max(0, Math.min(width - 1, x + k)) : x;
          const cy = horizontal ? y : Math.max(0, Math.min(height - 1, y + k));
          sum += kernel[k + reach]! * from[cy * width + cx]!;
        }
        out[i] = sum / total;
      }
    return out;
  };
  return along(along(values, true), false);
}
