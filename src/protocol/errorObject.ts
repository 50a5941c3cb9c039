import { ERRORS } from '../errorTable.gen';
import { isBridgeError, isErrorName, type ErrorName } from '../errors';

/** A JSON-RPC error object; `data` always holds name, hint and retryable. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data: {
    readonly name: ErrorName;
    readonly hint: string;
    readonly retryable: boolean;
    readonly [key: string]: unknown;
  };
}

/** Anything may be thrown, even what has no text. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return typeof error;
  }
}

/** Turns anything thrown into an error object of the table; what is not a known BridgeError becomes InternalError. */
export function errorObject(error: unknown): ErrorObject {
  // A name that another process sent is not checked by the compiler.
  if (isBridgeError(error) && isErrorName(error.errorName)) {
    const row = ERRORS[error.errorName];
    return {
      code: row.code,
      message: error.message || row.message,
      data: { hint: row.hint, retryable: row.retryable, ...error.data, name: error.errorName },
    };
  }
  const row = ERRORS.InternalError;
  return {
    code: row.code,
    message: `${row.message}: ${reasonOf(error)}`,
    data: { name: 'InternalError', hint: row.hint, retryable: row.retryable },
  };
}
