import type { ChannelSource, ImageSource, RgbSource } from './imageSource';

/** A source as the RGB picture that is searched: itself, or its first channel as grey between the ends of its range. */
export function asRgb(source: ImageSource): RgbSource {
  return source.kind === 'rgb' ? source : greySource(source);
}

function greySource(source: ChannelSource): RgbSource {
  const { low, high } = source.range;
  const scale = 255 / (high - low);
  return {
    ...source,
    kind: 'rgb',
    readRegion: async (level, rectangle, signal) => {
      const { width, height, data } = await source.readRegion(level, rectangle, [0], signal);
      const rgb = new Uint8ClampedArray(3 * width * height);
      data.forEach((value, pixel) => rgb.fill((value - low) * scale, 3 * pixel, 3 * pixel + 3));
      return { width, height, channels: 3, data: new Uint8Array(rgb.buffer) };
    },
  };
}
