import { BridgeError } from '../../../errors';
import type { Warning } from '../../warning';
import type { ImageLevel } from '../imageSource';
import type { OmeChannel, OmeImage } from './omeMetadata';
import type { PlaneAxes, ZarrArray } from './zarrQuestions';

// From what an OME-Zarr says and how its arrays are shaped to what is read of it. Pure.

/** One level that is used, and the array that holds it. */
export interface ZarrLevel extends ImageLevel {
  readonly array: string;
}

export interface PlanePlan {
  readonly axes: PlaneAxes;
  readonly levels: readonly ZarrLevel[];
  /** Length of the channel axis; 1 without one. */
  readonly channelCount: number;
  readonly type: string;
  readonly warnings: readonly Warning[];
}

/** Number types that are read, and the bits of a sample. */
export const ZARR_TYPES: Readonly<Record<string, number>> = {
  uint8: 8,
  uint16: 16,
  int8: 8,
  int16: 16,
  uint32: 32,
  int32: 32,
  float32: 32,
  float64: 64,
};

/** Which plane and levels are read. @param arrays of the image's datasets, in their order @throws BridgeError */
export function planePlan(image: OmeImage, arrays: readonly ZarrArray[]): PlanePlan {
  const named = (name: string) => image.axes.findIndex((axis) => axis.name.toLowerCase() === name);
  const [x, y] = [named('x'), named('y')];
  const typed = image.axes.findIndex(({ type }) => type === 'channel');
  const channel = typed >= 0 ? typed : named('c');
  if (x < 0 || y < 0) throw unreadable(`it has the axes ${axisNames(image)}, without x and y`);
  const [full] = arrays;
  for (const [index, { shape, type }] of arrays.entries()) {
    const { path } = image.datasets[index]!;
    if (shape.length !== image.axes.length)
      throw unreadable(`array ${path} has ${shape.length} dimensions, the axes are ${axisNames(image)}`);
    if (shape.some((length) => length < 1)) throw unreadable(`array ${path} is empty`);
    if (!(type in ZARR_TYPES))
      throw new BridgeError(
        'UnsupportedImage',
        `an OME-Zarr of the number type ${type} cannot be read by the server`,
        {
          hint: `write it as one of ${Object.keys(ZARR_TYPES).join(', ')}`,
        },
      );
  }
  const fixed = image.axes.map(() => 0);
  const axes = { x, y, channel: channel < 0 ? undefined : channel, fixed };
  const channelCount = channel < 0 ? 1 : full!.shape[channel]!;
  const { levels, warnings } = levelsOf(image, arrays, axes);
  return {
    axes,
    levels,
    channelCount,
    type: full!.type,
    warnings: [...warnings, ...planeWarnings(image, full!, axes)],
  };
}

/** Levels that are reductions of the first; another shape, type or number of channels is left out, and told. */
function levelsOf(
  image: OmeImage,
  arrays: readonly ZarrArray[],
  { x, y, channel }: PlaneAxes,
): { levels: ZarrLevel[]; warnings: Warning[] } {
  const full = arrays[0]!;
  const levels: ZarrLevel[] = [];
  const warnings: Warning[] = [];
  for (const [index, { shape, type }] of arrays.entries()) {
    const [width, height] = [shape[x]!, shape[y]!];
    const [across, down] = [full.shape[x]! / width, full.shape[y]! / height];
    const array = image.datasets[index]!.path;
    const isLevel =
      type === full.type &&
      (channel === undefined || shape[channel] === full.shape[channel]) &&
      across >= (levels.at(-1)?.downsample ?? 1) &&
      // Sizes are rounded at each step down; a pixel at either end.
      Math.abs(full.shape[y]! / across - height) <= 2;
    if (isLevel) levels.push({ width, height, downsample: index === 0 ? 1 : (across + down) / 2, array });
    else
      warnings.push({
        name: 'LevelLeftOut',
        message: `array ${array} (${shape.join(' x ')}, ${type}) is no reduction of array ${image.datasets[0]!.path}; it is not used`,
      });
  }
  return { levels, warnings };
}

function planeWarnings({ axes }: OmeImage, { shape }: ZarrArray, plane: PlaneAxes): Warning[] {
  const others = axes.flatMap(({ name }, axis) =>
    axis === plane.x || axis === plane.y || axis === plane.channel || shape[axis] === 1
      ? []
      : [{ name, length: shape[axis]! }],
  );
  if (others.length === 0) return [];
  const places = others.map(({ name, length }) => `${name} 0 of ${length}`).join(', ');
  return [{ name: 'OnlyFirstPlane', message: `the first plane is used: ${places}` }];
}

/** Labels of channels that are the colours of one picture, not stains. */
const COLOUR_LABELS = [/^(r|red)$/i, /^(g|green)$/i, /^(b|blue)$/i];
const PLAIN_LABEL = /^(channel|ch|c)?[\s:_-]*\d*([\s:_-]\d+)*$/i;
const COLOURS = ['FF0000', '00FF00', '0000FF'];
/** Glass is bright, the background of fluorescence dark. */
const BRIGHT = 128;

/**
 * Whether three channels of 8 bit are one picture in colour or three stains: by their labels, else by their colours and how
 * bright the picture is, which is told.
 * @param medians of each channel over the windows that were looked at
 */
export function isColourPicture(
  channels: readonly OmeChannel[],
  { channelCount, type }: Pick<PlanePlan, 'channelCount' | 'type'>,
  medians: readonly number[],
): { readonly colour: boolean; readonly warnings: readonly Warning[] } {
  if (channelCount !== 3 || type !== 'uint8') return { colour: false, warnings: [] };
  const labels = channels.map(({ label = '' }) => label.trim());
  if (labels.length === 3 && labels.every((label, index) => COLOUR_LABELS[index]!.test(label)))
    return { colour: true, warnings: [] };
  if (labels.some((label) => !PLAIN_LABEL.test(label))) return { colour: false, warnings: [] };
  const asColours = channels.every(({ colour }, index) => colour === undefined || colour === COLOURS[index]);
  const bright = medians.every((median) => median >= BRIGHT);
  const message =
    asColours && bright
      ? 'the three channels are not named; since the picture is bright they are taken as red, green and blue'
      : 'the three channels are not named; since the picture is not a bright one they are taken as three stains';
  return { colour: asColours && bright, warnings: [{ name: 'ChannelsAssumed', message }] };
}

function axisNames({ axes }: OmeImage): string {
  return axes.map(({ name }) => name).join(', ');
}

function unreadable(reason: string): BridgeError {
  return new BridgeError('ImageUnreadable', `the OME-Zarr cannot be read: ${reason}`, { reason });
}
