import type { TiffDirectory } from './tiffTags';

/** One resolution of an image. */
export interface ImageLevel {
  readonly width: number;
  readonly height: number;
  /** Full-resolution pixels per pixel of this level; 1 for the first. */
  readonly downsample: number;
  /** Where a TIFF keeps it. */
  readonly page: number;
  readonly subDirectory?: number;
}

/**
 * The levels of a TIFF, finest first. Reduced images are the first one's SubIFDs, or later pages that are laid out as it
 * is (tiles or strips) and have its proportions; so an SVS file's thumbnail, label and macro are left out.
 */
export function pyramidLevels(directories: readonly TiffDirectory[]): readonly ImageLevel[] {
  const [full, ...pages] = directories;
  if (full === undefined) return [];
  const reduced =
    full.subDirectories.length > 0
      ? full.subDirectories.map((directory, index) => ({ directory, page: 0, subDirectory: index }))
      : pages.map((directory, index) => ({ directory, page: index + 1 }));
  const levels = reduced
    .filter(({ directory }) => isReduced(full, directory))
    .map(({ directory, ...place }) => ({
      width: directory.width,
      height: directory.height,
      downsample: (full.width / directory.width + full.height / directory.height) / 2,
      ...place,
    }));
  return [
    { width: full.width, height: full.height, downsample: 1, page: 0 },
    ...levels.sort((a, b) => a.downsample - b.downsample),
  ];
}

/** The coarsest level that is still at least as fine as `downsample`. @param levels finest first, not empty */
export function levelFor(levels: readonly ImageLevel[], downsample: number): ImageLevel {
  // A level of 4.0003 (rounded sizes) serves a request for 4.
  const fine = levels.filter((level) => level.downsample <= downsample * 1.01);
  return fine.at(-1) ?? levels[0]!;
}

function isReduced(full: TiffDirectory, directory: TiffDirectory): boolean {
  const downsample = full.width / directory.width;
  const expectedHeight = full.height / downsample;
  return (
    downsample >= 1.5 &&
    Math.abs(directory.height - expectedHeight) <= 1 + 0.005 * expectedHeight &&
    (directory.tile === undefined) === (full.tile === undefined) &&
    directory.samplesPerPixel === full.samplesPerPixel &&
    directory.bitsPerSample === full.bitsPerSample
  );
}
