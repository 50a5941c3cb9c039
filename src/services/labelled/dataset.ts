import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, parse } from 'node:path';
import { BridgeError } from '../../errors';
import type { LabelImage } from '../../segmentation/components';
import type { RgbImage } from '../../segmentation/preprocess';
import { openImageFile } from '../images/imageFormats';
import { resample } from '../images/pixels';
import { asRgb } from '../images/rendering';
import { readLabels, type StoredLabels } from './labelFiles';

/** A true object at the model's scale, px; `class` is absent for an object of which nobody said what it is. */
export interface TrueObject {
  readonly x: number;
  readonly y: number;
  readonly class?: string;
}

/** An image of a data set, found and checked but not decoded. */
export interface Entry {
  readonly name: string;
  readonly imagePath: string;
  readonly micronsPerPixel: number;
  readonly split?: string;
  readonly truth:
    | { readonly kind: 'points'; readonly points: readonly (TrueObject & { readonly class: string })[] }
    | {
        readonly kind: 'masks';
        readonly labelPath: string;
        readonly instances: Readonly<Record<string, string>>;
      };
}

/** A data set whose images are in order of their names. */
export interface DataSet {
  readonly folder: string;
  readonly entries: readonly Entry[];
}

/** An image at the model's scale with what is true about it. */
export interface LabelledImage {
  readonly name: string;
  readonly image: RgbImage;
  readonly objects: readonly TrueObject[];
  /** Where masks exist: label i + 1 is `objects[i]`. */
  readonly labels?: LabelImage;
  /** 3 µm, px. */
  readonly matchRadius: number;
}

/** Centres that are this far apart at most are the same nucleus. */
export const MATCH_MICRONS = 3;
/** A class with fewer objects in an image is not asked for there. */
export const MINIMUM_OBJECTS = 5;
/** Most pixels of one image of a data set. */
const IMAGE_PIXELS = 100_000_000;

/** The classes of an image, sorted. */
export function classesOf({ objects }: Pick<LabelledImage, 'objects'>): string[] {
  return [...new Set(objects.flatMap((object) => object.class ?? []))].sort();
}

/**
 * Opens a data set: `images/NAME.*` with `labels/NAME.png` + `labels/NAME.json`, or with `points/NAME.json`.
 * @param split only images whose JSON names this split
 * @throws BridgeError FileNotFound, FileDamaged: says which file and what was wanted
 */
export function openDataSet(folder: string, split?: string): DataSet {
  const images = imageFiles(folder);
  const kind = (['labels', 'points'] as const).find((name) => isFolder(join(folder, name)));
  if (kind === undefined)
    throw new BridgeError('FileNotFound', `${folder} has neither labels/ nor points/`, { hint: LAYOUT });
  const entries = [...images].map(([name, imagePath]) => {
    const json = join(folder, kind, `${name}.json`);
    const about = readJson(json);
    return kind === 'points'
      ? pointEntry(name, imagePath, json, about)
      : maskEntry(name, imagePath, json, about);
  });
  const chosen = entries.filter((entry) => split === undefined || entry.split === split);
  if (chosen.length === 0) {
    const known = [...new Set(entries.flatMap((entry) => entry.split ?? []))].sort();
    throw new BridgeError('FileNotFound', `${folder} has no image of the split "${split}"`, {
      hint:
        known.length === 0
          ? 'its files name no split: leave --split out'
          : `its splits are ${known.join(', ')}`,
    });
  }
  return { folder, entries: chosen };
}

/** Decodes an image and its labels and brings both to the model's µm/px. @throws BridgeError ImageUnreadable, FileDamaged, ... */
export async function loadEntry(entry: Entry, micronsPerPixel: number): Promise<LabelledImage> {
  const stored = await readRgb(entry.imagePath);
  const scale = entry.micronsPerPixel / micronsPerPixel;
  const image = resized(stored, scale);
  const sizes = { name: entry.name, image, matchRadius: MATCH_MICRONS / micronsPerPixel };
  if (entry.truth.kind === 'points') {
    const inside = entry.truth.points.every(({ x, y }) => x < stored.width && y < stored.height);
    if (!inside)
      throw damaged(entry.name, `a point lies outside its image of ${stored.width} x ${stored.height}`);
    // A point names a pixel: its centre is meant.
    const at = (value: number): number => (value + 0.5) * scale;
    return { ...sizes, objects: entry.truth.points.map((p) => ({ ...p, x: at(p.x), y: at(p.y) })) };
  }
  const { labelPath, instances } = entry.truth;
  const labels = await readLabels(labelPath);
  if (labels.width !== stored.width || labels.height !== stored.height)
    throw damaged(
      labelPath,
      `it is ${labels.width} x ${labels.height}, its image ${stored.width} x ${stored.height}`,
    );
  const present = new Set(labels.labels);
  const missing = Object.keys(instances).find((id) => !present.has(Number(id)));
  if (missing !== undefined) throw damaged(labelPath, `it has no pixel of instance ${missing}`);
  const { image: numbered, ids } = renumbered(labels, image.width, image.height);
  const objects = centroids(numbered).map(({ x, y }, i) => {
    const name = instances[String(ids[i])];
    return name === undefined ? { x, y } : { x, y, class: name };
  });
  return { ...sizes, objects, labels: numbered };
}

/** Decodes a whole image. @throws BridgeError ImageUnreadable, UnsupportedImage, ImageTooLarge */
export async function readRgb(path: string): Promise<RgbImage> {
  const file = await asRgb(await openImageFile(path, { imagePixels: IMAGE_PIXELS }));
  const { width, height } = file;
  try {
    return await file.readRegion(0, { x: 0, y: 0, width, height });
  } finally {
    await file.close();
  }
}

/** The image `scale` times as large; itself at 1. */
export function resized(image: RgbImage, scale: number): RgbImage {
  if (Math.abs(scale - 1) < 1e-6) return image;
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  const { width, height } = image;
  const window = { x: 0, y: 0, width, height };
  return resample({ ...image, channels: 3 }, window, side(width), side(height));
}

/**
 * Labels at another size (nearest pixel), numbered 1..count in the order of their stored numbers; what vanishes in shrinking is
 * left out. `ids[i]` is the stored number of label i + 1.
 */
export function renumbered(
  stored: StoredLabels,
  width: number,
  height: number,
): { image: LabelImage; ids: readonly number[] } {
  const labels = new Int32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * stored.height) / height) * stored.width;
    for (let x = 0; x < width; x++, i++)
      labels[i] = stored.labels[row + Math.floor(((x + 0.5) * stored.width) / width)]!;
  }
  const ids = [...new Set(labels)].filter((id) => id > 0).sort((a, b) => a - b);
  const numbers = new Map(ids.map((id, i) => [id, i + 1]));
  for (let i = 0; i < labels.length; i++) labels[i] = numbers.get(labels[i]!) ?? 0;
  return { image: { width, height, labels, count: ids.length }, ids };
}

/** Centroid of every label, px. -> [count] */
export function centroids({ width, labels, count }: LabelImage): { x: number; y: number }[] {
  const sums = Array.from({ length: count }, () => ({ x: 0, y: 0, n: 0 }));
  for (let i = 0; i < labels.length; i++) {
    const sum = sums[labels[i]! - 1];
    if (sum === undefined) continue;
    sum.x += (i % width) + 0.5;
    sum.y += Math.floor(i / width) + 0.5;
    sum.n++;
  }
  return sums.map(({ x, y, n }) => ({ x: x / n, y: y / n }));
}

/** Image files of `FOLDER/images` by their name without ending, in order. @throws BridgeError FileNotFound */
export function imageFiles(folder: string): Map<string, string> {
  const images = join(folder, 'images');
  if (!isFolder(images))
    throw new BridgeError('FileNotFound', `${folder} has no folder images/`, { hint: LAYOUT });
  const files = readdirSync(images)
    .filter((file) => /\.(png|jpe?g|tiff?)$/i.test(file))
    .sort();
  if (files.length === 0) throw new BridgeError('FileNotFound', `${images} holds no image`, { hint: LAYOUT });
  return new Map(files.map((file) => [parse(file).name, join(images, file)]));
}

const LAYOUT =
  'a data set is a folder with images/NAME.png and labels/NAME.png + labels/NAME.json, or points/NAME.json';

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function damaged(path: string, reason: string): BridgeError {
  return new BridgeError('FileDamaged', `${path} cannot be used: ${reason}`, {
    hint: 'wanted: { mpp, points: [{ x, y, class }] } or { mpp, instances: { number: class } }, with "split" if there is one',
  });
}

function readJson(path: string): Record<string, unknown> {
  if (!existsSync(path)) throw new BridgeError('FileNotFound', `an image has no labels: ${path} is missing`);
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
  throw damaged(path, 'it is not a JSON object');
}

function common(name: string, imagePath: string, json: string, about: Record<string, unknown>) {
  const { mpp, split } = about;
  if (typeof mpp !== 'number' || !(mpp > 0))
    throw damaged(json, 'mpp must be a positive number, µm per pixel');
  if (split !== undefined && typeof split !== 'string') throw damaged(json, 'split must be a string');
  return { name, imagePath, micronsPerPixel: mpp, ...(split === undefined ? {} : { split }) };
}

function pointEntry(name: string, imagePath: string, json: string, about: Record<string, unknown>): Entry {
  const { points } = about;
  if (!Array.isArray(points)) throw damaged(json, 'points must be a list');
  const checked = points.map((point: unknown, i) => {
    const { x, y, class: kind } = (point ?? {}) as Record<string, unknown>;
    if (typeof x !== 'number' || typeof y !== 'number' || !(x >= 0) || !(y >= 0) || typeof kind !== 'string')
      throw damaged(json, `points[${i}] must have x and y of at least 0, and a class`);
    return { x, y, class: kind };
  });
  return { ...common(name, imagePath, json, about), truth: { kind: 'points', points: checked } };
}

function maskEntry(name: string, imagePath: string, json: string, about: Record<string, unknown>): Entry {
  const { instances } = about;
  if (typeof instances !== 'object' || instances === null || Array.isArray(instances))
    throw damaged(json, 'instances must be an object');
  for (const [id, kind] of Object.entries(instances))
    if (!/^[1-9]\d*$/.test(id) || typeof kind !== 'string')
      throw damaged(json, `instances["${id}"] must be the class of a positive number`);
  const labelPath = json.replace(/json$/, 'png');
  if (!existsSync(labelPath))
    throw new BridgeError('FileNotFound', `an image has no labels: ${labelPath} is missing`);
  return {
    ...common(name, imagePath, json, about),
    truth: { kind: 'masks', labelPath, instances: instances as Record<string, string> },
  };
}
