import type { ErrorName } from '../../../errors';

/** What a reader process can be asked: question name → what it is given and what it answers. */
export type ReaderQuestions<Names> = {
  readonly [Name in keyof Names]: { readonly given: unknown; readonly answer: unknown };
};

/** One question on its way to a reader process; several may be under way. */
export interface ReaderQuestion {
  readonly id: number;
  readonly name: string;
  readonly given: unknown;
}

/** Its answer, or what went wrong in the terms of `BridgeError`. */
export type ReaderReply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly errorName: ErrorName;
      readonly message: string;
      readonly data: Readonly<Record<string, unknown>>;
    };
