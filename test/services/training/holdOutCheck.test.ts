import { checkHoldOut, verdictOf } from '../../../src/services/training/holdOutCheck';
import type { JudgedScore, Measurement } from '../../../src/services/training/measure';

const judged = (wanted: boolean, score: number, heldOut = true): JudgedScore => ({ wanted, score, heldOut });
const measured = (threshold: number, ...scores: JudgedScore[]): Measurement => ({ scores, threshold });

/** Four kept-back objects, all on their right side, by a wide margin. */
const sure = measured(0.5, judged(true, 0.9), judged(true, 0.9), judged(false, 0.1), judged(false, 0.1));
/** The same objects, all on their wrong side. */
const lost = measured(0.5, judged(true, 0.2), judged(true, 0.2), judged(false, 0.8), judged(false, 0.8));

test('a refinement that loses what it was right about is worse; one that wins it is not', () => {
  const worse = checkHoldOut(sure, lost);
  expect(worse).toMatchObject({
    worse: true,
    before: { accuracy: 1, count: 4 },
    after: { accuracy: 0, count: 4 },
  });
  // An object at 0.9 is taken for right with 0.1 + 0.8 · 0.9 = 0.82, one at 0.2 with 0.26: log(0.26 / 0.82).
  expect(worse.gain.mean).toBeCloseTo(-1.1486, 3);
  const better = checkHoldOut(lost, sure);
  expect(better.worse).toBe(false);
  expect(better.gain.mean).toBeCloseTo(1.1486, 3);
});

test('a refinement that changes nothing is not worse', () => {
  expect(checkHoldOut(sure, sure)).toMatchObject({ worse: false, gain: { mean: 0 } });
});

test('a loss that four objects may show by chance is not held against it', () => {
  const slightly = measured(
    0.5,
    judged(true, 0.8),
    judged(true, 0.9),
    judged(false, 0.2),
    judged(false, 0.1),
  );
  const check = checkHoldOut(sure, slightly);
  expect(check.gain.mean).toBeLessThan(0);
  expect(check.worse).toBe(false);
});

test('what was trained on has no say', () => {
  const learned = [judged(true, 0.9, false), judged(false, 0.1, false)];
  const forgotten = [judged(true, 0.1, false), judged(false, 0.9, false)];
  const before = measured(0.5, ...learned, judged(true, 0.7));
  const after = measured(0.5, ...forgotten, judged(true, 0.7));
  expect(checkHoldOut(before, after)).toMatchObject({
    worse: false,
    gain: { mean: 0 },
    after: { accuracy: 1, count: 1 },
  });
});

test('each side is read at its own threshold', () => {
  const check = checkHoldOut(measured(0.5, judged(true, 0.6)), measured(0.7, judged(true, 0.6)));
  expect(check.before.accuracy).toBe(1);
  expect(check.after.accuracy).toBe(0);
});

// Equal gains within each kind: √(4 · 0.4² / (4 + 2)) / 2 = 0.16.
test.each<[string, Measurement, Measurement, string]>([
  [
    'better',
    lost,
    sure,
    'in use; of 4 judged objects kept back as a check: 0 % right before, 100 % after (log-likelihood of each +1.15 ± 0.16)',
  ],
  [
    'worse',
    sure,
    lost,
    'not in use, because it is worse; of 4 judged objects kept back as a check: 100 % right before, 0 % after (log-likelihood of each -1.15 ± 0.16)',
  ],
  [
    'unchecked',
    measured(0.5, judged(true, 0.6, false)),
    measured(0.5, judged(true, 0.9, false)),
    'in use; too few objects were judged to keep some back as a check: judge at least four of a kind',
  ],
])('the verdict on a version that is %s', (_, before, after, verdict) => {
  expect(verdictOf(checkHoldOut(before, after))).toBe(verdict);
});
