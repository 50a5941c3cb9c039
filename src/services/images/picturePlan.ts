import type { Warning } from '../warning';
import type { ImageChannel } from './imageSource';
import type { SizeSource } from './pixelSize';
import type { TiffReading, Colour } from './tiffReading';
import type { SampleKind } from './tiffCompression';
import type { TiffDirectory } from './tiffTags';

/** What a page of a TIFF is taken for. */
export type PageRole =
  'shown' | 'level' | 'channel' | 'plane' | 'thumbnail' | 'label' | 'macro' | 'mask' | 'another picture';

/** A page, its role, and what told it. */
export interface PlannedPage {
  /** From 1, as people count. */
  readonly page: number;
  readonly role: PageRole;
  readonly reason: string;
}

/** A level before its content has been compared with the one above. */
export interface PlannedLevel {
  readonly width: number;
  readonly height: number;
  readonly downsample: number;
  /** One picture, or one for each channel. */
  readonly directories: readonly TiffDirectory[];
  /** For people: `page 3`, `reduced image 2 of page 1`. */
  readonly place: string;
  /** The page it was taken from, where it is one of its own. From 1. */
  readonly page: number | undefined;
}

/** How a TIFF is read, decided from its tags and descriptions alone. */
export interface PicturePlan {
  /** `OME-TIFF`, `Aperio SVS`, … */
  readonly format: string;
  readonly colour: Colour;
  readonly kind: SampleKind;
  readonly reading: TiffReading;
  /** Finest first. */
  readonly levels: readonly PlannedLevel[];
  readonly channels: readonly ImageChannel[];
  readonly pages: readonly PlannedPage[];
  /** Best first. */
  readonly sizeSources: readonly SizeSource[];
  /** Bits that carry the value, where the file says so. */
  readonly significantBits: number | undefined;
  readonly warnings: readonly Warning[];
}
