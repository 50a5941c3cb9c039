import { BridgeError } from './errors';

/** What is thrown for work whose asker has given it up. */
export function cancelled(message = 'the request was cancelled'): BridgeError {
  return new BridgeError('RequestCancelled', message);
}

/** @throws BridgeError `RequestCancelled` when the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined, message?: string): void {
  if (signal?.aborted === true) throw cancelled(message);
}

/** Hears the abort of a signal, once. -> stops listening */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/** When work is given up before it has settled. */
export interface Bounds {
  readonly signal?: AbortSignal | undefined;
  /** How long work may take to settle by itself after an abort, ms; none when absent. */
  readonly graceMs?: number | undefined;
  /** How long work may take at all, and what is thrown then. */
  readonly deadline?: { readonly ms: number; readonly error: () => BridgeError } | undefined;
  /** Hears that the work was given up, before the error is thrown. */
  readonly onGivenUp?: (() => void) | undefined;
}

/**
 * Work that is answered for when its signal aborts or its time is over, whether it heeds that or not.
 * @param work gets a signal that aborts in both cases
 * @throws BridgeError `RequestCancelled`, the deadline's error, and what `work` throws
 */
export async function bounded<T>(
  { signal, graceMs = 0, deadline, onGivenUp }: Bounds,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const inner = new AbortController();
  const cleanUp: (() => void)[] = [];
  const after = (ms: number, action: () => void): void => {
    const timer = setTimeout(action, ms);
    cleanUp.push(() => clearTimeout(timer));
  };
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = (error: BridgeError): void => {
      onGivenUp?.();
      reject(error);
      inner.abort(error);
    };
    if (deadline !== undefined) after(deadline.ms, () => giveUp(deadline.error()));
    cleanUp.push(
      onAbort(signal, () => {
        if (graceMs === 0) return giveUp(cancelled());
        inner.abort(signal?.reason);
        after(graceMs, () => giveUp(cancelled()));
      }),
    );
  });
  try {
    return await Promise.race([work(inner.signal), givenUp]);
  } finally {
    for (const stop of cleanUp) stop();
  }
}
