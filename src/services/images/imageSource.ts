import type { Warning } from '../warning';
import type { RgbPixels } from './pixels';

// The declared shape of an image format. A format is a row of `IMAGE_FORMATS` (imageFormats.ts) and passes the suite of
// test/services/images/formatSuite.ts; whatever lies above (regions, downsampling, stains, search) knows only this.

/** What a format is given when it opens a file. */
export interface ImageLimits {
  /** Most pixels of an image, level or block that has to be decoded as a whole. */
  readonly imagePixels: number;
}

/** A kind of image file: how it is recognized and how it is opened. */
export interface ImageFormat {
  /** As people call it, e.g. `TIFF`. */
  readonly name: string;
  /**
   * Whether this row should try to open the file. Told by the content wherever possible, not by the name.
   * @param header the first bytes of the file (up to `HEADER_BYTES`); empty for a folder
   * @param path the real path of the file or folder
   */
  sniff(header: Uint8Array, path: string): boolean | Promise<boolean>;
  /** True when no other row may read what this one knows: a slide's thumbnail is not the slide. */
  readonly exclusive?: boolean;
  /**
   * Reads what the file says about itself; pixels only as far as that needs them.
   * @throws BridgeError `UnsupportedImage` for what this row cannot read rightly: the next row whose `sniff` says yes is
   * then asked, and the first refusal is told when none can. `ImageUnreadable`, `ImageTooLarge` end the search.
   */
  open(path: string, limits: ImageLimits): Promise<ImageSource>;
}

/** Bytes of a file that `ImageFormat.sniff` sees. */
export const HEADER_BYTES = 512;

/** One resolution of an image. */
export interface ImageLevel {
  /** px */
  readonly width: number;
  readonly height: number;
  /** Full-resolution pixels per pixel of this level; 1 for the first. */
  readonly downsample: number;
}

/** One channel of an image that is not simply RGB. */
export interface ImageChannel {
  /** As the file calls it, or `channel 1` and so on. */
  readonly name: string;
  /** Where the file says between which values the channel should be shown (OME-Zarr's omero window). */
  readonly window?: { readonly low: number; readonly high: number } | undefined;
}

/** A pixel size found in a file: µm per pixel, or null when the file has none that can be used. */
export interface PixelSize {
  readonly microns: number | null;
  /** The source that was used, e.g. `OME-XML PhysicalSizeX`; null where there is none. */
  readonly from: string | null;
  /** Sources that were there and could not be used, or an assumption that was made: whole sentences. */
  readonly warnings: readonly Warning[];
}

/** A rectangle of whole pixels of one level. */
export interface PixelRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Samples of a rectangle, row by row, channels interleaved: `data[(y · width + x) · channels + channel]`. */
export interface ChannelPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

interface OpenFile {
  /** The exact kind, e.g. `OME-TIFF`, `Aperio SVS`. */
  readonly format: string;
  /** Which picture of the file was taken and where its levels are, as a sentence for people. */
  readonly picture: string;
  /** Full resolution, px. */
  readonly width: number;
  readonly height: number;
  /** Finest first, not empty; the first is the full resolution. */
  readonly levels: readonly ImageLevel[];
  /** As stored, for display. */
  readonly bitsPerSample: number;
  readonly pixelSize: PixelSize;
  /** How the file was read: page, plane, what was assumed. Every assumption is here. */
  readonly warnings: readonly Warning[];
  /** True when a region can be read without decoding the rows above it. */
  readonly tiled: boolean;
  close(): Promise<void>;
}

/** A picture whose colours are what a viewer shows: brightfield. */
export interface RgbSource extends OpenFile {
  readonly kind: 'rgb';
  /** Of the stored picture, for display: 3, or 4 with alpha. */
  readonly channels: readonly ImageChannel[];
  /**
   * 8-bit RGB of a rectangle inside `levels[level]`: transparency and what the file leaves out laid over white.
   * @throws BridgeError `ImageUnreadable` naming the place, for pixels that cannot be decoded; never black instead of them
   */
  readRegion(level: number, rectangle: PixelRectangle, signal?: AbortSignal): Promise<RgbPixels>;
}

/** A grey picture (one channel) or one of several stains: values, which a stain map turns into colours. */
export interface ChannelSource extends OpenFile {
  readonly kind: 'channels';
  readonly channels: readonly ImageChannel[];
  /** The values that stand for nothing and for full: 0 and 255, 65535, 4095 (12 bits), 1 (float). */
  readonly range: { readonly low: number; readonly high: number };
  /**
   * The values of `wanted` channels (indices) of a rectangle inside `levels[level]`, interleaved in that order.
   * @throws BridgeError `ImageUnreadable` naming the place
   */
  readRegion(
    level: number,
    rectangle: PixelRectangle,
    wanted: readonly number[],
    signal?: AbortSignal,
  ): Promise<ChannelPixels>;
}

/** An open image file. */
export type ImageSource = RgbSource | ChannelSource;
