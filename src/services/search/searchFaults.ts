import { isBridgeError, type ErrorName } from '../../errors';

/** Faults that end a whole search; any other loses what it met. */
const ENDS_SEARCH: ReadonlySet<ErrorName> = new Set([
  'RequestCancelled',
  'ShuttingDown',
  'ImageNotOpen',
  'ImageChanged',
]);

/** Whether a search can go on after an error; a fault of ours ends it too. */
export function canGoOn(error: unknown): boolean {
  return isBridgeError(error) && !ENDS_SEARCH.has(error.errorName);
}
