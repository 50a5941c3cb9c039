import type { Warning } from '../warning';
import type { ChannelPixels, ChannelSource, ImageSource, RgbSource } from './imageSource';
import { sampleWindows } from './sampling';
import {
  chooseStains,
  DARK_MEDIAN,
  type Background,
  type Stain,
  type StainMap,
  type StainRequest,
} from './stains';

// From channels to the RGB picture that is searched. Fluorescence becomes a virtual stain: the value between the contrast
// limits of the whole picture, as optical density along the stain's colour, on white.

/** A picture to search, and how it came about. */
export interface RenderedSource {
  readonly source: RgbSource;
  readonly stains: StainMap;
  /** Contrast limits of the channels that are shown as stains, in the order of the map. */
  readonly limits: readonly Limits[];
  readonly warnings: readonly Warning[];
}

/** The values shown as nothing and as full. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

/** Optical densities (natural) of full stain in red, green and blue. Ruifrok and Johnston 2001. */
const COLOURS: Readonly<Record<Stain, readonly [number, number, number]>> = {
  haematoxylin: [0.65, 0.7, 0.29],
  eosin: [0.07, 0.99, 0.11],
  dab: [0.27, 0.57, 0.78],
};
/** How dense full stain is, and how it grows: found with fluorescence pictures and a brightfield model. */
const DENSITY: Readonly<Record<Stain, number>> = { haematoxylin: 1.6, eosin: 0.5, dab: 1.6 };
const GAMMA = 0.7;
/** Contrast limits, percentiles. */
const LOW_PERCENT = 1;
const HIGH_PERCENT = 99.8;
/** Steps of the table from value to colour; the eye and 8 bits tell no more apart. */
const STEPS = 4096;

/** An image file as the RGB picture that is searched, with a guessed or wanted stain map. @throws BridgeError `InvalidParams` */
export async function renderSource(
  source: ImageSource,
  request: StainRequest = 'auto',
): Promise<RenderedSource> {
  return source.kind === 'rgb' ? renderColours(source, request) : renderChannels(source, request);
}

/** The picture alone, with a guessed stain map. */
export async function asRgb(source: ImageSource): Promise<RgbSource> {
  return (await renderSource(source)).source;
}

async function renderChannels(source: ChannelSource, request: StainRequest): Promise<RenderedSource> {
  const { channels, range } = source;
  const background = request === 'auto' ? await backgroundOf(source) : 'dark';
  const { map, warnings } = chooseStains(request, channels, background);
  if (map === 'rgb') return { source: plainColours(source), stains: map, limits: [], warnings };
  const wanted = map.map(({ channel }) => channel);
  const values = await sampleChannels(source, wanted);
  const limits = wanted.map((_, index) => contrastLimits(columnOf(values, index), range));
  const tables = map.map(({ stain }) => transmissions(stain));
  const rgb: RgbSource = {
    ...source,
    kind: 'rgb',
    readRegion: async (level, rectangle, signal) => {
      const pixels = await source.readRegion(level, rectangle, wanted, signal);
      return {
        width: pixels.width,
        height: pixels.height,
        channels: 3,
        data: stained(pixels, limits, tables),
      };
    },
  };
  return { source: rgb, stains: map, limits, warnings };
}

/** Bright or dark where nothing is. Red, green and blue that were saved as channels are all bright there. */
async function backgroundOf(source: ChannelSource): Promise<Background> {
  const { channels, range } = source;
  if (channels.length > 4 || channels.length === 2) return 'dark';
  const looked = channels.length === 1 ? [0] : [0, 1, 2];
  const values = await sampleChannels(source, looked);
  const columns = looked.map((_, index) => columnOf(values, index));
  if (channels.length === 1) return relativeMedian(columns[0]!) > DARK_MEDIAN ? 'bright' : 'dark';
  const shares = columns.map((column) => (median(column) - range.low) / (range.high - range.low));
  const mean = (shares[0]! + shares[1]! + shares[2]!) / 3;
  return mean > BRIGHT_MEAN && Math.min(...shares) > BRIGHT_LEAST ? 'bright' : 'dark';
}

/** Medians of stained tissue as a share of the range: of red, green and blue together, and of the darkest of them. */
const BRIGHT_MEAN = 0.4;
const BRIGHT_LEAST = 0.2;

/** Colours as they are; a grey picture on black that was saved as RGB is fluorescence all the same. */
async function renderColours(source: RgbSource, request: StainRequest): Promise<RenderedSource> {
  const channels = ['red', 'green', 'blue'].map((name) => ({ name }));
  if (request === 'rgb') return { source, stains: 'rgb', limits: [], warnings: [] };
  const split = colourChannels(source, channels);
  if (request !== 'auto') return renderChannels(split, request);
  const values = await sampleChannels(split, [0, 1, 2]);
  const brightest = Math.max(...[0, 1, 2].map((channel) => median(columnOf(values, channel))));
  const relative = Math.max(...[0, 1, 2].map((channel) => relativeMedian(columnOf(values, channel))));
  const grey = values.every(({ data }) =>
    data.every((value, at) => Math.abs(value - data[at - (at % 3)]!) <= 2),
  );
  if (grey && relative < DARK_MEDIAN) {
    const rendered = await renderChannels(split, [{ channel: 'red', stain: 'haematoxylin' }]);
    const message =
      'the picture is grey and dark where nothing is, so it is taken for fluorescence of nuclei and shown as haematoxylin (another choice: stains)';
    return { ...rendered, warnings: [{ name: 'StainsAssumed', message }] };
  }
  if (!grey && brightest < DARK_COLOUR) {
    const message =
      'the picture is dark where nothing is, like fluorescence in colours; it is read as it is: for fluorescence say which of red, green and blue shows the nuclei (stains)';
    return { source, stains: 'rgb', limits: [], warnings: [{ name: 'DarkBackground', message }] };
  }
  return { source, stains: 'rgb', limits: [], warnings: [] };
}

/** The brightest channel's median below which a coloured picture is dark; the darkest of 1,109 stained sections has 50. */
const DARK_COLOUR = 26;

/** Red, green and blue as three channels. */
function colourChannels(source: RgbSource, channels: ChannelSource['channels']): ChannelSource {
  return {
    ...source,
    kind: 'channels',
    channels,
    range: { low: 0, high: 255 },
    readRegion: async (level, rectangle, wanted, signal) => {
      const { width, height, data } = await source.readRegion(level, rectangle, signal);
      const picked = new Uint8Array(width * height * wanted.length);
      for (let pixel = 0; pixel < width * height; pixel += 1)
        wanted.forEach(
          (channel, index) => (picked[pixel * wanted.length + index] = data[pixel * 3 + channel]!),
        );
      return { width, height, channels: wanted.length, data: picked };
    },
  };
}

/** The first three channels as red, green and blue, or the only one as grey, between the ends of the range. */
function plainColours(source: ChannelSource): RgbSource {
  const wanted = source.channels.length >= 3 ? [0, 1, 2] : [0];
  const { low, high } = source.range;
  const scale = 255 / (high - low);
  return {
    ...source,
    kind: 'rgb',
    readRegion: async (level, rectangle, signal) => {
      const { width, height, data } = await source.readRegion(level, rectangle, wanted, signal);
      const rgb = new Uint8ClampedArray(3 * width * height);
      const repeat = 3 / wanted.length;
      for (let at = 0; at < rgb.length; at += 1) rgb[at] = (data[Math.floor(at / repeat)]! - low) * scale;
      return { width, height, channels: 3, data: new Uint8Array(rgb.buffer) };
    },
  };
}

/** What passes of red, green and blue at each step from nothing to full stain, [step * 3]. */
function transmissions(stain: Stain): Float32Array {
  const table = new Float32Array((STEPS + 1) * 3);
  for (let step = 0; step <= STEPS; step += 1) {
    const density = DENSITY[stain] * (step / STEPS) ** GAMMA;
    COLOURS[stain].forEach((colour, channel) => (table[step * 3 + channel] = Math.exp(-density * colour)));
  }
  return table;
}

function stained(
  { width, height, channels, data }: ChannelPixels,
  limits: readonly Limits[],
  tables: readonly Float32Array[],
): Uint8Array {
  const rgb = new Uint8Array(3 * width * height);
  const scales = limits.map(({ low, high }) => STEPS / (high - low));
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    let [red, green, blue] = [255, 255, 255];
    for (let channel = 0; channel < channels; channel += 1) {
      const value = (data[pixel * channels + channel]! - limits[channel]!.low) * scales[channel]!;
      // Comparisons with what is no number are false, so it is read as nothing.
      const step = value >= STEPS ? STEPS : value > 0 ? Math.round(value) : 0;
      const table = tables[channel]!;
      red *= table[step * 3]!;
      green *= table[step * 3 + 1]!;
      blue *= table[step * 3 + 2]!;
    }
    rgb[pixel * 3] = Math.round(red);
    rgb[pixel * 3 + 1] = Math.round(green);
    rgb[pixel * 3 + 2] = Math.round(blue);
  }
  return rgb;
}

/** Values of the windows that stand for the whole picture. Windows that cannot be decoded are told when they are searched. */
async function sampleChannels(source: ChannelSource, wanted: readonly number[]): Promise<ChannelPixels[]> {
  const { level, rectangles } = sampleWindows(source.levels, source.tiled);
  const parts: ChannelPixels[] = [];
  for (const rectangle of rectangles) {
    const part = await source.readRegion(level, rectangle, wanted).catch(() => undefined);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** Most values of a channel that are sorted. */
const MOST_VALUES = 500_000;

/** The values of one channel of several parts, thinned evenly, in rising order. */
function columnOf(parts: readonly ChannelPixels[], channel: number): Float64Array {
  const pixels = parts.reduce((sum, { width, height }) => sum + width * height, 0);
  const step = Math.max(1, Math.floor(pixels / MOST_VALUES));
  const values: number[] = [];
  for (const { width, height, channels, data } of parts) {
    for (let pixel = 0; pixel < width * height; pixel += step) {
      const value = data[pixel * channels + channel]!;
      if (Number.isFinite(value)) values.push(value);
    }
  }
  return Float64Array.from(values).sort();
}

function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.round(((sorted.length - 1) * percent) / 100))] ?? 0;
}

function median(sorted: Float64Array): number {
  return percentile(sorted, 50);
}

/** Where the median lies between the contrast limits, 0 to 1. */
function relativeMedian(sorted: Float64Array): number {
  const [low, high] = [percentile(sorted, LOW_PERCENT), percentile(sorted, HIGH_PERCENT)];
  return high > low ? (median(sorted) - low) / (high - low) : 1;
}

/** Contrast limits of a channel: the same for every tile, so a nucleus looks the same in each. */
function contrastLimits(sorted: Float64Array, range: Limits): Limits {
  const [low, high] = [percentile(sorted, LOW_PERCENT), percentile(sorted, HIGH_PERCENT)];
  // An empty channel has no contrast: noise must not be drawn out to full stain.
  const least = (range.high - range.low) / 255;
  return { low, high: Math.max(high, low + least) };
}
