import { judgedPixels, utility, verdictDirections } from '../../src/sampo/judgedPixels';
import {
  candidatePairs,
  mineInterPrompt,
  mineIntraPrompt,
  rateAnswer,
  strongestPairs,
} from '../../src/sampo/mining';
import { lossFeeds } from '../../src/sampo/objective';
import { SAMPO_DEFAULTS } from '../../src/sampo/settings';

// Eight pixels: object 1 (wanted), object 2 (unwanted), object 3 (never judged), two pixels of background.
const objects = {
  labels: Int32Array.of(1, 1, 2, 2, 3, 3, 0, 0),
  verdicts: new Map([
    [1, true],
    [2, false],
  ]),
  background: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0),
};
const judged = judgedPixels(objects, 0.25);
/** Logits that claim the listed pixels. */
const claim = (...pixels: number[]): number[] =>
  Array.from({ length: 8 }, (_, i) => (pixels.includes(i) ? 2 : -2));
const answer = (scores: number[], ...masks: number[][]) => ({
  masks: Float32Array.from(masks.flat()),
  scores: Float32Array.from(scores),
});

it('knows which pixels are judged, and which are surely empty', () => {
  expect([...judged.target]).toEqual([1, 1, 0, 0, 0, 0, 0, 0]);
  expect([...judged.judged]).toEqual([1, 1, 1, 1, 0, 0, 0.25, 0]);
});

it.each([
  ['exactly the wanted object', claim(0, 1), 1],
  ['with an object nobody judged as well', claim(0, 1, 4, 5), 1],
  ['half of it', claim(0), 0.5],
  ['the unwanted one as well', claim(0, 1, 2, 3), 0.5],
  ['nothing', claim(), 0],
])('utility ignores what was not judged: %s', (_, logits, wanted) => {
  expect(utility(Float32Array.from(logits), judged)).toBeCloseTo(wanted, 6);
});

it('a verdict is a direction on its object: towards it or away from it', () => {
  const directions = verdictDirections(objects);
  expect(directions.map(({ object }) => object)).toEqual([1, 2]);
  expect([...directions[0]!.direction.weights]).toEqual([0.5, 0.5, 0, 0, 0, 0, 0, 0]);
  expect([...directions[1]!.direction.weights]).toEqual([0, 0, -0.5, -0.5, 0, 0, 0, 0]);
});

describe('between prompts', () => {
  const poor = rateAnswer(answer([0.9, 0.1], claim(0), claim(0, 1)), judged);
  const rich = rateAnswer(answer([0.2, 0.8], claim(2), claim(0, 1, 4)), judged);

  it('the poorer prompt learns to answer as the richer one, on judged pixels, with the head it showed', () => {
    const pairs = mineInterPrompt([poor, rich], judged, 0.05);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({ source: 'inter-prompt', prompt: 0, head: 0, gap: 0.5 });
    // Pixel 1 differs and is judged; pixel 4 differs but nobody judged it.
    expect([...pairs[0]!.direction.weights]).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('reads the mean of the masks where a search does', () => {
    const both = rateAnswer(answer([0.9, 0.1], claim(0), claim(0, 1)), judged, 'mean');
    expect(both).toMatchObject({ shown: 'mean', shownUtility: 0.5 });
    const [pair] = mineInterPrompt([both, rich], judged, 0.05);
    expect(pair).toMatchObject({ head: 'mean', prompt: 0, gap: 0.5 });
    const step = { answer: both, reference: both, pairs: [pair!], judged };
    const feeds = lossFeeds(step, SAMPO_DEFAULTS.objective, { pairs: 2, height: 2, width: 4 });
    expect([...feeds['pairHeads']!.data]).toEqual([0.5, 0.5, 0, 0]);
    expect([...feeds['segmentHeads']!.data]).toEqual([1, 1]);
  });

  it('drops pairs closer than the threshold', () => {
    expect(mineInterPrompt([poor, rich], judged, 0.6)).toEqual([]);
    expect(mineInterPrompt([poor, poor], judged, 0)).toEqual([]);
  });
});

it('within a prompt every mask’s own head learns, and the scores learn the order', () => {
  const rated = rateAnswer(answer([0.9, 0.1], claim(0, 2), claim(0, 1)), judged);
  const pairs = mineIntraPrompt(rated, 4, judged, 0.05);
  expect(pairs.map(({ head, prompt, rank }) => [head, prompt, rank])).toEqual([
    [0, 4, { chosen: 1, rejected: 0 }],
    [1, 4, { chosen: 1, rejected: 0 }],
  ]);
  expect([...pairs[0]!.direction.weights]).toEqual([0, 0.5, -0.5, 0, 0, 0, 0, 0]);
});

it('a picked candidate is preferred to each other one, also on pixels never judged', () => {
  const pairs = candidatePairs(answer([0, 0, 0], claim(0, 4), claim(0), claim(0, 4)), 2, 0);
  expect(pairs).toHaveLength(1);
  expect(pairs[0]).toMatchObject({ head: 1, prompt: 2, rank: { chosen: 0, rejected: 1 } });
  expect([...pairs[0]!.direction.weights]).toEqual([0, 0, 0, 0, 1, 0, 0, 0]);
});

it('keeps the strongest pairs', () => {
  const direction = { weights: Float32Array.of(1), disagreeing: 1 };
  const pair = (gap: number) => ({ source: 'verdict' as const, prompt: 0, head: 0, direction, gap });
  expect(strongestPairs([pair(0.2), pair(1), pair(0.5)], 2).map(({ gap }) => gap)).toEqual([1, 0.5]);
});
