import { UsageError } from './command';

/** What a number on the command line may be. */
export interface NumberKind {
  /** For a person, as in "--seeds takes …". */
  readonly takes: string;
  readonly fits: (value: number) => boolean;
}

export const ANY_NUMBER: NumberKind = { takes: 'a number', fits: () => true };
export const ABOVE_ZERO: NumberKind = { takes: 'a number above 0', fits: (value) => value > 0 };
export const WHOLE: NumberKind = { takes: 'a whole number', fits: Number.isInteger };
export const COUNT: NumberKind = {
  takes: 'a whole number above 0',
  fits: (value) => Number.isInteger(value) && value > 0,
};
/** 0 to 1, both included. */
export const SCORE: NumberKind = { takes: 'a number from 0 to 1', fits: (value) => value >= 0 && value <= 1 };

/** Whole numbers from `least` to `most`. */
export function wholeBetween(least: number, most: number): NumberKind {
  return {
    takes: `a whole number from ${least} to ${most}`,
    fits: (value) => Number.isInteger(value) && value >= least && value <= most,
  };
}

/** A number of the command line. @throws UsageError naming the option and what it takes */
export function readNumber(option: string, text: string, { takes, fits }: NumberKind): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && fits(value)) return value;
  throw new UsageError(`${option} takes ${takes}, not "${text}"`);
}

/** The same of an option that may be left out. @throws UsageError */
export function readOptionalNumber(
  option: string,
  text: string | undefined,
  kind: NumberKind,
): number | undefined {
  return text === undefined ? undefined : readNumber(option, text, kind);
}

/** Numbers with commas between them. @param form for a person, as in "x,y" @throws UsageError */
export function readNumbers(option: string, text: string, count: number, form: string): number[] {
  const parts = text.split(',');
  if (parts.length !== count) throw new UsageError(`${option} is ${form}, not "${text}"`);
  return parts.map((part) => readNumber(option, part, ANY_NUMBER));
}

/** One of a few words. @throws UsageError */
export function readChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((word) => word === text);
  if (choice === undefined) throw new UsageError(`${option} takes ${choices.join(', ')}, not "${text}"`);
  return choice;
}
