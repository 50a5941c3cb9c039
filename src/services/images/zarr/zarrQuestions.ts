import type { ChannelPixels, PixelRectangle } from '../imageSource';

/** A folder that holds a Zarr hierarchy, in the state in which it was opened. */
export interface ZarrStore {
  readonly path: string;
  readonly stamp: string;
}

/** One array of a hierarchy. Dimensions in the order in which they are stored. */
export interface ZarrArray {
  readonly shape: readonly number[];
  /** Shape of a chunk. */
  readonly chunks: readonly number[];
  /** As Zarr 3 names it: `uint8`, `float32` … */
  readonly type: string;
}

/** Which plane of an array is read: its x and y axes, the channel axis if any, and where all other axes stand. */
export interface PlaneAxes {
  readonly x: number;
  readonly y: number;
  readonly channel: number | undefined;
  /** One index for each dimension; those of x, y and channel are not looked at. */
  readonly fixed: readonly number[];
}

/** Values, and how many chunks of the rectangle are not stored: those hold the fill value. */
export interface ZarrPixels extends ChannelPixels {
  readonly chunksRead: number;
  readonly chunksMissing: number;
}

/** What the Zarr process can be asked. */
export interface ZarrQuestions {
  /** The attributes of a group; `undefined` where there is no group. */
  readonly group: {
    readonly given: ZarrStore & { readonly group: string };
    readonly answer: Readonly<Record<string, unknown>> | undefined;
  };
  readonly arrays: {
    readonly given: ZarrStore & { readonly arrays: readonly string[] };
    readonly answer: readonly ZarrArray[];
  };
  readonly read: {
    readonly given: ZarrStore & {
      readonly array: string;
      readonly axes: PlaneAxes;
      readonly rectangle: PixelRectangle;
      /** Indices along the channel axis. */
      readonly channels: readonly number[];
    };
    readonly answer: ZarrPixels;
  };
  readonly forget: { readonly given: Pick<ZarrStore, 'path'>; readonly answer: null };
}
