import type { Exemplar } from './autoPrompt';

/** An exemplar that remembers the judgement it came from, so that a later judgement can replace it. */
export interface KeptExemplar extends Exemplar {
  readonly judgement: string;
}

/** What an accepted or rejected object teaches; `feature [C]` is the embedding's mean over it. */
export interface JudgedFeature {
  readonly judgement: string;
  readonly feature: Float32Array;
  readonly wanted: boolean;
}

/**
 * An intent's exemplars after more judgements: each judged object is an exemplar with its label, a judgement known already is
 * replaced, and a feature that repeats an exemplar of the same label (cosine ≥ `same`) is not kept twice.
 */
export function withJudgements(
  exemplars: readonly KeptExemplar[],
  judged: readonly JudgedFeature[],
  same: number,
): KeptExemplar[] {
  const replaced = new Set(judged.map(({ judgement }) => judgement));
  const kept = exemplars.filter(({ judgement }) => !replaced.has(judgement));
  for (const { judgement, feature, wanted } of judged) {
    const label = wanted ? 1 : 0;
    const repeated = kept.some(
      (exemplar) => exemplar.label === label && cosine(exemplar.feature, feature) >= same,
    );
    if (!repeated) kept.push({ judgement, feature, label });
  }
  return kept;
}

/** Cosine of the angle between two vectors; 0 when either has no length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
