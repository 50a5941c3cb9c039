import { verdictDirections, type JudgedObjects, type JudgedPixels } from '../../sampo/judgedPixels';
import {
  candidatePairs,
  mineInterPrompt,
  mineIntraPrompt,
  strongestPairs,
  type PreferencePair,
  type RatedAnswer,
} from '../../sampo/mining';
import type { RefineSettings } from '../../sampo/settings';
import type { JudgedChoice } from './judgedTiles';
import type { TrainingTile } from './trainingPrompts';

/**
 * The pairs of one prompt, from the answers to prompts of its tile: the user's first, then the largest gaps.
 * @param prompt index of the prompt @param answers by prompt; undefined where one was not asked yet
 */
export function pairsFor(
  { objects, pixels, prompts }: TrainingTile,
  prompt: number,
  answers: readonly (RatedAnswer | undefined)[],
  { utilityThreshold, pairs: limit }: RefineSettings,
): PreferencePair[] {
  const answer = answers[prompt]!;
  const { choice } = prompts[prompt]!;
  const pairs = [
    ...verdictPairs(objects, answer, prompt),
    ...(choice === undefined ? [] : choicePairs(choice, answer, prompt)),
    ...promptPairs(answers, prompt, pixels, utilityThreshold),
    ...mineIntraPrompt(answer, prompt, pixels, utilityThreshold),
  ];
  return strongestPairs(pairs, limit);
}

/** Pairs between the prompts that were asked, of those that this prompt lost. */
function promptPairs(
  answers: readonly (RatedAnswer | undefined)[],
  prompt: number,
  pixels: JudgedPixels,
  utilityThreshold: number,
): PreferencePair[] {
  const asked = answers.flatMap((answer, index) => (answer ? [{ answer, index }] : []));
  const mined = mineInterPrompt(
    asked.map(({ answer }) => answer),
    pixels,
    utilityThreshold,
  );
  return mined
    .map((pair) => ({ ...pair, prompt: asked[pair.prompt]!.index }))
    .filter((pair) => pair.prompt === prompt);
}

/** The user's pick among the masks of this prompt, against those he saw beside it. */
function choicePairs(choice: JudgedChoice, answer: RatedAnswer, prompt: number): PreferencePair[] {
  const pairs = candidatePairs(answer, prompt, choice.chosen);
  return pairs.filter(({ rank }) => choice.rejected.includes(rank!.rejected));
}

/** One pair per judged object; wanted and unwanted ones weigh the same in sum. */
function verdictPairs(objects: JudgedObjects, answer: RatedAnswer, prompt: number): PreferencePair[] {
  const verdicts = [...objects.verdicts.values()];
  const wanted = verdicts.filter(Boolean).length;
  const unwanted = verdicts.length - wanted;
  const balanced = wanted > 0 && unwanted > 0;
  return verdictDirections(objects).map(({ object, direction }): PreferencePair => {
    const ofItsKind = objects.verdicts.get(object) === true ? wanted : unwanted;
    const weight = balanced ? verdicts.length / (2 * ofItsKind) : 1;
    return { source: 'verdict', prompt, head: answer.shown, direction, gap: 1, weight };
  });
}
