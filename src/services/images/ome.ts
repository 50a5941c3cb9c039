import { sizeWithUnit, type SizeSource } from './pixelSize';
import { descendants, type XmlElement } from './xml';

// OME-XML, schema 2016-06 and earlier ones: what a TIFF's first description says about the pages.

/** A plane of an OME image: which page holds it. */
export interface OmePlane {
  /** Number of the page (IFD), from 0. */
  readonly page: number;
  readonly channel: number;
  readonly z: number;
  readonly t: number;
}

export interface OmeImage {
  readonly name: string;
  /** px */
  readonly width: number;
  readonly height: number;
  readonly sizeZ: number;
  readonly sizeT: number;
  /** One name (or '') for each channel that has planes of its own. */
  readonly channels: readonly string[];
  /** Bits that carry the value, undefined when not said. */
  readonly significantBits: number | undefined;
  readonly planes: readonly OmePlane[];
  /** True when some planes lie in other files. */
  readonly elsewhere: boolean;
  readonly size: SizeSource;
}

/** The images of an OME-XML document. @param samplesOfPages samples per pixel of each page of the file */
export function omeImages(root: XmlElement, samplesOfPages: readonly number[]): OmeImage[] {
  if (root.name === 'Pixels') return [omeImage(root, root, samplesOfPages)];
  return descendants(root, 'Image').flatMap((image) => {
    const pixels = image.children.find(({ name }) => name === 'Pixels');
    return pixels === undefined ? [] : [omeImage(image, pixels, samplesOfPages)];
  });
}

/** Whether a parsed description is OME-XML. */
export function isOme(root: XmlElement): boolean {
  return root.name === 'OME' || root.name === 'Pixels';
}

function omeImage(image: XmlElement, pixels: XmlElement, samplesOfPages: readonly number[]): OmeImage {
  const attribute = (name: string): string | undefined => pixels.attributes[name];
  const count = (name: string): number => Math.max(1, Number(attribute(name) ?? 1) || 1);
  const channelElements = pixels.children.filter(({ name }) => name === 'Channel');
  const firstPage =
    Number(pixels.children.find(({ name }) => name === 'TiffData')?.attributes['IFD'] ?? 0) || 0;
  const samples =
    Number(channelElements[0]?.attributes['SamplesPerPixel'] ?? NaN) || (samplesOfPages[firstPage] ?? 1);
  // SizeC counts samples: an RGB page is one plane of three.
  const channelCount = Math.max(1, Math.round(count('SizeC') / samples));
  const channels = Array.from({ length: channelCount }, (_, index) => {
    const channel = channelElements[index]?.attributes;
    return channel?.['Name'] ?? channel?.['Fluor'] ?? '';
  });
  const shape = { channels: channels.length, z: count('SizeZ'), t: count('SizeT') };
  const { planes, elsewhere } = planesOf(
    pixels,
    shape,
    attribute('DimensionOrder') ?? 'XYCZT',
    samplesOfPages.length,
  );
  const size = (axis: 'X' | 'Y'): { value: string; unit: string } | undefined => {
    const value = attribute(`PhysicalSize${axis}`);
    return value === undefined ? undefined : { value, unit: attribute(`PhysicalSize${axis}Unit`) ?? 'µm' };
  };
  const bits = Number(attribute('SignificantBits') ?? NaN);
  return {
    name: image.attributes['Name'] ?? image.attributes['ID'] ?? '',
    width: count('SizeX'),
    height: count('SizeY'),
    sizeZ: shape.z,
    sizeT: shape.t,
    channels,
    significantBits: Number.isInteger(bits) && bits > 0 ? bits : undefined,
    planes,
    elsewhere,
    size: sizeWithUnit('OME-XML PhysicalSize', size('X'), size('Y')),
  };
}

interface Shape {
  readonly channels: number;
  readonly z: number;
  readonly t: number;
}

/** Where the planes are, by the TiffData elements; without any, page after page in the dimension order. */
function planesOf(
  pixels: XmlElement,
  shape: Shape,
  order: string,
  pages: number,
): { planes: OmePlane[]; elsewhere: boolean } {
  const total = shape.channels * shape.z * shape.t;
  const blocks = pixels.children.filter(({ name }) => name === 'TiffData');
  const planes: OmePlane[] = [];
  let elsewhere = false;
  const listed =
    blocks.length > 0
      ? blocks.map(({ attributes, children }) => ({ attributes, children }))
      : [{ attributes: {}, children: [] }];
  const files = new Set(
    blocks.flatMap(({ children }) =>
      children.flatMap(({ name, attributes }) => (name === 'UUID' ? [attributes['FileName'] ?? ''] : [])),
    ),
  );
  for (const { attributes, children } of listed as readonly Pick<XmlElement, 'attributes' | 'children'>[]) {
    const number = (name: string): number => Number(attributes[name] ?? 0) || 0;
    // The first file named is this one; others belong to a set of several files.
    const file = children.find(({ name }) => name === 'UUID')?.attributes['FileName'];
    if (file !== undefined && files.size > 1 && file !== [...files][0]) {
      elsewhere = true;
      continue;
    }
    const everything = attributes['IFD'] === undefined && attributes['PlaneCount'] === undefined;
    const count = everything ? total : Math.max(1, number('PlaneCount'));
    const first = indexOf(
      { channel: number('FirstC'), z: number('FirstZ'), t: number('FirstT') },
      shape,
      order,
    );
    for (let index = 0; index < Math.min(count, total - first); index += 1) {
      const page = number('IFD') + index;
      if (page < pages) planes.push({ page, ...placeOf(first + index, shape, order) });
      else elsewhere = elsewhere || !everything;
    }
  }
  return { planes, elsewhere };
}

type Place = Omit<OmePlane, 'page'>;

/** The axes of a dimension order, fastest first: `XYCZT` is channel, z, t. */
function axesOf(
  order: string,
  shape: Shape,
): readonly { readonly name: keyof Place; readonly length: number }[] {
  const letters = /^XY([CZT]{3})$/.exec(order)?.[1] ?? 'CZT';
  return [...letters].map((letter) =>
    letter === 'C'
      ? { name: 'channel', length: shape.channels }
      : letter === 'Z'
        ? { name: 'z', length: shape.z }
        : { name: 't', length: shape.t },
  );
}

function placeOf(index: number, shape: Shape, order: string): Place {
  const place = { channel: 0, z: 0, t: 0 };
  let rest = index;
  for (const { name, length } of axesOf(order, shape)) {
    place[name] = rest % length;
    rest = Math.floor(rest / length);
  }
  return place;
}

function indexOf(place: Place, shape: Shape, order: string): number {
  let index = 0;
  let step = 1;
  for (const { name, length } of axesOf(order, shape)) {
    index += place[name] * step;
    step *= length;
  }
  return index;
}
