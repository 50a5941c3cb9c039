import type { Warning } from '../warning';
import type { PixelSize } from './imageSource';

// The pixel size of a file: its sources are tried from the most specific to the least, and each one that is there but
// cannot be used is told. Which sources a format has is decided beside the format.

/** One source of a pixel size, e.g. OME-XML: what it says in µm per pixel, or why it cannot be used. */
export interface SizeSource {
  /** For people, e.g. `OME-XML PhysicalSizeX`. */
  readonly from: string;
  readonly x?: number | undefined;
  readonly y?: number | undefined;
  /** Why it says nothing that can be used, as the end of a sentence: `"pixel" is no unit of length`. */
  readonly problem?: string | undefined;
}

/** Outside of this a "resolution" is a screen's or a printer's (72 dpi is 353 µm), not a microscope's. µm per pixel. */
export const PLAUSIBLE_MICRONS = { least: 0.02, most: 20 } as const;

/** The first source that can be used, with a word about those that could not. @param sources best first */
export function choosePixelSize(sources: readonly SizeSource[]): PixelSize {
  const failed: string[] = [];
  for (const source of sources) {
    const problem = source.problem ?? implausible(source);
    if (problem !== undefined) {
      failed.push(`${source.from}: ${problem}`);
      continue;
    }
    const x = source.x ?? source.y!;
    const y = source.y ?? x;
    const warnings: Warning[] = [];
    const add = (message: string): number => warnings.push({ name: 'PixelSizeUncertain', message });
    if (failed.length > 0)
      add(`the pixel size is from ${source.from}, because of others: ${failed.join('; ')}`);
    if (source.x === undefined)
      add(`${source.from} gives the height of a pixel alone; it is used for the width too`);
    if (Math.abs(x - y) > 0.01 * x)
      add(`pixels are not square: ${rounded(x)} by ${rounded(y)} µm; the width is used for both`);
    return { microns: x, from: source.from, warnings };
  }
  const message =
    failed.length === 0
      ? 'the file does not say how large a pixel is'
      : `the file does not say how large a pixel is; ${failed.join('; ')}`;
  return { microns: null, from: null, warnings: [{ name: 'PixelSizeUnknown', message }] };
}

/** Why a size is no microscope's, undefined for one that may be. µm */
export function implausibleMicrons(microns: number): string | undefined {
  if (!Number.isFinite(microns) || microns <= 0) return `${microns} µm is no size`;
  const { least, most } = PLAUSIBLE_MICRONS;
  return microns < least || microns > most
    ? `${rounded(microns)} µm is no microscope's pixel (${least} to ${most} µm) and is not used`
    : undefined;
}

function implausible({ x, y }: SizeSource): string | undefined {
  if (x === undefined && y === undefined) return 'it gives no number';
  return implausibleMicrons(x ?? y!) ?? (y === undefined ? undefined : implausibleMicrons(y));
}

function rounded(microns: number): number {
  return Number(microns.toPrecision(4));
}

/** SI prefixes, as powers of ten. */
const PREFIXES: Readonly<Record<string, number>> = {
  Y: 24,
  Z: 21,
  E: 18,
  P: 15,
  T: 12,
  G: 9,
  M: 6,
  k: 3,
  h: 2,
  da: 1,
  '': 0,
  d: -1,
  c: -2,
  m: -3,
  µ: -6,
  u: -6,
  n: -9,
  p: -12,
  f: -15,
  a: -18,
  z: -21,
  y: -24,
};
/** Units that are not metres with a prefix, and words as programs write them, in µm. Source: OME schema 2016-06. */
const UNITS: Readonly<Record<string, number>> = {
  å: 1e-4,
  angstrom: 1e-4,
  thou: 25.4,
  mil: 25.4,
  li: 25_400 / 12,
  in: 25_400,
  inch: 25_400,
  inches: 25_400,
  ft: 304_800,
  yd: 914_400,
  pt: 25_400 / 72,
  micron: 1,
  microns: 1,
  micro: 1,
  microm: 1,
  micrometer: 1,
  micrometers: 1,
  micrometre: 1,
  micrometres: 1,
  nanometer: 1e-3,
  nanometers: 1e-3,
  nanometre: 1e-3,
  millimeter: 1e3,
  millimeters: 1e3,
  millimetre: 1e3,
  centimeter: 1e4,
  centimeters: 1e4,
  centimetre: 1e4,
  meter: 1e6,
  meters: 1e6,
  metre: 1e6,
};

/** µm in one unit of length, undefined for what is none (`pixel`, `reference frame`). */
export function unitMicrons(unit: string): number | undefined {
  // Files written through latin1 hold "Âµm"; the Greek mu and the micro sign are different characters; ImageJ escapes it.
  const plain = unit
    .replace(/\\u00B5/gi, 'µ')
    .replace(/\u03bc/g, 'µ')
    .replace(/^Â/, '')
    .replace(/\u212b|A\u030a/g, 'Å')
    .trim();
  const metres = /^(da|[YZEPTGMkhdcmµunpfazy]?)m$/.exec(plain);
  if (metres !== null) return 10 ** (PREFIXES[metres[1]!]! + 6);
  return UNITS[plain.toLowerCase()];
}

/** A number as people's files have it: a decimal comma is a point. NaN for what is none. */
export function decimal(text: string): number {
  const plain = text.trim();
  return /^[+-]?\d+,\d+([eE][+-]?\d+)?$/.test(plain)
    ? Number(plain.replace(',', '.'))
    : plain === ''
      ? NaN
      : Number(plain);
}

/** A source from a number and a unit as text. */
export function sizeWithUnit(
  from: string,
  x: { readonly value: string; readonly unit: string } | undefined,
  y: { readonly value: string; readonly unit: string } | undefined,
): SizeSource {
  const microns = (
    size: { readonly value: string; readonly unit: string } | undefined,
  ): number | string | undefined => {
    if (size === undefined) return undefined;
    const perUnit = unitMicrons(size.unit);
    if (perUnit === undefined) return `"${size.unit}" is no unit of length`;
    const value = decimal(size.value);
    if (Number.isNaN(value)) return `"${size.value}" is no number`;
    return value * perUnit;
  };
  const [width, height] = [microns(x), microns(y)];
  if (typeof width === 'string') return { from, problem: width };
  if (typeof height === 'string') return { from, problem: height };
  return { from, x: width, y: height };
}
