import { setFlagsFromString } from 'node:v8';

/** Per cent of the live heap that may be garbage before it is collected; V8 chooses about 50 for a heap as small as ours. */
const ROOMY = 300;

let working = 0;

/**
 * Work with more room for garbage. A tile brings megabytes of arrays that die at once; V8 counts them against a heap of 20 MB and
 * would go through that heap at every second tile, a quarter of the server's time. Afterwards the heap is as small as before.
 */
export async function withRoomyHeap<T>(work: () => Promise<T>): Promise<T> {
  if (++working === 1) setFlagsFromString(`--heap-growing-percent=${ROOMY}`);
  try {
    return await work();
  } finally {
    if (--working === 0) setFlagsFromString('--heap-growing-percent=0');
  }
}
