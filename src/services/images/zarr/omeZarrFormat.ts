import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BridgeError } from '../../../errors';
import type { Warning } from '../../warning';
import type { ImageChannel, ImageFormat, ImageSource, PixelRectangle } from '../imageSource';
import type { ReaderProcess } from '../readerProcess/readerProcess';
import { sampleWindows } from '../sampling';
import { floatRange, seenValues, wideRange, type ValueRange } from '../valueRange';
import { omeAttributes, omeImage, omePixelSize, type OmeImage } from './omeMetadata';
import { needsOmeZarr, type OmeZarr } from './omeZarr';
import { isColourPicture, planePlan, ZARR_TYPES, type PlanePlan } from './planePlan';
import type { ZarrPixels, ZarrQuestions, ZarrStore } from './zarrQuestions';

/** Where a group keeps its attributes: Zarr 3, then Zarr 2. */
const METADATA = ['zarr.json', '.zattrs', '.zgroup'] as const;
/** Channels of one image. */
const MOST_CHANNELS = 64;

/** OME-Zarr (NGFF) in a local folder. @param omeZarr without it such folders are refused by name */
export function omeZarrFormat(omeZarr: OmeZarr | undefined): ImageFormat {
  return {
    name: 'OME-Zarr',
    exclusive: true,
    // A folder has no first bytes.
    sniff: async (header, path) => header.length === 0 && (await metadataStamp(path)) !== undefined,
    open: async (path) => {
      const stamp = await metadataStamp(path);
      if (omeZarr === undefined || stamp === undefined) throw needsOmeZarr();
      return openOmeZarr(omeZarr.process, { path, stamp });
    },
  };
}

/** Size and time of the metadata that is there; undefined where there is none. */
async function metadataStamp(path: string): Promise<string | undefined> {
  const found = await Promise.all(
    METADATA.map((name) =>
      stat(join(path, name)).then(
        ({ size, mtimeMs }) => `${name}: ${size} bytes of ${mtimeMs}`,
        () => undefined,
      ),
    ),
  );
  const known = found.filter((stamp) => stamp !== undefined);
  return known.length === 0 ? undefined : known.join('; ');
}

type Reader = ReaderProcess<ZarrQuestions>;

async function openOmeZarr(reader: Reader, store: ZarrStore): Promise<ImageSource> {
  const { group, image, warnings } = await findImage(reader, store);
  const names = image.datasets.map(({ path }) => (group === '' ? path : `${group}/${path}`));
  const arrays = await reader.ask('arrays', { ...store, arrays: names }, store.path);
  const plan = planePlan(
    { ...image, datasets: image.datasets.map((set, at) => ({ ...set, path: names[at]! })) },
    arrays,
  );
  if (plan.channelCount > MOST_CHANNELS)
    throw new BridgeError(
      'UnsupportedImage',
      `an OME-Zarr of ${plan.channelCount} channels cannot be read by the server`,
      {
        hint: `write an image of at most ${MOST_CHANNELS} channels`,
      },
    );
  const read = (
    level: number,
    rectangle: PixelRectangle,
    channels: readonly number[],
    signal?: AbortSignal,
  ) => {
    const { array } = plan.levels[level]!;
    const { x, y, width, height } = rectangle;
    const about = `${store.path}, array ${array}, ${width} x ${height} pixels at (${x}, ${y})`;
    return reader.ask('read', { ...store, array, axes: plan.axes, rectangle, channels }, about, signal);
  };
  const all = Array.from({ length: plan.channelCount }, (_, channel) => channel);
  const { level, rectangles } = sampleWindows(plan.levels, true);
  const samples = await Promise.all(rectangles.map((rectangle) => read(level, rectangle, all)));
  const { colour, warnings: colourWarnings } = isColourPicture(image.channels, plan, mediansOf(samples));
  const range = rangeOf(plan.type, samples);
  const [first] = arrays;
  const file = {
    format: `OME-Zarr ${image.version}`,
    picture: pictureOf(image, plan, group),
    width: plan.levels[0]!.width,
    height: plan.levels[0]!.height,
    levels: plan.levels.map(({ width, height, downsample }) => ({ width, height, downsample })),
    bitsPerSample: ZARR_TYPES[plan.type]!,
    pixelSize: omePixelSize(image, plan.axes.x, plan.axes.y),
    warnings: [
      ...warnings,
      ...image.warnings,
      ...plan.warnings,
      ...colourWarnings,
      ...(colour ? [] : range.warnings),
      ...missingWarning(samples),
    ],
    tiled: first!.chunks.some((length, axis) => length < first!.shape[axis]!),
    close: async () => {
      await reader.ask('forget', { path: store.path }, store.path);
    },
  };
  if (!colour)
    return {
      ...file,
      kind: 'channels',
      channels: all.map((channel) => channelOf(image, channel)),
      range: { low: range.low, high: range.high },
      readRegion: read,
    };
  return {
    ...file,
    kind: 'rgb',
    channels: ['red', 'green', 'blue'].map((name) => ({ name })),
    readRegion: async (index, rectangle, signal) => {
      const { width, height, data } = await read(index, rectangle, all, signal);
      if (!(data instanceof Uint8Array))
        throw new BridgeError('ImageUnreadable', 'the levels differ in their number type');
      return { width, height, channels: 3, data };
    },
  };
}

/** The image of the folder's own group, or the first of the series that bioformats2raw writes below it. */
async function findImage(
  reader: Reader,
  store: ZarrStore,
): Promise<{ group: string; image: OmeImage; warnings: Warning[] }> {
  const attributes = await reader.ask('group', { ...store, group: '/' }, store.path);
  if (attributes === undefined)
    throw new BridgeError('UnsupportedImage', 'the Zarr folder is an array, not an OME-Zarr image', {
      hint: 'open the folder above it, whose metadata name the axes and the size of a pixel',
    });
  const ome = omeAttributes(attributes);
  if (!('bioformats2raw.layout' in ome) || 'multiscales' in ome || 'plate' in ome)
    return { group: '', image: omeImage(attributes), warnings: [] };
  const listed = await reader.ask('group', { ...store, group: '/OME' }, store.path);
  const series = omeAttributes(listed ?? {})['series'];
  const names = Array.isArray(series) ? series.filter((name) => typeof name === 'string') : ['0'];
  const group = names[0] ?? '0';
  const first = await reader.ask('group', { ...store, group: `/${group}` }, store.path);
  if (first === undefined)
    throw new BridgeError('ImageUnreadable', `the OME-Zarr has no series ${group}, which it lists`);
  const message = `the first of ${names.length} images of the file is used; open its folder to take another (${names.join(', ')})`;
  return {
    group,
    image: omeImage(first),
    warnings: names.length > 1 ? [{ name: 'OnlyFirstImage', message }] : [],
  };
}

function rangeOf(type: string, samples: readonly ZarrPixels[]): ValueRange {
  const seen = seenValues(samples.map(({ data }) => data));
  if (type === 'uint8') return { low: 0, high: 255, warnings: [] };
  return type === 'uint16' ? wideRange(undefined, 'OME-Zarr', seen) : floatRange(seen);
}

/** The middle value of each channel, 8 bit. */
function mediansOf(samples: readonly ZarrPixels[]): number[] {
  const [first] = samples;
  if (first === undefined || !(first.data instanceof Uint8Array)) return [];
  return Array.from({ length: first.channels }, (_, channel) => {
    const counts = new Uint32Array(256);
    let total = 0;
    for (const { data, channels } of samples)
      for (let at = channel; at < data.length; at += channels) {
        counts[data[at]!]! += 1;
        total += 1;
      }
    let below = 0;
    return counts.findIndex((count) => (below += count) * 2 >= total);
  });
}

/** Zarr leaves out chunks that hold nothing but the fill value; a chunk that was lost looks the same. */
function missingWarning(samples: readonly ZarrPixels[]): Warning[] {
  const missing = samples.reduce((sum, { chunksMissing }) => sum + chunksMissing, 0);
  const looked = samples.reduce((sum, { chunksRead }) => sum + chunksRead, 0);
  if (missing === 0) return [];
  const message = `${missing} of ${looked} chunks that were looked at are not stored; they are read as the fill value, as Zarr defines it`;
  return [{ name: 'ChunksNotStored', message }];
}

function channelOf({ channels }: OmeImage, index: number): ImageChannel {
  const { label, window } = channels[index] ?? {};
  return { name: label ?? `channel ${index + 1}`, window };
}

function pictureOf({ version, name }: OmeImage, { levels, channelCount }: PlanePlan, group: string): string {
  const named = name === undefined || name === '/' ? '' : ` "${name}"`;
  const where = group === '' ? '' : `, series ${group}`;
  return `OME-Zarr ${version}${named}${where}: ${channelCount} channels; levels: ${levels.map(({ array, width }) => `array ${array} (${width} px wide)`).join(', ')}`;
}
