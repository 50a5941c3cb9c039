import { setTimeout as wait } from 'node:timers/promises';
import { BridgeError } from '../../../errors';
import type { SearchFilters } from '../../search/searchRequest';
import type { PinnedIntent, UnitOutcome } from '../job';
import { readUnit, unitPath } from '../unitSearch';
import type { UnitWork, WaitingUnit } from '../unitWork';
import type { UnitQueue } from './unitQueue';
import type { UnitTask } from './unitTask';

/** Units that wait for each worker: one while it works on another. */
const PER_WORKER = 4;
/** Most units, and most images, under way at a time. */
const MOST_UNITS = 512;
const MOST_IMAGES = 64;
/** When a file that a worker wrote is looked for again, ms: caches of network shares lag by some seconds. */
const LOOK_AGAIN = [50, 200, 1000, 3000, 6000];

/** What the units of one job have in common. */
export interface SharedJob {
  readonly jobId: string;
  readonly intents: readonly PinnedIntent[];
  readonly filters: SearchFilters;
  readonly sharedFolder: string;
}

/** Has units searched by workers of other machines. */
export class QueuedUnits implements UnitWork {
  // The queue itself tries thrice.
  readonly attempts = 1;

  constructor(
    private readonly queue: UnitQueue,
    private readonly job: SharedJob,
  ) {}

  images(): number {
    return Math.min(MOST_IMAGES, this.lanes());
  }

  lanes(): number {
    const working = this.queue.view().workers.filter(({ fits }) => fits).length;
    return Math.min(MOST_UNITS, PER_WORKER * Math.max(1, working));
  }

  async search(
    { position, unit, opened, within, pixelSizeMicrons, areaMm2 }: WaitingUnit,
    signal: AbortSignal,
  ): Promise<UnitOutcome> {
    if (opened.elsewhere === undefined)
      throw new BridgeError('NotAvailable', 'only images in files can be searched by workers');
    const { index, x, y, width, height } = unit;
    const task: UnitTask = {
      ...this.job,
      position,
      unit: { index, x, y, width, height },
      image: opened.elsewhere,
      ...(within && { within }),
      pixelSizeMicrons,
      returned: 0,
    };
    // An answer may be left from an earlier life of the server, and its file gone since: then it is asked anew, once.
    for (let again = true; ; again = false) {
      const { objects, seconds, sha256 } = await this.queue.submit(task, signal);
      try {
        await this.#readBack(position, index, sha256);
        return { objects, areaMm2, seconds, sha256, shared: true };
      } catch (error) {
        if (!again) throw error;
      } finally {
        await this.queue.forget(task);
      }
    }
  }

  /** @throws BridgeError `FileNotFound`, `FileDamaged` */
  async #readBack(position: number, unit: number, sha256: string): Promise<void> {
    const path = unitPath(this.job.sharedFolder, position, unit);
    for (const pause of LOOK_AGAIN) {
      try {
        await readUnit(path, sha256);
        return;
      } catch {
        await wait(pause);
      }
    }
    await readUnit(path, sha256);
  }
}
