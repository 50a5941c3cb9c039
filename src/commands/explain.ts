import { isBridgeError } from '../errors';
import { errorObject } from '../protocol/errorObject';

/** An error for a person: its sentence and, where there is one, a line with what to do next. */
export function explain(error: unknown): string {
  const hint = isBridgeError(error) ? (error.data.hint ?? errorObject(error).data.hint) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return `${message}\n${hint ? `  ${hint}\n` : ''}`;
}
