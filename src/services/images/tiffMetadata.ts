import type { Warning } from '../warning';
import { isOme, omeImages, type OmeImage } from './ome';
import { decimal, sizeWithUnit, unitMicrons, type SizeSource } from './pixelSize';
import type { TiffDirectory } from './tiffTags';
import { descendants, looksLikeXml, parseXml, type XmlElement } from './xml';

// What the descriptions of a TIFF say, program by program. Text in, records out; nothing is decided here.

/** Whose file it is, and what its description says. */
export type TiffMetadata =
  | { readonly kind: 'OME-TIFF'; readonly images: readonly OmeImage[] }
  | { readonly kind: 'Aperio SVS' }
  | { readonly kind: 'PerkinElmer QPTIFF' }
  | { readonly kind: 'Leica SCN'; readonly images: readonly ScnImage[] }
  | { readonly kind: 'Philips TIFF'; readonly root: XmlElement }
  | { readonly kind: 'ImageJ TIFF'; readonly stack: ImageJStack }
  | { readonly kind: 'TIFF' };

export interface ScnImage {
  /** Pages of it, from 0. */
  readonly pages: readonly number[];
  readonly macro: boolean;
  readonly size: SizeSource;
}

export interface ImageJStack {
  readonly images: number;
  readonly channels: number;
  readonly slices: number;
  readonly frames: number;
  readonly unit: string | undefined;
}

/** Reads the description of the first page. A description that should be XML and is not comes back as a warning. */
export function readMetadata(directories: readonly TiffDirectory[]): {
  readonly metadata: TiffMetadata;
  readonly warnings: readonly Warning[];
} {
  const { description } = directories[0]!;
  if (/^Aperio/.test(description)) return { metadata: { kind: 'Aperio SVS' }, warnings: [] };
  if (/^ImageJ=/.test(description))
    return { metadata: { kind: 'ImageJ TIFF', stack: imageJStack(description) }, warnings: [] };
  if (!looksLikeXml(description)) return { metadata: { kind: 'TIFF' }, warnings: [] };
  try {
    const root = parseXml(description);
    return { metadata: xmlMetadata(root, directories), warnings: [] };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const message = `the XML description of the file cannot be read (${reason}); channels, planes and pixel size that it may tell are not known`;
    return { metadata: { kind: 'TIFF' }, warnings: [{ name: 'MetadataUnreadable', message }] };
  }
}

function xmlMetadata(root: XmlElement, directories: readonly TiffDirectory[]): TiffMetadata {
  if (isOme(root)) {
    const samples = directories.map(({ samplesPerPixel }) => samplesPerPixel);
    return { kind: 'OME-TIFF', images: omeImages(root, samples) };
  }
  if (root.name === 'PerkinElmer-QPI-ImageDescription') return { kind: 'PerkinElmer QPTIFF' };
  if (root.name === 'scn') return { kind: 'Leica SCN', images: scnImages(root) };
  if (root.name === 'DataObject' && root.attributes['ObjectType'] === 'DPUfsImport')
    return { kind: 'Philips TIFF', root };
  return { kind: 'TIFF' };
}

/** Key and value pairs of an Aperio description, keys in lower case: `…|MPP = 0.2500|OffsetZ = 0`. */
export function aperioValues(description: string): ReadonlyMap<string, string> {
  const pairs = description.split('|').flatMap((part) => {
    const at = part.indexOf('=');
    return at < 0 ? [] : [[part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()] as const];
  });
  return new Map(pairs);
}

/** The pixel size that an Aperio description says (`|MPP = 0.25|`). */
export function aperioSize(description: string): SizeSource | undefined {
  const values = aperioValues(description);
  const mpp = values.get('mpp');
  if (mpp !== undefined) return micronsSource('Aperio MPP', mpp, mpp);
  const [x, y] = [values.get('mppx'), values.get('mppy')];
  return x === undefined ? undefined : micronsSource('Aperio MPPX', x, y ?? x);
}

/** What a QPTIFF page says about itself. */
export function qptiffPage(
  description: string,
): { readonly type: string; readonly name: string } | undefined {
  if (!description.includes('PerkinElmer-QPI-ImageDescription')) return undefined;
  try {
    const { children } = parseXml(description);
    const text = (name: string): string => children.find((child) => child.name === name)?.text ?? '';
    return { type: text('ImageType'), name: text('Name') || text('Biomarker') };
  } catch {
    return undefined;
  }
}

/** DICOM_PIXEL_SPACING of a Philips file, in mm (row, then column): the finest of those listed. */
export function philipsSize(root: XmlElement): SizeSource | undefined {
  const from = 'Philips DICOM_PIXEL_SPACING';
  const spacings = descendants(root, 'Attribute')
    .filter(({ attributes }) => attributes['Name'] === 'DICOM_PIXEL_SPACING')
    .map(({ text }) => [...text.matchAll(/"?([\d.,eE+-]+)"?/g)].map(([, number]) => decimal(number!) * 1000))
    .filter((values) => values.length > 0 && values.every((value) => value > 0))
    .sort((a, b) => a[0]! - b[0]!);
  const [finest] = spacings;
  return finest === undefined ? undefined : { from, x: finest[1] ?? finest[0], y: finest[0] };
}

/** Resolution tags, in ImageJ's own unit where its description names one. */
export function resolutionSources(
  { xResolution, yResolution, resolutionUnit }: TiffDirectory,
  imageJUnit: string | undefined,
): SizeSource[] {
  if (xResolution <= 0) return [];
  const sources: SizeSource[] = [];
  const y = yResolution > 0 ? yResolution : xResolution;
  if (imageJUnit !== undefined && imageJUnit !== '') {
    const from = `resolution tags in ImageJ's unit`;
    const microns = unitMicrons(imageJUnit);
    sources.push(
      microns === undefined
        ? { from, problem: `"${imageJUnit}" is no unit of length` }
        : { from, x: microns / xResolution, y: microns / y },
    );
  }
  const perUnit = resolutionUnit === 2 ? 25_400 : resolutionUnit === 3 ? 10_000 : undefined;
  if (perUnit !== undefined) {
    const name = resolutionUnit === 2 ? 'inch' : 'cm';
    sources.push({
      from: `resolution tags (${Number(xResolution.toPrecision(6))} px per ${name})`,
      x: perUnit / xResolution,
      y: perUnit / y,
    });
  }
  return sources;
}

function micronsSource(from: string, x: string, y: string): SizeSource {
  return sizeWithUnit(from, { value: x, unit: 'µm' }, { value: y, unit: 'µm' });
}

function imageJStack(description: string): ImageJStack {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=([^\\r\\n]*)`, 'm').exec(description)?.[1]?.trim();
  const count = (key: string): number => Math.max(1, Number(value(key) ?? 1) || 1);
  return {
    images: count('images'),
    channels: count('channels'),
    slices: count('slices'),
    frames: count('frames'),
    unit: value('unit'),
  };
}

/** Images of a Leica file: the macro is the one whose view is the whole slide. Sizes of views are in nm. */
function scnImages(root: XmlElement): ScnImage[] {
  const collection = descendants(root, 'collection')[0]?.attributes ?? {};
  return descendants(root, 'image').map((image) => {
    const pixels = image.children.find(({ name }) => name === 'pixels');
    const view = image.children.find(({ name }) => name === 'view')?.attributes ?? {};
    const perPixel = (axis: 'X' | 'Y'): number =>
      Number(view[`size${axis}`]) / 1000 / Number(pixels?.attributes[`size${axis}`]);
    const [x, y] = [perPixel('X'), perPixel('Y')];
    return {
      pages: (pixels?.children ?? [])
        .filter(({ name }) => name === 'dimension')
        .map(({ attributes }) => Number(attributes['ifd'])),
      macro:
        view['sizeX'] !== undefined &&
        view['sizeX'] === collection['sizeX'] &&
        view['sizeY'] === collection['sizeY'],
      size: {
        from: 'Leica view size',
        ...(Number.isFinite(x) && Number.isFinite(y) ? { x, y } : { problem: 'its numbers cannot be read' }),
      },
    };
  });
}
