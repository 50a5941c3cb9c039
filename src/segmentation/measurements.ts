import type { Outline } from './geometry';
import { outlineBounds } from './geometry';
import type { RgbImage } from './preprocess';
import { rasterizeOutline } from './rasterize';
import { measureShape } from './shape';

/** Optical-density vectors of haematoxylin and eosin, and a residual (Ruifrok and Johnston 2001), as rows. */
export const STAIN_VECTORS: readonly (readonly [number, number, number])[] = [
  [0.65, 0.7, 0.29],
  [0.07, 0.99, 0.11],
  [0.27, 0.57, 0.78],
];

/** Rows of the inverse stain matrix applied to an RGB optical density give the stains: od * UNMIX = (H, E, residual). */
const UNMIX = invert(STAIN_VECTORS.map(normalise));

/** Optical density per 8-bit value, log10, with 1 added so that black is finite. */
const DENSITY = Float64Array.from({ length: 256 }, (_, value) => -Math.log10((value + 1) / 256));

/** Haematoxylin and eosin optical densities of an 8-bit RGB pixel (Ruifrok and Johnston 2001). */
export function stainDensities(
  red: number,
  green: number,
  blue: number,
): [haematoxylin: number, eosin: number] {
  const [r, g, b] = [DENSITY[red]!, DENSITY[green]!, DENSITY[blue]!];
  return [
    r * UNMIX[0]![0]! + g * UNMIX[1]![0]! + b * UNMIX[2]![0]!,
    r * UNMIX[0]![1]! + g * UNMIX[1]![1]! + b * UNMIX[2]![1]!,
  ];
}

/** Channels that are averaged inside an object and in the ring around it. */
const CHANNELS = ['red', 'green', 'blue', 'haematoxylin', 'eosin'] as const;

/** The names of `measureObject`'s values, in their order. */
export const MEASUREMENT_NAMES: readonly string[] = [
  'area',
  'perimeter',
  'circularity',
  'majorAxis',
  'minorAxis',
  'eccentricity',
  'solidity',
  ...CHANNELS.flatMap((channel) => [`${channel} mean`, `${channel} sd`]),
  ...CHANNELS.flatMap((channel) => [`${channel} ring mean`, `${channel} ring sd`]),
];

/**
 * The classical measurements of one object, as QuPath users train on: shape in µm, colour and stain inside and in a ring around.
 * -> Float64Array in the order of `MEASUREMENT_NAMES`. @param outline px of `image` @param ring width of the ring, px
 */
export function measureObject(
  outline: Outline,
  image: RgbImage,
  micronsPerPixel: number,
  ring = 4,
): Float64Array {
  const shape = measureShape(outline, micronsPerPixel);
  const box = outlineBounds(outline);
  const left = Math.max(0, Math.floor(box.x) - ring);
  const top = Math.max(0, Math.floor(box.y) - ring);
  const frame = {
    x: left,
    y: top,
    width: Math.min(image.width, Math.ceil(box.x + box.width) + ring) - left,
    height: Math.min(image.height, Math.ceil(box.y + box.height) + ring) - top,
  };
  const inside = rasterizeOutline(outline, frame);
  const around = dilate(inside, frame.width, frame.height, ring);
  for (let i = 0; i < around.length; i++) around[i]! &= inside[i]! ^ 1;
  return Float64Array.from([
    shape.area,
    shape.perimeter,
    shape.circularity,
    shape.majorAxis,
    shape.minorAxis,
    shape.eccentricity,
    shape.solidity,
    ...colourStatistics(inside, frame, image),
    ...colourStatistics(around, frame, image),
  ]);
}

/** Mean and standard deviation of every channel over a mask; zeros for an empty one. */
function colourStatistics(
  mask: Uint8Array,
  frame: { x: number; y: number; width: number },
  image: RgbImage,
): number[] {
  const sums = new Float64Array(CHANNELS.length);
  const squares = new Float64Array(CHANNELS.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    const x = frame.x + (i % frame.width);
    const y = frame.y + Math.floor(i / frame.width);
    const at = (y * image.width + x) * 3;
    const [r, g, b] = [image.data[at]!, image.data[at + 1]!, image.data[at + 2]!];
    const values = [r, g, b, ...stainDensities(r, g, b)];
    count++;
    for (let c = 0; c < values.length; c++) {
      sums[c]! += values[c]!;
      squares[c]! += values[c]! * values[c]!;
    }
  }
  return Array.from(sums).flatMap((sum, c) => {
    const mean = count === 0 ? 0 : sum / count;
    return [mean, count === 0 ? 0 : Math.sqrt(Math.max(0, squares[c]! / count - mean * mean))];
  });
}

/** The mask grown by a square of `radius` px: rows, then columns. */
function dilate(mask: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const along = (
    from: Uint8Array,
    step: number,
    length: number,
    other: number,
    stride: number,
  ): Uint8Array => {
    const out = new Uint8Array(from.length);
    for (let line = 0; line < other; line++)
      for (let i = 0; i < length; i++) {
        if (from[line * stride + i * step] === 0) continue;
        const end = Math.min(length - 1, i + radius);
        for (let j = Math.max(0, i - radius); j <= end; j++) out[line * stride + j * step] = 1;
      }
    return out;
  };
  return along(along(mask, 1, width, height, width), width, height, width, 1);
}

function normalise(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Inverse of a 3 x 3 matrix by cofactors. */
function invert(m: readonly (readonly number[])[]): number[][] {
  const at = (r: number, c: number): number => m[r % 3]![c % 3]!;
  const cofactor = (r: number, c: number): number =>
    at(r + 1, c + 1) * at(r + 2, c + 2) - at(r + 1, c + 2) * at(r + 2, c + 1);
  const determinant = [0, 1, 2].reduce((sum, c) => sum + at(0, c) * cofactor(0, c), 0);
  return [0, 1, 2].map((r) => [0, 1, 2].map((c) => cofactor(c, r) / determinant));
}
