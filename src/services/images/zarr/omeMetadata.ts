import { BridgeError } from '../../../errors';
import type { ImageChannel, PixelSize } from '../imageSource';
import { choosePixelSize, sizeWithUnit } from '../pixelSize';
import type { Warning } from '../../warning';

// What an OME-Zarr group says about its image: NGFF 0.4 (attributes beside a Zarr 2 group) and 0.5 (below `ome` of a Zarr 3
// group), and the earlier versions whose axes are implied. https://ngff.openmicroscopy.org. Pure.

export interface OmeAxis {
  readonly name: string;
  readonly type: string | undefined;
  readonly unit: string | undefined;
}

/** A channel of `omero`, as far as it is given. */
export interface OmeChannel {
  readonly label: string | undefined;
  /** RRGGBB. */
  readonly colour: string | undefined;
  readonly window: ImageChannel['window'];
}

/** The first multiscale image of a group. */
export interface OmeImage {
  readonly version: string;
  readonly name: string | undefined;
  readonly axes: readonly OmeAxis[];
  /** Paths of the arrays, finest first, with the size of a pixel along each axis, in that axis' unit. */
  readonly datasets: readonly { readonly path: string; readonly scale: readonly number[] }[];
  readonly channels: readonly OmeChannel[];
  readonly warnings: readonly Warning[];
}

type Attributes = Readonly<Record<string, unknown>>;

/** The OME part of a group's attributes. */
export function omeAttributes(attributes: Attributes): Attributes {
  return isRecord(attributes['ome']) ? attributes['ome'] : attributes;
}

/** @throws BridgeError `UnsupportedImage` for a group that holds no image of its own, naming what it is; `ImageUnreadable` */
export function omeImage(attributes: Attributes): OmeImage {
  const ome = omeAttributes(attributes);
  if ('plate' in ome || 'well' in ome)
    throw new BridgeError('UnsupportedImage', 'the OME-Zarr is a plate or well of many images', {
      hint: 'open one of its images: the folder of a field, such as plate.zarr/A/1/0',
    });
  const { multiscales, omero } = ome;
  if (!Array.isArray(multiscales) || !isRecord(multiscales[0]))
    throw new BridgeError('UnsupportedImage', 'the Zarr folder holds no OME-Zarr image (no "multiscales")', {
      hint: 'open the folder that holds the multiscales of an image; plain Zarr arrays do not say what their axes are',
    });
  const image: Attributes = multiscales[0];
  const datasets = list(image['datasets']).filter(isRecord);
  if (datasets.length === 0) throw unreadable('its multiscales list no datasets');
  const axes = axesOf(image['axes']);
  const common = scaleOf(image, axes.length);
  return {
    version: text(ome['version']) ?? text(image['version']) ?? 'unknown',
    name: text(image['name']),
    axes,
    datasets: datasets.map((dataset) => {
      const path = text(dataset['path']);
      if (path === undefined) throw unreadable('a dataset has no path');
      return { path, scale: scaleOf(dataset, axes.length).map((size, axis) => size * common[axis]!) };
    }),
    channels: isRecord(omero) ? list(omero['channels']).filter(isRecord).map(channelOf) : [],
    warnings:
      multiscales.length > 1
        ? [
            {
              name: 'OnlyFirstImage',
              message: `the first of ${multiscales.length} multiscale images is used`,
            },
          ]
        : [],
  };
}

/** Axes as 0.4 and later list them; names alone in 0.3; always t, c, z, y, x before. */
function axesOf(axes: unknown): OmeAxis[] {
  if (axes === undefined) return [...'tczyx'].map((name) => ({ name, type: undefined, unit: undefined }));
  return list(axes).map((axis) => {
    if (typeof axis === 'string') return { name: axis, type: undefined, unit: undefined };
    const name = isRecord(axis) ? text(axis['name']) : undefined;
    if (!isRecord(axis) || name === undefined) throw unreadable('an axis has no name');
    return { name, type: text(axis['type']), unit: text(axis['unit']) };
  });
}

/** The product of the `scale` transformations; 1 along each axis where there is none. */
function scaleOf(holder: Attributes, axes: number): number[] {
  const scale = new Array<number>(axes).fill(1);
  for (const transformation of list(holder['coordinateTransformations'])) {
    if (!isRecord(transformation) || transformation['type'] !== 'scale') continue;
    list(transformation['scale']).forEach((size, axis) => {
      if (typeof size === 'number' && axis < axes) scale[axis]! *= size;
    });
  }
  return scale;
}

function channelOf(channel: Attributes): OmeChannel {
  const window = isRecord(channel['window']) ? channel['window'] : {};
  const { start, end } = window;
  return {
    label: text(channel['label']),
    colour: text(channel['color'])?.replace('#', '').toUpperCase(),
    window:
      typeof start === 'number' && typeof end === 'number' && end > start
        ? { low: start, high: end }
        : undefined,
  };
}

/** Of the finest dataset, from the scales of its x and y axes. */
export function omePixelSize({ axes, datasets }: OmeImage, x: number, y: number): PixelSize {
  const { scale } = datasets[0]!;
  const from = 'OME-Zarr scale';
  const units = [axes[x]!.unit, axes[y]!.unit];
  // A scale of 1 without a unit is what a writer leaves that was told nothing.
  if (units[0] === undefined && scale[x] === 1) return choosePixelSize([]);
  const size = (axis: number) => ({ value: String(scale[axis]), unit: axes[axis]!.unit ?? 'micrometer' });
  const chosen = choosePixelSize([sizeWithUnit(from, size(x), size(y))]);
  if (units[0] !== undefined || chosen.microns === null) return chosen;
  const message = `the scale of ${scale[x]} has no unit and is taken as µm`;
  return { ...chosen, warnings: [...chosen.warnings, { name: 'PixelSizeUncertain', message }] };
}

function isRecord(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unreadable(reason: string): BridgeError {
  return new BridgeError('ImageUnreadable', `the OME-Zarr cannot be read: ${reason}`, { reason });
}
