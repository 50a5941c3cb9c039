import {
  answerScores,
  fitAnswer,
  type AnswerCalibration,
  type AnswerEvidence,
  type NucleusLooks,
} from '../../src/segmentation/answering/answerScores';
import { columnScale, standardize } from '../../src/segmentation/answering/columnScale';
import { prototypes, prototypeSimilarity } from '../../src/segmentation/answering/prototypes';
import { findShown } from '../../src/segmentation/answering/shownNuclei';
import { fitSoftLogistic, sigmoid } from '../../src/segmentation/answering/softLogistic';
import { normal, seededRandom, type Random } from '../../src/sampo/random';

const CALIBRATION: AnswerCalibration = { cut: { base: 0, oneClick: 0, clicked: 0.3 }, slope: 1.5 };

describe('the scale of an image', () => {
  const rows = [
    [1, 10, 5],
    [2, 30, 5],
    [3, 20, 5],
    [4, 50, 5],
    [90, 40, 5],
  ];

  test('is the same whatever brightness and contrast the columns have', () => {
    const changed = rows.map((row) => row.map((value, c) => 3 * value + 100 * c));
    const own = rows.map((row) => standardize(row, columnScale(rows)));
    const other = changed.map((row) => standardize(row, columnScale(changed)));
    for (const [i, row] of own.entries())
      for (const [c, value] of row.entries()) expect(other[i]![c]).toBeCloseTo(value, 12);
  });

  test('clips what is far out and gives nothing to a column that does not vary', () => {
    const scale = columnScale(rows);
    expect(scale.centre[0]).toBe(3);
    expect(standardize([1e9, 30, 5], scale)[0]).toBeCloseTo(4 / Math.sqrt(3), 12);
    expect(standardize([1e9, 30, 77], scale)[2]).toBe(0);
  });

  test('needs a row', () => expect(() => columnScale([])).toThrow(RangeError));
});

test('likeness: 1 to itself, less what is unwanted, nothing without prototypes', () => {
  const [east, north] = [Float64Array.of(2, 0), Float64Array.of(0, 3)];
  expect(prototypeSimilarity(east, prototypes([east], []))).toBeCloseTo(1, 12);
  // ½ · (best 1) + ½ · (mean ½)
  expect(prototypeSimilarity(east, prototypes([east, north], []))).toBeCloseTo(0.75, 12);
  expect(prototypeSimilarity(east, prototypes([north], [east]))).toBeCloseTo(-0.5, 12);
  expect(prototypeSimilarity(east, prototypes([], []))).toBe(0);
});

test('a soft logistic regression ends where its loss is flat, also for classes that can be told apart', () => {
  const random = seededRandom(3);
  const examples = Array.from({ length: 60 }, (_, i) => {
    const row = Float64Array.from({ length: 4 }, () => normal(random));
    const target = i < 40 ? sigmoid(2 * row[0]! - row[1]!) : row[0]! > 0 ? 1 : 0;
    return { row, target, weight: i % 7 === 0 ? 5 : 1 };
  });
  const head = fitSoftLogistic(examples, 0.1);
  const loss = (weights: Float64Array, bias: number): number =>
    examples.reduce(
      (sum, { row, target, weight }) => {
        const logit = bias + row.reduce((total, value, c) => total + value * weights[c]!, 0);
        return sum + weight * (Math.log1p(Math.exp(logit)) - target * logit);
      },
      0.05 * weights.reduce((sum, value) => sum + value * value, 0),
    );
  const least = loss(head.weights, head.bias);
  for (let c = 0; c < 4; c++)
    for (const step of [-1e-3, 1e-3]) {
      const moved = head.weights.slice();
      moved[c]! += step;
      expect(loss(moved, head.bias)).toBeGreaterThan(least);
    }
  for (const step of [-1e-3, 1e-3]) expect(loss(head.weights, head.bias + step)).toBeGreaterThan(least);

  const apart = [-2, -1, 1, 2].map((x) => ({ row: Float64Array.of(x), target: x > 0 ? 1 : 0, weight: 1 }));
  const steep = fitSoftLogistic(apart, 0.1);
  expect(Number.isFinite(steep.weights[0]!)).toBe(true);
  expect(steep.bias).toBeCloseTo(0, 6);
});

/** Nuclei of two kinds whose looks differ, and a decoder that errs. */
function twoKinds(count: number, random: Random, shift = 0): AnswerEvidence & { kinds: number[] } {
  const kinds = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const nuclei: NucleusLooks[] = kinds.map((kind) => ({
    embedding: Float32Array.from({ length: 8 }, (_, c) => normal(random) + (c < 4 ? 1.2 * kind : 0) + shift),
    measurements: Float64Array.from({ length: 5 }, (_, c) => normal(random) * 10 ** c + (c < 2 ? kind : 0)),
  }));
  const decoder = kinds.map((kind) => sigmoid((kind === 1 ? 0.6 : -0.6) + 1.4 * normal(random)));
  return { kinds, nuclei, decoder, shown: new Map([0, 3, 6, 9, 12].map((i) => [i, 1] as const)) };
}

/** Share of nuclei that a score puts on the right side. */
const accuracy = (scores: ArrayLike<number>, kinds: readonly number[]): number =>
  kinds.filter((kind, i) => scores[i]! >= 0.5 === (kind === 1)).length / kinds.length;

describe('an answer', () => {
  test('is better than the decoder that errs, and knows more with negatives', () => {
    const evidence = twoKinds(300, seededRandom(1));
    const scores = answerScores(evidence, CALIBRATION);
    const own = accuracy(evidence.decoder, evidence.kinds);
    expect(own).toBeLessThan(0.75);
    expect(accuracy(scores, evidence.kinds)).toBeGreaterThan(own + 0.1);
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...scores)).toBeLessThanOrEqual(1);
    const shown = new Map([...evidence.shown, ...[1, 4, 7, 10, 13].map((i) => [i, 0] as const)]);
    const withNegatives = answerScores({ ...evidence, shown }, CALIBRATION, 'shown as said');
    const without = answerScores(evidence, CALIBRATION, 'shown as said');
    for (const i of [1, 4, 7, 10, 13]) expect(withNegatives[i]!).toBeLessThan(without[i]!);
  });

  test('does not change when the whole image is stained or lit otherwise', () => {
    const scores = answerScores(twoKinds(200, seededRandom(2)), CALIBRATION);
    const other = answerScores(twoKinds(200, seededRandom(2), 50), CALIBRATION);
    for (const [i, score] of scores.entries()) expect(other[i]).toBeCloseTo(score, 3);
  });

  test('says of what was shown what the user said', () => {
    const evidence = twoKinds(90, seededRandom(4));
    const scores = answerScores({ ...evidence, shown: new Map([...evidence.shown, [1, 0]]) }, CALIBRATION);
    expect([scores[0], scores[3], scores[1]]).toEqual([1, 1, 0]);
  });

  test("is the decoder's where nothing wanted was shown, with the same decision", () => {
    const { nuclei, decoder } = twoKinds(60, seededRandom(5));
    const scores = answerScores({ nuclei, decoder, shown: new Map() }, CALIBRATION);
    for (const [i, score] of scores.entries()) expect(score >= 0.5).toBe(decoder[i]! >= 0.5);
    const one = { nuclei: nuclei.slice(0, 1), decoder: [0.5], shown: new Map<number, 0 | 1>() };
    expect([...answerScores(one, CALIBRATION)]).toEqual([0.5]);
    expect(answerScores({ nuclei: [], decoder: [], shown: new Map() }, CALIBRATION)).toHaveLength(0);
  });

  test('holds for a nucleus that is found later, and for one nucleus alone', () => {
    const evidence = twoKinds(120, seededRandom(6));
    const scores = answerScores(evidence, CALIBRATION, 'shown as said');
    const later = fitAnswer(evidence, CALIBRATION);
    for (const [i, looks] of evidence.nuclei.entries())
      expect(later(looks, evidence.decoder[i]!)).toBe(scores[i]);
    const alone = { nuclei: evidence.nuclei.slice(0, 1), decoder: [0.4], shown: new Map([[0, 1 as const]]) };
    expect(answerScores(alone, CALIBRATION, 'shown as said')[0]).toBeGreaterThan(0);
  });

  test('takes examples from elsewhere by their embedding', () => {
    const evidence = twoKinds(200, seededRandom(8));
    const mean = (label: number): Float32Array =>
      Float32Array.from({ length: 8 }, (_, c) => {
        const own = evidence.nuclei.filter((_one, i) => evidence.kinds[i] === label);
        return own.reduce((sum, { embedding }) => sum + embedding[c]!, 0) / own.length;
      });
    const few = { ...evidence, shown: new Map([[0, 1 as const]]) };
    const elsewhere = [1, 1, 1, 1].map(() => ({ feature: mean(1), label: 1 as const }));
    const gap = (scores: Float64Array): number =>
      accuracy(scores, evidence.kinds) - accuracy(answerScores(few, CALIBRATION), evidence.kinds);
    expect(gap(answerScores({ ...few, elsewhere }, CALIBRATION))).toBeGreaterThan(0.02);
  });

  test('of very many nuclei is fitted to some of them and scores all', () => {
    const evidence = twoKinds(4500, seededRandom(7));
    const scores = answerScores(evidence, CALIBRATION);
    expect(scores).toHaveLength(4500);
    expect(accuracy(scores, evidence.kinds)).toBeGreaterThan(
      accuracy(evidence.decoder, evidence.kinds) + 0.1,
    );
  });
});

test('an example is the nucleus it lies in; others lie elsewhere', () => {
  const square = (x: number) => ({
    outline: [[[x, 0, x + 10, 0, x + 10, 10, x, 10]]],
    centroid: { x: x + 5, y: 5 },
  });
  const feature = new Float32Array(2);
  const found = findShown(
    [square(0), square(20), square(500)],
    [
      { feature, label: 1, at: { x: 23, y: 4 } },
      { feature, label: 0, at: { x: 25, y: 5 } },
      { feature, label: 0, at: { x: 15, y: 5 } },
      { feature, label: 1 },
      { feature, label: 0, at: { x: 501, y: 9 } },
    ],
  );
  expect([...found.shown]).toEqual([
    [1, 1],
    [2, 0],
  ]);
  expect(found.elsewhere.map(({ label }) => label)).toEqual([0, 1]);
});
