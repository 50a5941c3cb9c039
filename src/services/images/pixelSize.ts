import type { TiffDirectory } from './tiffTags';

/** A pixel size found in a file: µm per pixel, or null with the reason as a warning. */
export interface PixelSize {
  readonly microns: number | null;
  readonly warning?: string;
}

/** Outside of this a "resolution" is a screen's or a printer's (72 dpi is 353 µm), not a microscope's. µm per pixel. */
const PLAUSIBLE = { least: 0.01, most: 20 } as const;
const UNIT_MICRONS: Readonly<Record<string, number>> = {
  nm: 0.001,
  µm: 1,
  um: 1,
  micron: 1,
  microns: 1,
  mm: 1000,
  cm: 10_000,
  inch: 25_400,
};
const NONE: PixelSize = { microns: null, warning: 'the file does not say how large a pixel is' };

/**
 * The pixel size of a TIFF's first image, from the most specific source: OME-XML `PhysicalSizeX`, Aperio's `MPP`,
 * ImageJ's unit, then the resolution tags when plausible.
 */
export function tiffPixelSize(directory: TiffDirectory): PixelSize {
  const { description, xResolution, yResolution, resolutionUnit } = directory;
  if (/<Pixels\s/.test(description)) {
    const x = omeSize(description, 'X');
    const y = omeSize(description, 'Y');
    if (x !== undefined) return checked(x, y ?? x);
  }
  const aperio = /^Aperio/.test(description) ? /\|\s*MPP\s*=\s*([\d.]+)/.exec(description) : null;
  if (aperio !== null) return checked(Number(aperio[1]), Number(aperio[1]));
  const imageJ = /^ImageJ=/.test(description) ? /^unit=(.*)$/m.exec(description)?.[1]?.trim() : undefined;
  const unit =
    imageJ?.replace('\\u00B5', 'µ') ?? (resolutionUnit === 3 ? 'cm' : resolutionUnit === 2 ? 'inch' : '');
  const microns = UNIT_MICRONS[unit];
  if (microns === undefined || xResolution === 0) return NONE;
  return checked(microns / xResolution, microns / (yResolution || xResolution));
}

/** The pixel size of a PNG (pHYs) or JPEG (JFIF density), both given as dots per inch. */
export function densityPixelSize(dotsPerInch: number | undefined): PixelSize {
  if (dotsPerInch === undefined || dotsPerInch === 0) return NONE;
  return checked(25_400 / dotsPerInch, 25_400 / dotsPerInch);
}

function omeSize(xml: string, axis: 'X' | 'Y'): number | undefined {
  const pixels = /<Pixels\s[^>]*>/.exec(xml)?.[0] ?? '';
  const value = new RegExp(`\\bPhysicalSize${axis}\\s*=\\s*["']([^"']+)["']`).exec(pixels)?.[1];
  const unit = new RegExp(`\\bPhysicalSize${axis}Unit\\s*=\\s*["']([^"']+)["']`).exec(pixels)?.[1] ?? 'µm';
  // Files written through latin1 hold "Âµm"; the Greek mu and the micro sign are different characters.
  const microns = UNIT_MICRONS[unit.replace('&#181;', 'µ').replace(/^Â/, '').replace('μ', 'µ')];
  return value === undefined || microns === undefined ? undefined : Number(value) * microns;
}

function checked(x: number, y: number): PixelSize {
  if (!(x >= PLAUSIBLE.least && x <= PLAUSIBLE.most)) {
    return {
      microns: null,
      warning: `the file's pixel size of ${Number(x.toPrecision(3))} µm is not a microscope's and is ignored`,
    };
  }
  if (Math.abs(x - y) > 0.01 * x) {
    return { microns: x, warning: `pixels are not square: ${x} by ${y} µm; the width is used for both` };
  }
  return { microns: x };
}
