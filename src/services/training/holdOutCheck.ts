import {
  holdOutGain,
  holdOutResult,
  isWorse,
  type HoldOutGain,
  type HoldOutResult,
} from '../../sampo/holdOut';
import type { Measurement } from './measure';

/** The judgements kept back, before a refinement and after it. */
export interface HoldOutCheck {
  readonly before: HoldOutResult;
  readonly after: HoldOutResult;
  readonly gain: HoldOutGain;
  readonly worse: boolean;
}

/** Compares two measurements on the judgements kept back. @param before, after of the same objects in the same order */
export function checkHoldOut(before: Measurement, after: Measurement): HoldOutCheck {
  const [keptBefore, keptAfter] = [keptBack(before), keptBack(after)];
  const gain = holdOutGain(keptBefore, keptAfter);
  return {
    before: holdOutResult(keptBefore.scores, keptBefore.threshold),
    after: holdOutResult(keptAfter.scores, keptAfter.threshold),
    gain,
    worse: isWorse(gain),
  };
}

function keptBack({ scores, threshold }: Measurement): Measurement {
  return { scores: scores.filter(({ heldOut }) => heldOut), threshold };
}

/** What a refinement came to, for a person. */
export function verdictOf({ before, after, gain, worse }: HoldOutCheck): string {
  if (after.count === 0)
    return 'in use; too few objects were judged to keep some back as a check: judge at least four of a kind';
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const nats = `${gain.mean < 0 ? '' : '+'}${gain.mean.toFixed(2)} ± ${gain.error.toFixed(2)}`;
  const figures = `of ${after.count} judged objects kept back as a check: ${percent(before.accuracy)} right before, ${percent(after.accuracy)} after (log-likelihood of each ${nats})`;
  return worse ? `not in use, because it is worse; ${figures}` : `in use; ${figures}`;
}
