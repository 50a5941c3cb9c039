import { fromCmyk } from './pixels';
import type { Samples } from './tiffBlocks';
import type { Colour } from './tiffReading';
import type { TiffDirectory } from './tiffTags';

/** Turns stored samples into 8-bit RGB: `channels` samples of each pixel at `data[pixel · channels]`. */
export type ToRgb = (data: Samples, pixels: number) => Uint8Array;

/** How many samples of a pixel the colours (and alpha) take. */
export const COLOUR_SAMPLES: Readonly<Record<Exclude<Colour, 'grey' | 'channels'>, number>> = {
  'grey and alpha': 2,
  RGB: 3,
  'RGB and alpha': 4,
  palette: 1,
  CMYK: 4,
  YCbCr: 3,
};

/** The sample values that show as white, for blocks that the writer left out. */
export function whiteSamples(
  colour: keyof typeof COLOUR_SAMPLES,
  high: number,
  colorMap: readonly number[],
): number[] {
  switch (colour) {
    case 'palette':
      return [whitestEntry(colorMap)];
    case 'CMYK':
      return [0, 0, 0, 0];
    case 'YCbCr':
      return [255, 128, 128];
    case 'RGB':
    case 'RGB and alpha':
    case 'grey and alpha':
      return Array<number>(COLOUR_SAMPLES[colour]).fill(high);
  }
}

/**
 * The conversion of a coloured picture.
 * @param high the value that stands for full (255, 65535, 4095 for 12 bits, 1 for floats)
 */
export function colourConversion(
  colour: keyof typeof COLOUR_SAMPLES,
  directory: TiffDirectory,
  high: number,
): ToRgb {
  switch (colour) {
    case 'palette':
      return fromPalette(directory.colorMap);
    case 'CMYK':
      return (data, pixels) => fromCmyk({ width: pixels, height: 1, data: data as Uint8Array }).data;
    case 'YCbCr':
      // Inside JPEG the decoder has turned it into RGB.
      return directory.compression === 7 ? scaled(high) : fromYCbCr(directory.referenceBlackWhite);
    case 'RGB and alpha':
      return overWhite(3, directory, high);
    case 'grey and alpha':
      return overWhite(1, directory, high);
    case 'RGB':
      return scaled(high);
  }
}

function scaled(high: number): ToRgb {
  const scale = 255 / high;
  return (data) => {
    if (data instanceof Uint8Array && high === 255) return data;
    const rgb = new Uint8ClampedArray(data.length);
    for (let at = 0; at < data.length; at += 1) rgb[at] = data[at]! * scale;
    return new Uint8Array(rgb.buffer);
  };
}

/** Transparency over white, as on a light table. Alpha always spans its whole type. */
function overWhite(colours: 1 | 3, directory: TiffDirectory, high: number): ToRgb {
  const premultiplied = directory.extraSamples[0] === 1;
  const scale = 255 / high;
  return (data, pixels) => {
    const samples = colours + 1;
    const full = data instanceof Uint8Array ? 255 : data instanceof Uint16Array ? 65535 : 1;
    const rgb = new Uint8ClampedArray(pixels * 3);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      const from = pixel * samples;
      const alpha = Math.min(1, data[from + colours]! / full);
      for (let channel = 0; channel < 3; channel += 1) {
        const value = data[from + (colours === 1 ? 0 : channel)]! * scale;
        rgb[pixel * 3 + channel] = (premultiplied ? value : value * alpha) + 255 * (1 - alpha);
      }
    }
    return new Uint8Array(rgb.buffer);
  };
}

/** ColorMap: all reds, then all greens, then all blues, 16 bit. Some writers put 8 bit there. */
function fromPalette(colorMap: readonly number[]): ToRgb {
  const entries = colorMap.length / 3;
  const divisor = Math.max(...colorMap) < 256 ? 1 : 257;
  const colours = Uint8Array.from(colorMap, (value) => Math.round(value / divisor));
  return (data, pixels) => {
    const rgb = new Uint8Array(pixels * 3);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      for (let channel = 0; channel < 3; channel += 1)
        rgb[pixel * 3 + channel] = colours[channel * entries + data[pixel]!] ?? 0;
    }
    return rgb;
  };
}

function whitestEntry(colorMap: readonly number[]): number {
  const entries = colorMap.length / 3;
  let best = 0;
  const light = (entry: number): number =>
    colorMap[entry]! + colorMap[entries + entry]! + colorMap[2 * entries + entry]!;
  for (let entry = 1; entry < entries; entry += 1) if (light(entry) > light(best)) best = entry;
  return best;
}

/** TIFF 6.0 section 21, with the luma of ITU-R BT.601 and the reference values of the file. */
function fromYCbCr(reference: readonly number[]): ToRgb {
  const [yBlack = 0, yWhite = 255, cbZero = 128, cbFull = 255, crZero = 128, crFull = 255] = reference;
  const [red, green, blue] = [0.299, 0.587, 0.114];
  return (data, pixels) => {
    const rgb = new Uint8ClampedArray(pixels * 3);
    for (let at = 0; at < pixels * 3; at += 3) {
      const y = ((data[at]! - yBlack) * 255) / (yWhite - yBlack);
      const cb = ((data[at + 1]! - cbZero) * 127) / (cbFull - cbZero);
      const cr = ((data[at + 2]! - crZero) * 127) / (crFull - crZero);
      const r = cr * (2 - 2 * red) + y;
      const b = cb * (2 - 2 * blue) + y;
      rgb[at] = r;
      rgb[at + 1] = (y - blue * b - red * r) / green;
      rgb[at + 2] = b;
    }
    return new Uint8Array(rgb.buffer);
  };
}
