import { isBridgeError } from '../../errors';

/** Faults that are gone when the same is asked again: the engine restarts by itself. */
const CURED_BY_RETRY = new Set(['EngineCrashed', 'ResidentMissing']);

/** Does engine work, and does it once more when the engine ended under it. @throws what the second attempt throws */
export async function retryOnce<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const again = isBridgeError(error) && CURED_BY_RETRY.has(error.errorName);
    if (!again || signal?.aborted === true) throw error;
    return work();
  }
}
