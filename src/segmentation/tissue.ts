import { otsuThreshold } from './classical';
import { connectedComponents, labelAreas } from './components';
import type { RgbImage } from './preprocess';

/** Where tissue lies in a small picture of an image: 1 inside, [height * width]. */
export interface TissueMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Light that passes glass is never taken for darker than this: in a picture of tissue alone the brightest part is no glass. */
const DARKEST_GLASS = 180;
/**
 * Mean optical density over the channels from which a place is tissue. Otsu's threshold is kept between these: where there is
 * tissue alone it would cut through it, and where there is none it would cut through noise.
 */
const DENSITY = { least: 0.03, most: 0.05 } as const;
/** Smaller pieces are dust, smaller holes belong to the tissue, µm². */
const LEAST_PIECE = 10_000;
const LEAST_HOLE = 50_000;

/**
 * Finds tissue on bright ground by the light it takes: optical density against the brightest part of the picture, smoothed,
 * thresholded (Otsu 1979, within bounds), dust dropped and small holes filled. Fluorescence is found once it is rendered as
 * stains on white. @param micronsPerPixel of the picture, 4 to 32 serve best
 */
export function findTissue(picture: RgbImage, micronsPerPixel: number): TissueMask {
  const { width, height } = picture;
  const density = smoothed(opticalDensity(picture), width, height);
  const otsu = otsuThreshold(density);
  const threshold = Math.min(DENSITY.most, Math.max(DENSITY.least, otsu));
  const data = Uint8Array.from(density, (value) => (value >= threshold ? 1 : 0));
  const pixels = (area: number): number => area / micronsPerPixel ** 2;
  turnSmall(data, width, height, 0, pixels(LEAST_HOLE));
  turnSmall(data, width, height, 1, pixels(LEAST_PIECE));
  return { width, height, data };
}

/** Share of a mask that is tissue, 0..1. */
export function tissueShare({ data }: TissueMask): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

/** Mean over the channels of −log10(value / glass), 0 for what is as bright as the glass. [height * width] */
function opticalDensity({ width, height, data }: RgbImage): Float32Array {
  // Glass is grey: one brightness for all channels, or the brightest eosin would pass for it.
  const glass = Math.max(DARKEST_GLASS, brightest(data, 0), brightest(data, 1), brightest(data, 2));
  const table = Float32Array.from({ length: 256 }, (_, value) =>
    Math.max(0, -Math.log10(Math.max(1, value) / glass)),
  );
  const density = new Float32Array(width * height);
  for (let i = 0; i < density.length; i++)
    density[i] = (table[data[3 * i]!]! + table[data[3 * i + 1]!]! + table[data[3 * i + 2]!]!) / 3;
  return density;
}

/** The 99.5th percentile of a channel: a few saturated pixels are no glass. */
function brightest(data: Uint8Array, channel: number): number {
  const counts = new Uint32Array(256);
  for (let i = channel; i < data.length; i += 3) counts[data[i]!]!++;
  let above = 0;
  for (let value = 255; value > 0; value--) {
    above += counts[value]!;
    if (above >= 0.005 * (data.length / 3)) return value;
  }
  return 0;
}

/** Mean over the 3 x 3 neighbourhood, inside the picture. */
function smoothed(values: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      let count = 0;
      for (let dy = Math.max(0, y - 1); dy <= Math.min(height - 1, y + 1); dy++)
        for (let dx = Math.max(0, x - 1); dx <= Math.min(width - 1, x + 1); dx++) {
          sum += values[dy * width + dx]!;
          count++;
        }
      out[y * width + x] = sum / count;
    }
  return out;
}

/** Turns regions of `value` that are smaller than `least` pixels into the other value, in place. */
function turnSmall(data: Uint8Array, width: number, height: number, value: 0 | 1, least: number): void {
  const regions = connectedComponents(
    Uint8Array.from(data, (found) => (found === value ? 1 : 0)),
    width,
    height,
    8,
  );
  const areas = labelAreas(regions);
  for (let i = 0; i < data.length; i++) {
    const label = regions.labels[i]!;
    if (label !== 0 && areas[label]! < least) data[i] = value === 1 ? 0 : 1;
  }
}
