import { BridgeError } from '../../errors';
import type { Warning } from '../warning';
import { withFile } from './byteSource';
import { isTiff } from './imageDecoder';
import type {
  ChannelSource,
  ImageFormat,
  ImageLimits,
  ImageSource,
  PixelRectangle,
  RgbSource,
} from './imageSource';
import { foreignLevels } from './levelCheck';
import type { PicturePlan, PlannedLevel } from './picturePlan';
import { choosePixelSize } from './pixelSize';
import { sampleWindows } from './sampling';
import { blockGrid, MAX_TILE_PIXELS, type BlockSurvey, type Samples } from './tiffBlocks';
import { COLOUR_SAMPLES, colourConversion, whiteSamples } from './tiffColour';
import { TiffPicture, type SamplePlace } from './tiffPicture';
import { planPicture } from './tiffPlan';
import { readTiffDirectories } from './tiffTags';
import { floatRange, seenValues, wideRange, type ValueRange } from './valueRange';

/** TIFF and BigTIFF: OME-TIFF, SVS with JPEG tiles, QPTIFF, ImageJ and plain ones. */
export const tiffFormat: ImageFormat = { name: 'TIFF', sniff: isTiff, open: openTiff };

async function openTiff(path: string, limits: ImageLimits): Promise<ImageSource> {
  const directories = await withFile(path, readTiffDirectories);
  const planned = planPicture(directories);
  checkSizes(planned, limits);
  const picture = await TiffPicture.open(path, planned);
  const range = await valueRange(planned, picture);
  const { plan, kept, warnings } = await checkLevels(planned, picture, range);
  return sourceOf(plan, kept, picture, range, [
    ...plan.warnings,
    ...warnings,
    ...range.warnings,
    ...blockWarnings(picture.surveys, isColoured(plan)),
  ]);
}

/** Nothing is decoded that is larger than the limits: a tile, or a picture in strips. */
function checkSizes({ levels }: PicturePlan, { imagePixels }: ImageLimits): void {
  for (const { directories } of levels) {
    for (const directory of directories) {
      const { blockWidth, blockHeight } = blockGrid(directory);
      const tiled = directory.tile !== undefined;
      const pixels = tiled ? blockWidth * blockHeight : directory.width * directory.height;
      const limit = tiled ? MAX_TILE_PIXELS : imagePixels;
      if (pixels <= limit) continue;
      throw new BridgeError(
        'ImageTooLarge',
        `${pixels} pixels would have to be decoded at once, ${limit} are allowed`,
        { hint: 'use a tiled pyramidal file, or raise the limit imagePixels', pixels, limit },
      );
    }
  }
}

/** Every sample of the picture (of all channels), by place. */
function allPlaces({ levels, colour, channels }: PicturePlan): SamplePlace[] {
  const pictures = levels[0]!.directories.length;
  if (pictures > 1) return Array.from({ length: pictures }, (_, picture) => ({ picture, sample: 0 }));
  const count = colour === 'grey' || colour === 'channels' ? channels.length : COLOUR_SAMPLES[colour];
  return Array.from({ length: count }, (_, sample) => ({ picture: 0, sample }));
}

async function valueRange(plan: PicturePlan, picture: TiffPicture): Promise<ValueRange> {
  const { kind, levels, significantBits } = plan;
  const { maxSampleValue } = levels[0]!.directories[0]!;
  if (kind !== '16 bit' && kind !== 'float')
    return { low: 0, high: plan.colour === 'palette' ? 255 : 2 ** parseInt(kind) - 1, warnings: [] };
  const places = allPlaces(plan);
  const seen = seenValues(await readWindows(plan, picture, places));
  if (kind === 'float') {
    const range = floatRange(seen);
    if (isColoured(plan) && range.high !== 1) {
      throw new BridgeError(
        'UnsupportedImage',
        `a colour picture of floating point values from ${seen.least} to ${seen.most} cannot be read by the server`,
        { hint: 'save it with values from 0 to 1, or with 8 or 16 bits' },
      );
    }
    return range;
  }
  const bits = maxSampleValue === undefined ? undefined : Math.ceil(Math.log2(maxSampleValue + 1));
  const said = significantBits ?? (bits !== undefined && bits >= 8 ? bits : undefined);
  return wideRange(said, significantBits === undefined ? 'MaxSampleValue' : 'OME-XML SignificantBits', seen);
}

/** The windows that stand for the whole picture; those that cannot be decoded are left out here and told when searched. */
async function readWindows(
  { levels }: PicturePlan,
  picture: TiffPicture,
  places: readonly SamplePlace[],
): Promise<Samples[]> {
  const { level, rectangles } = sampleWindows(levels, levels[0]!.directories[0]!.tile !== undefined);
  const empty = places.map(() => 0);
  const parts: Samples[] = [];
  for (const rectangle of rectangles) {
    const part = await picture.read(level, rectangle, places, empty).catch(() => undefined);
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** Leaves out levels that show another picture. */
async function checkLevels(
  plan: PicturePlan,
  picture: TiffPicture,
  { low, high }: ValueRange,
): Promise<{ plan: PicturePlan; kept: readonly number[]; warnings: Warning[] }> {
  const places = allPlaces(plan);
  const empty = places.map(() => low);
  const foreign = await foreignLevels(plan.levels, places.length, high - low, (level, rectangle) =>
    picture.read(level, rectangle, places, empty),
  );
  const kept = [...plan.levels.keys()].filter((level) => !foreign.has(level));
  const left = plan.levels.filter((_, level) => foreign.has(level));
  return {
    plan: {
      ...plan,
      levels: kept.map((level) => plan.levels[level]!),
      pages: plan.pages.map((page) =>
        left.some((level) => level.page === page.page)
          ? { ...page, role: 'another picture' as const, reason: 'its content is not that of the page shown' }
          : page,
      ),
    },
    kept,
    warnings: left.map(({ width, height, place }) => ({
      name: 'LevelLeftOut',
      message: `${place} (${width} x ${height} px) has the proportions of a reduced level but shows another picture; it is not used`,
    })),
  };
}

function blockWarnings(surveys: readonly BlockSurvey[], coloured: boolean): Warning[] {
  const warnings: Warning[] = [];
  const leftOut = surveys.reduce((sum, survey) => sum + survey.leftOut, 0);
  const beyond = surveys.reduce((sum, survey) => sum + survey.beyondTheEnd, 0);
  const blocks = surveys.reduce((sum, survey) => sum + survey.blocks, 0);
  if (leftOut > 0) {
    const message = `${leftOut} of ${blocks} tiles hold no data, as some scanners leave out the background; they are read as ${coloured ? 'white' : '0'}`;
    warnings.push({ name: 'TilesLeftOut', message });
  }
  if (beyond > 0) {
    const message = `${beyond} of ${blocks} tiles lie beyond the end of the file, which was cut; regions that touch them cannot be read`;
    warnings.push({ name: 'FileCut', message });
  }
  return warnings;
}

function isColoured({ colour }: PicturePlan): boolean {
  return colour !== 'grey' && colour !== 'channels';
}

function sourceOf(
  plan: PicturePlan,
  kept: readonly number[],
  picture: TiffPicture,
  range: ValueRange,
  warnings: readonly Warning[],
): ImageSource {
  const { levels, colour, reading, kind } = plan;
  const full = levels[0]!.directories[0]!;
  const file = {
    format: plan.format,
    picture: describe(plan),
    width: full.width,
    height: full.height,
    levels: levels.map(({ width, height, downsample }) => ({ width, height, downsample })),
    bitsPerSample: kind === 'float' ? 32 : parseInt(kind),
    pixelSize: choosePixelSize(plan.sizeSources),
    warnings,
    tiled: full.tile !== undefined,
    close: () => Promise.resolve(),
  };
  const places = allPlaces(plan);
  if (colour === 'grey' || colour === 'channels') {
    const inverted = reading.photometric === 0;
    const { low, high } = range;
    const source: ChannelSource = {
      ...file,
      kind: 'channels',
      channels: plan.channels,
      range: { low, high },
      readRegion: async (level, rectangle, wanted, signal) => {
        const asked = wanted.map((channel) => places[channel]!);
        const empty = asked.map(() => low);
        const data = await picture.read(kept[level]!, rectangle, asked, empty, signal);
        if (inverted) for (let at = 0; at < data.length; at += 1) data[at] = Math.max(0, high - data[at]!);
        return { width: rectangle.width, height: rectangle.height, channels: asked.length, data };
      },
    };
    return source;
  }
  const empty = whiteSamples(colour, range.high, full.colorMap);
  const conversions = levels.map(({ directories }) => colourConversion(colour, directories[0]!, range.high));
  const source: RgbSource = {
    ...file,
    kind: 'rgb',
    channels: Array.from({ length: full.samplesPerPixel }, (_, index) => ({
      name: ['red', 'green', 'blue', 'alpha'][index] ?? `channel ${index + 1}`,
    })),
    readRegion: async (level, rectangle, signal) => {
      const { width, height }: PixelRectangle = rectangle;
      const data = await picture.read(kept[level]!, rectangle, places, empty, signal);
      return { width, height, channels: 3, data: conversions[level]!(data, width * height) };
    },
  };
  return source;
}

/** Which page and levels were taken, as a sentence for people. */
function describe({ format, levels, pages }: PicturePlan): string {
  const placeOf = ({ place, width }: PlannedLevel): string => `${place} (${width} px wide)`;
  const reduced = levels.slice(1).map(placeOf);
  const others = pages
    .filter(({ role }) => role !== 'shown' && role !== 'level' && role !== 'channel')
    .map(({ page, role }) => `page ${page}: ${role}`);
  return [
    `${format}: ${levels[0]!.place} of ${pages.length}`,
    reduced.length > 0 ? `levels: ${reduced.join(', ')}` : 'no reduced levels',
    ...others.slice(0, 12),
  ].join('; ');
}
