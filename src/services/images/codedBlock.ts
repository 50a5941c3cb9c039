import type { TiffDirectory } from './tiffTags';

/** One tile or strip as it is stored. */
export interface CodedBlock {
  readonly bytes: Buffer;
  /** px */
  readonly width: number;
  readonly height: number;
  /** Samples of a pixel in this block: 1 where each sample has a plane of its own. */
  readonly samples: number;
  /** Bytes that the decoded block has. */
  readonly size: number;
  readonly directory: TiffDirectory;
}
