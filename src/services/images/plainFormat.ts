import { BridgeError, isBridgeError } from '../../errors';
import type { Warning } from '../warning';
import { bytesInMemory, withFile, type ByteSource } from './byteSource';
import { profileWarnings } from './colourProfile';
import { decodeFile, isJpeg, isPng, type Decoding } from './imageDecoder';
import type { ImageFormat, ImageLimits, ImageSource, PixelRectangle, RgbSource } from './imageSource';
import { readJpegHeader } from './jpegHeader';
import { choosePixelSize, type SizeSource } from './pixelSize';
import { fromCmyk, toRgb8, type RgbPixels } from './pixels';
import { readPngHeader } from './pngHeader';
import { sampleWindows } from './sampling';
import { resolutionSources } from './tiffMetadata';
import { readTiffDirectories } from './tiffTags';
import { seenValues, wideRange } from './valueRange';

/** PNG, by its first bytes: a file called .png may be an SVG that fetches other files. */
export const pngFormat: ImageFormat = {
  name: 'PNG',
  sniff: isPng,
  open: (path, limits) => named('PNG', async () => plainSource(path, await pngPicture(path), limits)),
};

/** JPEG. An `.mrxs` file is a JPEG too, but only the thumbnail of a slide that lies in the folder beside it. */
export const jpegFormat: ImageFormat = {
  name: 'JPEG',
  sniff: (header, path) => isJpeg(header) && !/\.mrxs$/i.test(path),
  open: (path, limits) => named('JPEG', async () => plainSource(path, await jpegPicture(path), limits)),
};

/** A picture of one level, as its header describes it. */
interface PlainPicture {
  readonly format: 'PNG' | 'JPEG';
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  /** Samples of a pixel as a viewer would count them. */
  readonly samples: number;
  readonly decoding: Decoding;
  /** Bits that carry the value, where the file says so. */
  readonly significantBits: number | undefined;
  readonly sizeSources: readonly SizeSource[];
  readonly warnings: readonly Warning[];
}

async function pngPicture(path: string): Promise<PlainPicture> {
  return withFile(path, async (file) => {
    const header = await readPngHeader(file);
    const { width, height, bitDepth, colourType, transparency, density } = header;
    const grey = colourType === 0 || colourType === 4;
    const alpha = colourType === 4 || colourType === 6 || transparency;
    const sizeSources: SizeSource[] =
      density === undefined
        ? []
        : density.metre
          ? [{ from: 'PNG pHYs', x: 1e6 / density.x, y: 1e6 / density.y }]
          : [{ from: 'PNG pHYs', problem: 'it gives the proportions of a pixel, not its size' }];
    const exif = await exifOf(header.exif);
    return {
      format: 'PNG',
      width,
      height,
      bitsPerSample: bitDepth === 16 ? 16 : 8,
      samples: (grey ? 1 : 3) + (alpha ? 1 : 0),
      // Less than 8 bits come spread over 0 to 255, palettes as their colours.
      decoding: { wide: bitDepth === 16, colours: grey ? 'grey' : 'rgb', strict: false },
      significantBits: bitDepth === 16 ? header.significantBits : undefined,
      sizeSources: [...sizeSources, ...exif.sizeSources],
      warnings: [...exif.warnings, ...profileWarnings(header.colourProfile)],
    };
  });
}

async function jpegPicture(path: string): Promise<PlainPicture> {
  return withFile(path, async (file: ByteSource) => {
    const header = await readJpegHeader(file);
    const { width, height, precision, components, density } = header;
    if (precision !== 8 || ![1, 3, 4].includes(components)) {
      throw new BridgeError(
        'UnsupportedImage',
        `a JPEG of ${components} samples with ${precision} bits cannot be read by the server`,
        { hint: 'open the image in the viewer and use source "client"' },
      );
    }
    const exif = await exifOf(header.exif);
    const perUnit = density?.unit === 1 ? 25_400 : density?.unit === 2 ? 10_000 : undefined;
    const jfif: SizeSource[] =
      density === undefined || density.x === 0 || (perUnit === undefined && density.x === density.y)
        ? []
        : perUnit === undefined
          ? [{ from: 'JFIF density', problem: 'it gives the proportions of a pixel, not its size' }]
          : [{ from: 'JFIF density', x: perUnit / density.x, y: perUnit / (density.y || density.x) }];
    const cmyk: Warning[] =
      components === 4
        ? [
            {
              name: 'ColoursConverted',
              message: 'the picture is stored as CMYK; it is turned into RGB without a colour profile',
            },
          ]
        : [];
    return {
      format: 'JPEG',
      width,
      height,
      bitsPerSample: 8,
      samples: components,
      decoding: {
        wide: false,
        colours: components === 1 ? 'grey' : components === 3 ? 'rgb' : 'cmyk',
        strict: true,
      },
      significantBits: undefined,
      sizeSources: [...jfif, ...exif.sizeSources],
      warnings: [...exif.warnings, ...cmyk, ...profileWarnings(header.colourProfile)],
    };
  });
}

/** What EXIF says: it is a TIFF of tags alone. A broken one says nothing. */
async function exifOf(exif: Buffer | undefined): Promise<{ sizeSources: SizeSource[]; warnings: Warning[] }> {
  if (exif === undefined) return { sizeSources: [], warnings: [] };
  const directory = await readTiffDirectories(bytesInMemory(exif)).then(
    ([first]) => first,
    () => undefined,
  );
  if (directory === undefined) return { sizeSources: [], warnings: [] };
  const { orientation } = directory;
  const message = `the file asks to be shown turned (Orientation ${orientation}); it is read as stored`;
  return {
    sizeSources: resolutionSources(directory, undefined).map((source) => ({
      ...source,
      from: `EXIF ${source.from}`,
    })),
    warnings: orientation > 1 ? [{ name: 'OrientationIgnored', message }] : [],
  };
}

async function plainSource(
  path: string,
  picture: PlainPicture,
  { imagePixels }: ImageLimits,
): Promise<ImageSource> {
  const { format, width, height, samples, decoding, bitsPerSample, sizeSources } = picture;
  if (width * height > imagePixels) {
    const pixels = width * height;
    throw new BridgeError(
      'ImageTooLarge',
      `${pixels} pixels would have to be decoded at once, ${imagePixels} are allowed`,
      { hint: 'use a tiled pyramidal file, or raise the limit imagePixels', pixels, limit: imagePixels },
    );
  }
  const levels = [{ width, height, downsample: 1 }];
  const range = await rangeOf(path, picture);
  const file = {
    format,
    picture: `${format}: the whole file`,
    width,
    height,
    levels,
    bitsPerSample,
    pixelSize: choosePixelSize(sizeSources),
    warnings: [...picture.warnings, ...range.warnings],
    tiled: false,
    close: () => Promise.resolve(),
  };
  if (samples === 1) {
    return {
      ...file,
      kind: 'channels',
      channels: [{ name: 'grey' }],
      range: { low: 0, high: range.high },
      readRegion: async (_, rectangle, wanted) => {
        const { data, channels } = await decodeFile(path, rectangle, decoding);
        const grey = channels === 1 ? data : data.filter((_value, at) => at % channels === 0);
        return { width: rectangle.width, height: rectangle.height, channels: wanted.length, data: grey };
      },
    };
  }
  const rgb: RgbSource = {
    ...file,
    kind: 'rgb',
    channels: Array.from({ length: samples }, (_, index) => ({
      name: samples < 3 ? (index === 0 ? 'grey' : 'alpha') : ['red', 'green', 'blue', 'alpha'][index]!,
    })),
    readRegion: (_, rectangle) => readRgb(path, rectangle, decoding, range.high),
  };
  return rgb;
}

async function readRgb(
  path: string,
  rectangle: PixelRectangle,
  decoding: Decoding,
  high: number,
): Promise<RgbPixels> {
  const pixels = await decodeFile(path, rectangle, decoding);
  return decoding.colours === 'cmyk' ? fromCmyk(pixels) : toRgb8(pixels, high);
}

/** The value that stands for full; of 16-bit pictures what the file says, else what its values say. */
async function rangeOf(
  path: string,
  picture: PlainPicture,
): Promise<{ high: number; warnings: readonly Warning[] }> {
  if (!picture.decoding.wide) return { high: 255, warnings: [] };
  const { width, height, samples, decoding, significantBits } = picture;
  const { rectangles } = sampleWindows([{ width, height, downsample: 1 }], false);
  const { data, channels } = await decodeFile(path, rectangles[0]!, decoding);
  const hasAlpha = samples === 2 || samples === 4;
  const seen = seenValues([hasAlpha ? data.filter((_, at) => at % channels !== channels - 1) : data]);
  // libpng leaves values as stored: bits that sBIT does not count are at the lower end, so those above it tell.
  return wideRange(seen.most < 2 ** (significantBits ?? 16) ? significantBits : undefined, 'sBIT', seen);
}

/** Any failure of opening as one that names the kind of file. */
async function named<T>(format: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBridgeError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BridgeError('ImageUnreadable', `the ${format} file cannot be read: ${reason}`, {
      reason,
      hint: 'the file is damaged or was cut: copy it again from its source',
    });
  }
}
