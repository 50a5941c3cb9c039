import { shuffled, type Random } from '../sampo/random';
import type { FoundObject } from '../segmentation/stitch';
import type { Verdict } from './feedbackProduct';
import type { Judge } from './judge';

/** Which found objects are of the asked class: those that the matching rule gives to its true objects. -> [objects] */
export function trueVerdicts(judge: Judge, objects: readonly FoundObject[], asked: string): boolean[] {
  const own = new Set(judge.matches([...objects.keys()], asked).map(({ object }) => object));
  return objects.map((_, i) => own.has(i));
}

/** Turns a share of verdicts around, as a user does who errs: `round(share · n)` of them, drawn by `random`. */
export function withMistakes(verdicts: readonly Verdict[], share: number, random: Random): Verdict[] {
  const wrong = new Set(shuffled([...verdicts.keys()], random).slice(0, Math.round(share * verdicts.length)));
  return verdicts.map((one, i) => (wrong.has(i) ? { ...one, wanted: !one.wanted } : one));
}
