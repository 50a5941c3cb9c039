import { ERRORS, type ErrorName } from './errorTable.gen';

export type { ErrorName };

/** Whether a text names a row of the error table. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name);
}

/**
 * The one error type that crosses layers. `errorName` is a row of `schemas/errors.json`; the transport turns it into the
 * JSON-RPC error object with that row's code.
 */
export class BridgeError extends Error {
  /** @param message what happened, for a person
   *  @param data machine-readable details; `hint` says what to do next */
  constructor(
    readonly errorName: ErrorName,
    message: string,
    readonly data: Readonly<Record<string, unknown>> & {
      readonly hint?: string;
      readonly retryable?: boolean;
    } = {},
  ) {
    super(message);
    this.name = 'BridgeError';
  }
}

/** Narrows an unknown thrown value. */
export function isBridgeError(error: unknown): error is BridgeError {
  return error instanceof BridgeError;
}
