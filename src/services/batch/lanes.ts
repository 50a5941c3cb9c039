import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** How often the width is asked again while nothing ends, ms. */
const ASK_AGAIN = 1000;

/**
 * Works on items in their order, several at a time. The first fault ends it: what is under way is told by its signal and awaited.
 * @param width how many at a time, asked again and again
 * @throws the first fault
 */
export async function inLanes<T>(
  items: readonly T[],
  width: () => number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  // One listener for each item under way: no leak that Node should warn of.
  setMaxListeners(0, both);
  const waiting = items.values();
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  let next = waiting.next();
  const start = (item: T): void => {
    const lane = work(item, both)
      .catch((error: unknown) => {
        faults.push(error);
        ending.abort();
      })
      .finally(() => running.delete(lane));
    running.add(lane);
  };
  for (;;) {
    while (next.done !== true && running.size < Math.max(1, width()) && !both.aborted) {
      start(next.value);
      next = waiting.next();
    }
    if (running.size === 0) break;
    const pause = new AbortController();
    const askAgain = wait(ASK_AGAIN, undefined, { signal: pause.signal }).catch(() => undefined);
    await Promise.race([...running, ...(next.done === true || both.aborted ? [] : [askAgain])]);
    pause.abort();
  }
  if (faults.length > 0) throw faults[0];
}
