import type { Checkpoints } from '../intents/checkpoints';
import type { Intent, Intents } from '../intents/intents';
import type { RefineOutcome, RefineRequest } from '../training/refinement';
import type { Trainer } from '../training/trainer';
import type { Republisher } from './republish';

/** What refining works with. */
export interface RefineParts {
  readonly trainer: Trainer;
  readonly republisher: Republisher;
  readonly checkpoints: Checkpoints;
  readonly intents: Intents;
}

/** The verbs *refine* and *go to a version*: each changes what open results show. */
export class Refine {
  constructor(private readonly parts: RefineParts) {}

  /** @param resultIds to be computed anew; all of the intent's when absent @throws as `Trainer.refine` */
  async run(request: RefineRequest, resultIds?: readonly string[]): Promise<RefineOutcome> {
    const { trainer, republisher } = this.parts;
    const outcome = await trainer.refine(request);
    if (outcome.activated) await republisher.republish(request.intentId, resultIds, request.signal);
    return outcome;
  }

  /** @param checkpointId null is the model as shipped @throws as `Checkpoints.activate` */
  async goTo(intentId: string, checkpointId: string | null, signal: AbortSignal): Promise<Intent> {
    const { checkpoints, intents, republisher } = this.parts;
    await checkpoints.activate(intentId, checkpointId);
    await republisher.republish(intentId, undefined, signal);
    return intents.get(intentId);
  }
}
