import type { NucleusLooks } from '../../../src/segmentation/answering/answerScores';
import type { FoundObject } from '../../../src/segmentation/stitch';
import { normal, seededRandom, shuffled } from '../../../src/sampo/random';
import { Answering, type AnsweredIntent } from '../../../src/services/search/answering';

const CALIBRATION = { cut: { base: 0, oneClick: -0.5, clicked: 0.3 }, slope: 1.5 };
const random = seededRandom(12);
const objects: FoundObject[] = Array.from({ length: 240 }, (_, i) => {
  const [x, y] = [(i % 20) * 30, Math.floor(i / 20) * 30];
  return {
    outline: [[[x, y, x + 12, y, x + 12, y + 12, x, y + 12]]],
    area: 144,
    centroid: { x: x + 6, y: y + 6 },
    anchor: { x: x + 5.5, y: y + 0.5 },
    scores: [1 / (1 + Math.exp(-normal(random) - (i % 2 === 0 ? 0.7 : -0.7)))],
    nucleusScore: 1,
  };
});
const looks = new Map<FoundObject, NucleusLooks>(
  objects.map((object, i) => [
    object,
    {
      embedding: Float32Array.from({ length: 6 }, () => normal(random) + (i % 2)),
      measurements: Float64Array.from({ length: 3 }, () => normal(random)),
    },
  ]),
);
const reader = {
  look: async (list: readonly FoundObject[]) => list.map((object) => ({ object, looks: looks.get(object)! })),
};
const feature = new Float32Array(6);
const intent = (threshold: number): AnsweredIntent => ({
  threshold,
  examples: [0, 2, 4].map((i) => ({ feature, label: 1, at: objects[i]!.centroid })),
});

/** Final and streamed scores by place, the objects coming in parts. */
async function answer(parts: readonly (readonly FoundObject[])[], threshold = 0.5) {
  const answering = new Answering(reader, [intent(threshold)], CALIBRATION);
  const streamed: FoundObject[] = [];
  for (const part of parts) streamed.push(...(await answering.add(part)));
  const byPlace = (list: readonly FoundObject[]) =>
    new Map(list.map(({ anchor, scores }) => [`${anchor.x},${anchor.y}`, scores[0]!]));
  return { streamed, final: byPlace(answering.finish()), first: byPlace(streamed) };
}

test('the end is the same to the last bit in whatever order and parts the nuclei came', async () => {
  const once = await answer([objects]);
  const order = shuffled(objects, seededRandom(5));
  const parts = Array.from({ length: 12 }, (_, i) => order.slice(20 * i, 20 * i + 20));
  const { final } = await answer([[], ...parts]);
  expect(final.size).toBe(240);
  for (const [place, score] of final) expect(score).toBe(once.final.get(place));
});

test('the first nuclei are answered at once, and corrected by what comes later', async () => {
  const { streamed, first, final } = await answer([objects.slice(0, 40), objects.slice(40)]);
  expect(streamed).toHaveLength(240);
  const moved = [...first].filter(([place, score]) => Math.abs(final.get(place)! - score) > 1e-6);
  expect(moved.length).toBeGreaterThan(20);
});

test('what a refinement has learned to take as its threshold is where the scores turn', async () => {
  const none: AnsweredIntent = { threshold: 0.8, examples: [] };
  const answering = new Answering(reader, [none], CALIBRATION);
  await answering.add(objects);
  for (const [i, { scores }] of answering.finish().entries())
    expect(scores[0]! >= 0.5).toBe(objects[i]!.scores[0]! >= 0.8);
  const count = ({ final }: Awaited<ReturnType<typeof answer>>) =>
    [...final.values()].filter((score) => score >= 0.5).length;
  expect(count(await answer([objects], 0.8))).toBeLessThan(count(await answer([objects], 0.3)));
});

test('a nucleus beside the extent is known and not answered', async () => {
  const inside = objects.slice(0, 120);
  const alone = new Answering(reader, [intent(0.5)], CALIBRATION);
  await alone.add(inside);
  const more = new Answering(reader, [intent(0.5)], CALIBRATION);
  await more.addBeside(objects.slice(120));
  await more.add(inside);
  const [without, having] = [alone.finish(), more.finish()];
  expect(having).toHaveLength(120);
  expect(having.map(({ outline }) => outline)).toEqual(without.map(({ outline }) => outline));
  expect(having.some(({ scores }, i) => scores[0] !== without[i]!.scores[0])).toBe(true);
});

test('what was judged stays as it was judged, and says something of the others', async () => {
  const judged = [1, 3, 5, 7, 9, 11].map((i) => ({ ...objects[i]!.centroid, label: 0 as const }));
  const answering = new Answering(reader, [{ ...intent(0.5), judged }], CALIBRATION);
  await answering.add(objects);
  const scores = answering.finish().map((object) => object.scores[0]!);
  for (const i of [1, 3, 5, 7, 9, 11]) expect(scores[i]).toBe(0);
  const before = await answer([objects]);
  const odd = objects.flatMap(({ anchor }, i) =>
    i % 2 === 1 && i > 11 ? [{ was: before.final.get(`${anchor.x},${anchor.y}`)!, is: scores[i]! }] : [],
  );
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(odd.map(({ is }) => is))).toBeLessThan(mean(odd.map(({ was }) => was)));
});

test('a nucleus whose tile was lost is scored by the decoder alone, and spoils nothing', async () => {
  const lost = new Set(objects.filter((_, i) => i % 10 === 7));
  const partly = {
    look: async (list: readonly FoundObject[]) =>
      list.map((object) => ({ object, looks: lost.has(object) ? undefined : looks.get(object)! })),
  };
  const answering = new Answering(partly, [intent(0.5)], CALIBRATION);
  await answering.add(objects);
  for (const [i, { scores }] of answering.finish().entries()) {
    expect(Number.isFinite(scores[0])).toBe(true);
    if (lost.has(objects[i]!)) expect(scores[0]! >= 0.5).toBe(objects[i]!.scores[0]! >= 0.5);
  }
});
