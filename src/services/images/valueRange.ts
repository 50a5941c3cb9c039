import type { Warning } from '../warning';

/** The values that stand for nothing and for full, and a word where that was not said by the file. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
  readonly warnings: readonly Warning[];
}

/** What the samples of a picture look like, over the windows that were looked at. */
export interface SeenValues {
  readonly least: number;
  readonly most: number;
  /** Floats alone: some were no number or infinite. */
  readonly notFinite: boolean;
}

/** The least and largest of values that come in parts. */
export function seenValues(parts: readonly ArrayLike<number>[]): SeenValues {
  let [least, most] = [Infinity, -Infinity];
  let notFinite = false;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 1) {
      const value = part[at]!;
      if (!Number.isFinite(value)) notFinite = true;
      else {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
  }
  return most < least ? { least: 0, most: 0, notFinite } : { least, most, notFinite };
}

/**
 * The range of 16-bit samples. A camera of 12 bits leaves the upper four empty, and taken for 16 its pictures are black.
 * @param said bits that the file says carry the value
 * @param seen the values of the picture
 */
export function wideRange(said: number | undefined, from: string, seen: SeenValues): ValueRange {
  if (said !== undefined && said < 16) {
    const high = 2 ** said - 1;
    if (seen.most <= high) return { low: 0, high, warnings: [] };
    const message = `the file says (${from}) that ${said} bits carry the value, but there are values up to ${seen.most}; all 16 are used`;
    return { low: 0, high: 65535, warnings: [{ name: 'ValuesScaled', message }] };
  }
  // A sixteenth of the range: what is darker than that is hardly meant to be.
  const bits =
    said === undefined && seen.most > 0 ? [8, 10, 12].find((each) => seen.most < 2 ** each) : undefined;
  if (bits === undefined) return { low: 0, high: 65535, warnings: [] };
  const message = `no value of the 16-bit picture passes ${seen.most}; it is read as one of ${bits} bits`;
  return { low: 0, high: 2 ** bits - 1, warnings: [{ name: 'ValuesScaled', message }] };
}

/** The range of floats: 0 to 1, or what is there, with a word. */
export function floatRange({ least, most, notFinite }: SeenValues): ValueRange {
  const warnings: Warning[] = notFinite
    ? [{ name: 'ValuesScaled', message: 'some values are no numbers; they are read as nothing' }]
    : [];
  if (least >= 0 && most <= 1) return { low: 0, high: 1, warnings };
  const text = (value: number): string => String(Number(value.toPrecision(4)));
  const message = `the values of the picture run from ${text(least)} to ${text(most)}, not from 0 to 1; they are scaled to that`;
  return {
    low: least,
    high: most > least ? most : least + 1,
    warnings: [...warnings, { name: 'ValuesScaled', message }],
  };
}
