import { utility, type JudgedPixels } from './judgedPixels';
import { preferenceDirection, type Direction } from './margin';

/** What the decoder answers to one prompt, with the current parameters. */
export interface Answer {
  /** Mask logits `[K, H·W]`. */
  readonly masks: Float32Array;
  /** Quality scores `[K]`. */
  readonly scores: Float32Array;
}

/** One of the K masks, or the mean of them all. */
export type Head = number | 'mean';

/** An answer with the utility of each head and what a search would show of it. */
export interface RatedAnswer extends Answer {
  readonly utilities: readonly number[];
  /** The head with the highest score, or the mean: what a search reads. */
  readonly shown: Head;
  readonly shownUtility: number;
}

/** A preference, conditioned on one prompt and answered by one head. */
export interface PreferencePair {
  readonly source: 'verdict' | 'candidate' | 'inter-prompt' | 'intra-prompt';
  /** Index of the prompt it is conditioned on. */
  readonly prompt: number;
  /** Whose logits the margin reads. */
  readonly head: Head;
  readonly direction: Direction;
  /** Heads whose scores should be in this order, for pairs between the masks of one prompt. */
  readonly rank?: { readonly chosen: number; readonly rejected: number };
  /** Difference of utilities, 0..1; 1 for what the user said. */
  readonly gap: number;
  /** In the preference loss; 1 when absent. */
  readonly weight?: number;
}

/** Logits of one head, or the mean of all, `[H·W]`. */
export function headLogits({ masks, scores }: Answer, head: Head): Float32Array {
  const pixels = masks.length / scores.length;
  if (head === 'mean') {
    const mean = new Float32Array(pixels);
    masks.forEach((z, i) => (mean[i % pixels]! += z / scores.length));
    return mean;
  }
  return masks.subarray(head * pixels, (head + 1) * pixels);
}

/** Rates an answer by the confirmed pixels. @param reads what a search reads of an answer */
export function rateAnswer(
  answer: Answer,
  judged: JudgedPixels,
  reads: 'best' | 'mean' = 'best',
): RatedAnswer {
  const heads = [...answer.scores.keys()];
  const best = heads.reduce(
    (highest, head) => (answer.scores[head]! > answer.scores[highest]! ? head : highest),
    0,
  );
  const shown = reads === 'mean' ? reads : best;
  return {
    ...answer,
    utilities: heads.map((head) => utility(headLogits(answer, head), judged)),
    shown,
    shownUtility: utility(headLogits(answer, shown), judged),
  };
}

/** Where the two masks of two logit planes differ on judged pixels; undefined where they do not. */
function directionBetween(
  chosen: Float32Array,
  rejected: Float32Array,
  judged: JudgedPixels,
): Direction | undefined {
  const mask = (logits: Float32Array): Uint8Array => Uint8Array.from(logits, (z) => (z > 0 ? 1 : 0));
  return preferenceDirection(
    mask(chosen),
    mask(rejected),
    Uint8Array.from(judged.judged, (w) => (w === 1 ? 1 : 0)),
  );
}

/**
 * Prompt-centric mining: between the shown answers to any two prompts for the same intent, the one of higher utility is
 * chosen. Conditioned on the prompt that answered worse: it must learn to answer as the better one does.
 */
export function mineInterPrompt(
  answers: readonly RatedAnswer[],
  judged: JudgedPixels,
  threshold: number,
): PreferencePair[] {
  const pairs: PreferencePair[] = [];
  for (let a = 0; a < answers.length; a++)
    for (let b = 0; b < answers.length; b++) {
      const gap = answers[a]!.shownUtility - answers[b]!.shownUtility;
      if (gap < threshold || gap <= 0) continue;
      const head = answers[b]!.shown;
      const better = headLogits(answers[a]!, answers[a]!.shown);
      const direction = directionBetween(better, headLogits(answers[b]!, head), judged);
      if (direction) pairs.push({ source: 'inter-prompt', prompt: b, head, direction, gap });
    }
  return pairs;
}

/**
 * Multi-mask mining: the K masks of one prompt against each other. Each mask's own head learns the preference (the
 * chosen one's to keep it, the rejected one's to adopt it), and the scores learn the order.
 */
export function mineIntraPrompt(
  answer: RatedAnswer,
  prompt: number,
  judged: JudgedPixels,
  threshold: number,
): PreferencePair[] {
  const pairs: PreferencePair[] = [];
  for (let chosen = 0; chosen < answer.scores.length; chosen++)
    for (let rejected = 0; rejected < answer.scores.length; rejected++) {
      const gap = answer.utilities[chosen]! - answer.utilities[rejected]!;
      if (gap < threshold || gap <= 0) continue;
      const direction = directionBetween(headLogits(answer, chosen), headLogits(answer, rejected), judged);
      if (!direction) continue;
      const rank = { chosen, rejected };
      const common = { source: 'intra-prompt', prompt, direction, gap, rank } as const;
      pairs.push({ ...common, head: rejected }, { ...common, head: chosen });
    }
  return pairs;
}

/**
 * "This one is better": the picked candidate against each other one of the same prompt, on all pixels where they differ
 * (the user saw them all).
 */
export function candidatePairs(answer: Answer, prompt: number, chosen: number): PreferencePair[] {
  const mask = (head: number): Uint8Array =>
    Uint8Array.from(headLogits(answer, head), (z) => (z > 0 ? 1 : 0));
  return [...answer.scores.keys()].flatMap((rejected) => {
    const direction = rejected === chosen ? undefined : preferenceDirection(mask(chosen), mask(rejected));
    if (!direction) return [];
    const rank = { chosen, rejected };
    return [{ source: 'candidate' as const, prompt, head: rejected, direction, rank, gap: 1 }];
  });
}

/** At most `limit` pairs: what the user said first, then the largest differences of utility; order is stable. */
export function strongestPairs(pairs: readonly PreferencePair[], limit: number): PreferencePair[] {
  return [...pairs].sort((a, b) => b.gap - a.gap).slice(0, limit);
}
