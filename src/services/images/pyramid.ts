import type { ImageLevel } from './imageSource';

/** The index of the coarsest level that is still at least as fine as `downsample`. @param levels finest first, not empty */
export function levelFor(levels: readonly ImageLevel[], downsample: number): number {
  // A level of 4.0003 (rounded sizes) serves a request for 4.
  return Math.max(
    0,
    levels.findLastIndex((level) => level.downsample <= downsample * 1.01),
  );
}
