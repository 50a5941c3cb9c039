import { decodeRegion, isJpeg, isPng, readImageHeader, type ImageHeader } from './imageDecoder';
import type { ImageFormat, ImageLimits, RgbSource } from './imageSource';

/** PNG, by its first bytes: a file called .png may be an SVG that fetches other files. */
export const pngFormat: ImageFormat = { name: 'PNG', sniff: isPng, open: openPlain };

/** JPEG. An `.mrxs` file is a JPEG too, but only the thumbnail of a slide that lies in the folder beside it. */
export const jpegFormat: ImageFormat = {
  name: 'JPEG',
  sniff: (header, path) => isJpeg(header) && !/\.mrxs$/i.test(path),
  open: openPlain,
};

async function openPlain(path: string, { imagePixels }: ImageLimits): Promise<RgbSource> {
  return headerSource(path, await readImageHeader(path, imagePixels));
}

/** A file that sharp reads as it is. */
export function headerSource(path: string, header: ImageHeader): RgbSource {
  const { width, height, levels, pixelSizeMicrons, warnings, tiled, bitsPerSample } = header;
  return {
    kind: 'rgb',
    format: header.format.toUpperCase(),
    width,
    height,
    levels,
    bitsPerSample,
    channels: ['red', 'green', 'blue', 'alpha'].slice(0, header.channels).map((name) => ({ name })),
    pixelSize: {
      microns: pixelSizeMicrons,
      from: pixelSizeMicrons === null ? null : 'the file',
      warnings: warnings.filter(({ name }) => name.startsWith('PixelSize')),
    },
    warnings: warnings.filter(({ name }) => !name.startsWith('PixelSize')),
    tiled,
    readRegion: (level, rectangle) => decodeRegion(path, header, levels[level]!, rectangle),
    close: () => Promise.resolve(),
  };
}
