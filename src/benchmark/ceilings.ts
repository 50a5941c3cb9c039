import type { Judge, Score } from './judge';

/** What would be if one thing were perfect, in the order of the report. */
export const CEILINGS = [
  'best threshold',
  'false nuclei removed',
  'best threshold, false nuclei removed',
  'perfect typing',
] as const;
export type Ceiling = (typeof CEILINGS)[number];

/** One answer with its scores. */
export interface ScoredAnswer {
  /** Indices of the objects that were answered. */
  readonly objects: readonly number[];
  /** Of every object. */
  readonly scores: ArrayLike<number>;
}

/**
 * Where an answer loses. *Best threshold*: the cut of its own ranking with the highest F1, chosen with the truth at hand; *false
 * nuclei removed*: without the objects that are no labelled nucleus of any class; *perfect typing*: all found nuclei of the class,
 * so what is missing is the detection's.
 */
export function ceilingScores(
  judge: Judge,
  { objects, scores }: ScoredAnswer,
  asked: string,
): Record<Ceiling, Score> {
  const all = Array.from({ length: scores.length }, (_, i) => i);
  const own = new Set(judge.matches(all, asked).map(({ object }) => object));
  const real = judge.real();
  const ranked = all.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const rankedReal = ranked.filter((i) => real.has(i));
  return {
    'best threshold': judge.score(bestCut(ranked, own, judge.count(asked)), asked),
    'false nuclei removed': judge.score(
      objects.filter((i) => real.has(i)),
      asked,
    ),
    'best threshold, false nuclei removed': judge.score(bestCut(rankedReal, own, judge.count(asked)), asked),
    'perfect typing': judge.score([...own], asked),
  };
}

/** The first n of a ranking whose F1 is highest. @param own objects of the class @param truths true objects of the class */
function bestCut(ranked: readonly number[], own: ReadonlySet<number>, truths: number): number[] {
  let best = 0;
  let length = 0;
  let right = 0;
  for (const [i, object] of ranked.entries()) {
    if (own.has(object)) right++;
    const f1 = (2 * right) / (i + 1 + truths);
    if (f1 > best) {
      best = f1;
      length = i + 1;
    }
  }
  return ranked.slice(0, length);
}
