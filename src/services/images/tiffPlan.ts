import { BridgeError } from '../../errors';
import type { Warning } from '../warning';
import { profileWarnings } from './colourProfile';
import type { ImageChannel } from './imageSource';
import { pageHints, type PageHint } from './pageRoles';
import type { PicturePlan, PlannedLevel, PlannedPage } from './picturePlan';
import type { SizeSource } from './pixelSize';
import {
  aperioSize,
  philipsSize,
  qptiffPage,
  readMetadata,
  resolutionSources,
  type TiffMetadata,
} from './tiffMetadata';
import { chooseReading, MAX_CHANNELS } from './tiffReading';
import type { TiffDirectory } from './tiffTags';
import { stackDirectories } from './tiffStack';

// From tags to a picture plan, once and in one place: which page is shown, which pages are its channels, planes and
// levels, and why. Pure: no pixel is looked at; what needs one (does a level show the same picture?) is checked later.

/** The pages that make one picture: its channels at full resolution, and why they were taken. */
interface Shown {
  /** Pages from 0, one for each channel that has a page of its own. */
  readonly pages: readonly number[];
  readonly directories: readonly TiffDirectory[];
  readonly channelNames: readonly string[];
  readonly reason: string;
  /** Other pages of the same stack: focal planes, times. */
  readonly planes: readonly number[];
  readonly warnings: readonly Warning[];
  readonly size?: SizeSource | undefined;
  readonly significantBits?: number | undefined;
}

/**
 * Decides how a TIFF is read.
 * @param directories its pages, not empty
 * @throws BridgeError `UnsupportedImage` for what is not on the list of what is read
 */
export function planPicture(directories: readonly TiffDirectory[]): PicturePlan {
  refuseVendors(directories);
  const { metadata, warnings } = readMetadata(directories);
  const hints = pageHints(directories, metadata);
  const shown = chooseShown(hints, metadata);
  const full = shown.directories[0]!;
  if (full.width < 1 || full.height < 1) {
    throw new BridgeError('ImageUnreadable', 'the TIFF file cannot be read: an image in it has no size', {
      hint: 'the file is damaged: copy it again from its source',
    });
  }
  const choice = chooseReading(full);
  if ('refused' in choice) throw unsupported(`a TIFF with ${choice.refused}`);
  if (shown.pages.length > 1 && choice.colour !== 'grey')
    throw unsupported(`a TIFF of ${shown.pages.length} channels with ${full.samplesPerPixel} samples each`);
  if (shown.directories.length > MAX_CHANNELS)
    throw unsupported(`an image of ${shown.directories.length} channels (the most is ${MAX_CHANNELS})`);
  const levels = planLevels(hints, shown);
  const pages = describePages(hints, shown, levels);
  return {
    format: metadata.kind,
    ...choice,
    colour: shown.directories.length > 1 ? 'channels' : choice.colour,
    levels,
    channels: channelsOf(full, shown),
    pages,
    sizeSources: sizeSources(metadata, shown),
    significantBits: shown.significantBits,
    warnings: [
      ...warnings,
      ...shown.warnings,
      ...pageWarnings(hints, shown, pages),
      ...tagWarnings(full, choice.colour),
    ],
  };
}

function unsupported(
  what: string,
  hint = 'open the image in the viewer and use source "client"',
): BridgeError {
  return new BridgeError('UnsupportedImage', `${what} cannot be read by the server`, { hint });
}

const HAMAMATSU = 65420;

/** TIFFs that are laid out in a way of their own: read as plain ones they would come out wrong. */
function refuseVendors(directories: readonly TiffDirectory[]): void {
  const needsOpenSlide = 'install OpenSlide, or open the image in the viewer and use source "client"';
  if (directories.some(({ tags }) => tags.has(HAMAMATSU)))
    throw unsupported('a Hamamatsu NDPI slide', needsOpenSlide);
  if (directories.some(({ description }) => /^level=\d+ mag=\S+ quality=/.test(description)))
    throw unsupported('a Ventana BIF slide, whose tiles overlap,', needsOpenSlide);
}

function chooseShown(hints: readonly PageHint[], metadata: TiffMetadata): Shown {
  if (metadata.kind === 'OME-TIFF') {
    const shown = omeShown(hints, metadata);
    if (shown !== undefined) return shown;
  }
  const stack = metadata.kind === 'ImageJ TIFF' ? imageJShown(hints, metadata.stack) : undefined;
  return stack ?? largestShown(hints, metadata);
}

function omeShown(
  hints: readonly PageHint[],
  { images }: Extract<TiffMetadata, { kind: 'OME-TIFF' }>,
): Shown | undefined {
  const area = (page: number): number => hints[page]!.directory.width * hints[page]!.directory.height;
  const found = images
    .filter(({ planes }) => planes.length > 0)
    .sort((a, b) => area(b.planes[0]!.page) - area(a.planes[0]!.page));
  const [image] = found;
  if (image === undefined) return undefined;
  const first = image.planes.filter(({ z, t }) => z === 0 && t === 0);
  const places = image.channels.map((_, channel) => first.find((plane) => plane.channel === channel));
  const pages = places.flatMap((place) => (place === undefined ? [] : [place.page]));
  if (pages.length < image.channels.length)
    throw unsupported(
      `an OME-TIFF of ${image.channels.length} channels, of which only ${pages.length} can be found in this file,`,
    );
  const depth = image.sizeZ * image.sizeT;
  const warnings: Warning[] = [];
  if (depth > 1) {
    const message = `the first of ${depth} planes is used (${image.sizeZ} focal planes, ${image.sizeT} times)`;
    warnings.push({ name: 'OnlyFirstPlane', message });
  }
  if (found.length > 1) {
    const message = `of the ${found.length} images of the OME-TIFF the largest is used: ${image.name}`;
    warnings.push({ name: 'OtherPages', message });
  }
  return {
    pages,
    directories: pages.map((page) => hints[page]!.directory),
    channelNames: image.channels,
    reason: `OME-XML image ${image.name}`,
    planes: image.planes.map(({ page }) => page).filter((page) => !pages.includes(page)),
    warnings,
    size: image.size,
    significantBits: image.significantBits,
  };
}

function imageJShown(
  hints: readonly PageHint[],
  stack: Extract<TiffMetadata, { kind: 'ImageJ TIFF' }>['stack'],
): Shown | undefined {
  const { images, channels, slices, frames } = stack;
  if (images < 2) return undefined;
  const full = hints[0]!.directory;
  const { samplesPerPixel } = full;
  // Stacks above 4 GB have one directory; the planes follow its data, one after the other.
  const inPages = hints.length >= images;
  const count = samplesPerPixel > 1 ? 1 : Math.min(channels, images);
  const directories = inPages
    ? hints.slice(0, count).map(({ directory }) => directory)
    : stackDirectories(full, count);
  const depth = Math.max(1, Math.round(images / channels));
  const warnings: Warning[] = [];
  if (directories === undefined) {
    const message = `the first of ${images} planes of the ImageJ stack is used; the others cannot be found in the file`;
    return {
      ...single(hints, 0, 'the first plane of the ImageJ stack'),
      warnings: [{ name: 'OnlyFirstPlane', message }],
    };
  }
  if (depth > 1) {
    const message = `the first of ${depth} planes is used (${slices} focal planes, ${frames} times)`;
    warnings.push({ name: 'OnlyFirstPlane', message });
  }
  return {
    pages: inPages ? Array.from({ length: count }, (_, page) => page) : [0],
    directories,
    channelNames: directories.map(() => ''),
    reason: 'the first plane of the ImageJ stack',
    planes: hints.slice(count, images).map(({ page }) => page),
    warnings,
  };
}

/** The largest page that is not said to be something else, with what belongs to it. */
function largestShown(hints: readonly PageHint[], metadata: TiffMetadata): Shown {
  const free = hints.filter(({ said, reduced }) => said === undefined && !reduced);
  const candidates = free.length > 0 ? free : hints;
  const area = ({ directory: { width, height } }: PageHint): number => width * height;
  const main = candidates.reduce((largest, hint) => (area(hint) > area(largest) ? hint : largest));
  const equal = candidates.filter(
    (hint) =>
      hint.directory.width === main.directory.width && hint.directory.height === main.directory.height,
  );
  if (metadata.kind === 'PerkinElmer QPTIFF' && main.directory.samplesPerPixel === 1) {
    return {
      pages: equal.map(({ page }) => page),
      directories: equal.map(({ directory }) => directory),
      channelNames: equal.map(({ directory }) => qptiffPage(directory.description)?.name ?? ''),
      reason: 'the pages of full resolution of the QPTIFF',
      planes: [],
      warnings: [],
    };
  }
  const others = equal.filter((hint) => hint !== main);
  const warnings: Warning[] = [];
  if (others.length > 0 && main.focus !== undefined) {
    const message = `the focal plane at ${main.focus} µm is used, the first of ${equal.length}`;
    warnings.push({ name: 'OnlyFirstPlane', message });
  } else if (others.length > 0) {
    const message = `page ${main.page + 1} is used, the first of ${equal.length} of its size; the others may be planes, channels or other pictures`;
    warnings.push({ name: 'OnlyFirstPage', message });
  }
  return {
    ...single(
      hints,
      main.page,
      hints.length === 1 ? 'the only page' : 'the largest page that is no reduced one',
    ),
    planes: others.map(({ page }) => page),
    warnings,
  };
}

function single(hints: readonly PageHint[], page: number, reason: string): Shown {
  const { directory } = hints[page]!;
  return { pages: [page], directories: [directory], channelNames: [], reason, planes: [], warnings: [] };
}

/** The full resolution and what may be its reduced versions, finest first, one for each size. */
function planLevels(hints: readonly PageHint[], shown: Shown): PlannedLevel[] {
  const full = shown.directories[0]!;
  const pageText = shown.pages.map((page) => page + 1).join(', ');
  const levels: PlannedLevel[] = [
    {
      width: full.width,
      height: full.height,
      downsample: 1,
      directories: shown.directories,
      place: `page ${pageText}`,
      page: undefined,
    },
  ];
  const add = (directories: readonly TiffDirectory[], place: string, page: number | undefined): void => {
    const { width, height } = directories[0]!;
    if (levels.some((level) => level.width === width && level.height === height)) return;
    const downsample = (full.width / width + full.height / height) / 2;
    levels.push({ width, height, downsample, directories, place, page });
  };
  const own = shown.directories.map(({ subDirectories }) => subDirectories);
  own[0]!.forEach((reduced, index) => {
    const directories = own.flatMap((list) => list[index] ?? []);
    if (directories.length === own.length && directories.every((each) => hasProportions(full, each)))
      add(directories, `reduced image ${index + 1} of page ${pageText}`, undefined);
  });
  if (own[0]!.length === 0) {
    for (const group of levelGroups(hints, shown)) {
      const at = group.map(({ page }) => page + 1);
      add(
        group.map(({ directory }) => directory),
        `page ${at.join(', ')}`,
        at[0],
      );
    }
  }
  return levels.sort((a, b) => a.downsample - b.downsample);
}

/** Pages that may be a level: as many of one size as the picture has channels. */
function levelGroups(hints: readonly PageHint[], shown: Shown): PageHint[][] {
  const full = shown.directories[0]!;
  const { focus } = hints[shown.pages[0]!]!;
  const candidates = hints.filter(
    (hint) =>
      hint.said === undefined &&
      !shown.pages.includes(hint.page) &&
      !shown.planes.includes(hint.page) &&
      hint.focus === focus &&
      hasProportions(full, hint.directory) &&
      (hint.reduced || (hint.directory.tile === undefined) === (full.tile === undefined)),
  );
  const sizes = new Map<string, PageHint[]>();
  for (const hint of candidates) {
    const size = `${hint.directory.width} x ${hint.directory.height}`;
    sizes.set(size, [...(sizes.get(size) ?? []), hint]);
  }
  const channels = shown.directories.length;
  return [...sizes.values()].flatMap((group) => {
    if (group.length === channels) return [group];
    // Several pages of one size beside a picture of one page: the first that follows it, and the flagged ones before others.
    if (channels > 1) return [];
    const after = group.filter(({ page }) => page > shown.pages[0]!);
    const best = after.find(({ reduced }) => reduced) ?? after[0] ?? group[0]!;
    return [[best]];
  });
}

function hasProportions(full: TiffDirectory, directory: TiffDirectory): boolean {
  const downsample = full.width / directory.width;
  const expectedHeight = full.height / downsample;
  return (
    downsample >= 1.5 &&
    Math.abs(directory.height - expectedHeight) <= 1 + 0.005 * expectedHeight &&
    directory.samplesPerPixel === full.samplesPerPixel &&
    directory.bitsPerSample[0] === full.bitsPerSample[0] &&
    directory.sampleFormat[0] === full.sampleFormat[0] &&
    // JPEG levels of an RGB picture may be YCbCr.
    !('refused' in chooseReading(directory))
  );
}

function describePages(
  hints: readonly PageHint[],
  shown: Shown,
  levels: readonly PlannedLevel[],
): PlannedPage[] {
  const levelDirectories = new Map(
    levels.slice(1).flatMap((level) => level.directories.map((directory) => [directory, level] as const)),
  );
  const { focus } = hints[shown.pages[0]!]!;
  return hints.map(({ page, directory, said, reason, focus: own }) => {
    const at = page + 1;
    const level = levelDirectories.get(directory);
    if (shown.pages[0] === page) return { page: at, role: 'shown', reason: shown.reason };
    if (shown.pages.includes(page)) return { page: at, role: 'channel', reason: shown.reason };
    if (level !== undefined)
      return { page: at, role: 'level', reason: `the picture at ${level.width} x ${level.height}` };
    if (shown.planes.includes(page))
      return { page: at, role: 'plane', reason: 'of the same size as the page shown' };
    if (said !== undefined) return { page: at, role: said, reason };
    if (own !== focus) return { page: at, role: 'plane', reason: `of the focal plane at ${own} µm` };
    return {
      page: at,
      role: 'another picture',
      reason: `${directory.width} x ${directory.height} px, no level of the page shown`,
    };
  });
}

function channelsOf(
  { samplesPerPixel }: TiffDirectory,
  { directories, channelNames }: Shown,
): ImageChannel[] {
  const count = directories.length > 1 ? directories.length : samplesPerPixel;
  return Array.from({ length: count }, (_, index) => ({
    name:
      channelNames[index] === undefined || channelNames[index] === ''
        ? `channel ${index + 1}`
        : channelNames[index],
  }));
}

function sizeSources(metadata: TiffMetadata, shown: Shown): SizeSource[] {
  const full = shown.directories[0]!;
  const own = (): SizeSource | undefined => {
    if (metadata.kind === 'OME-TIFF') return shown.size;
    if (metadata.kind === 'Aperio SVS') return aperioSize(full.description);
    if (metadata.kind === 'Philips TIFF') return philipsSize(metadata.root);
    // Converters to other slides' layout keep Aperio's line and drop its name.
    if (metadata.kind === 'TIFF') return aperioSize(full.description);
    if (metadata.kind !== 'Leica SCN') return undefined;
    return metadata.images.find(({ pages }) => pages.includes(shown.pages[0]!))?.size;
  };
  const best = own();
  // An OME-XML without a size has said nothing; only one that says something unusable is told.
  const said = best !== undefined && (best.problem ?? best.x ?? best.y) !== undefined ? [best] : [];
  return [
    ...said,
    ...resolutionSources(full, metadata.kind === 'ImageJ TIFF' ? metadata.stack.unit : undefined),
  ];
}

/** Says that there is more in the file than is read, unless every other page is what its kind of file always has. */
function pageWarnings(hints: readonly PageHint[], shown: Shown, pages: readonly PlannedPage[]): Warning[] {
  const others = pages.filter(({ role }) => role === 'another picture');
  const page = shown.pages[0]! + 1;
  const told = shown.warnings.some(({ name }) => name === 'OtherPages' || name === 'OnlyFirstPage');
  if (others.length === 0 || told) return [];
  const list = others.map((other) => {
    const { width, height } = hints[other.page - 1]!.directory;
    return `page ${other.page} (${width} x ${height})`;
  });
  const most =
    list.length > 5 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more` : list.join(', ');
  return [{ name: 'OtherPages', message: `page ${page} is shown, ${shown.reason}; not read: ${most}` }];
}

function tagWarnings(full: TiffDirectory, colour: PicturePlan['colour']): Warning[] {
  const warnings: Warning[] = [];
  const { orientation, samplesPerPixel, colourProfile } = full;
  if (orientation !== 1 && orientation !== 0) {
    const message = `the file asks to be shown turned (Orientation ${orientation}); it is read as stored`;
    warnings.push({ name: 'OrientationIgnored', message });
  }
  const colours = colour === 'RGB and alpha' ? 4 : 3;
  if ((colour === 'RGB' || colour === 'RGB and alpha') && samplesPerPixel > colours) {
    const message = `${samplesPerPixel - colours} of ${samplesPerPixel} samples per pixel are neither a colour nor said to be alpha; they are left out`;
    warnings.push({ name: 'SamplesLeftOut', message });
  }
  if (colour === 'CMYK' || (colour === 'YCbCr' && full.compression !== 7)) {
    const message = `the picture is stored as ${colour}; it is turned into RGB without a colour profile`;
    warnings.push({ name: 'ColoursConverted', message });
  }
  return [...warnings, ...profileWarnings(colourProfile)];
}
