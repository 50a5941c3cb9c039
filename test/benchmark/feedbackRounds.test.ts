import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relateSpaces } from '../../src/segmentation/coordinates';
import { openDataSet } from '../../src/services/labelled/dataset';
import type { FeedbackProduct, Verdict } from '../../src/benchmark/feedbackProduct';
import { formatFeedback, type FeedbackReport } from '../../src/benchmark/feedbackReport';
import { runFeedbackBenchmark, type FeedbackOptions } from '../../src/benchmark/feedbackRounds';
import { SearchResult } from '../../src/services/search/searchResult';
import { squarePredictor } from './squarePredictor';
import { SQUARES, writeTinySet } from './tinySet';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-feedback-'));
  for (const name of ['one', 'two', 'three']) await writeTinySet(folder, 'points', name);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Is the square around a point dark? */
const isDark = (at: { x: number; y: number }): boolean =>
  SQUARES.find(({ x, y }) => Math.hypot(x + 5 - at.x, y + 5 - at.y) < 3)!.class === 'dark';

/** Finds every square at first; one that was refined by `sampo` finds the kind that most judgements spoke for. */
class SquareProduct implements FeedbackProduct {
  readonly model = squarePredictor.model;
  readonly judged: { intentId: string; image: string; verdicts: readonly Verdict[] }[] = [];
  readonly clicked: string[] = [];
  readonly open = new Set<string>();
  #made = 0;
  readonly #wantsDark = new Map<string, boolean>();
  readonly #forDark = new Map<string, boolean[]>();

  begin(): string {
    const intentId = `intent ${++this.#made}`;
    this.open.add(intentId);
    return intentId;
  }

  async find(...[intentId, { name, image }, clicks]: Parameters<FeedbackProduct['find']>) {
    if (clicks.length > 0) this.clicked.push(name);
    const { objects } = await squarePredictor.prepare(image);
    const classification = { name: 'asked', color: [1, 2, 3] as [number, number, number] };
    const result = new SearchResult({
      image: { imageId: name, uri: name },
      spaces: relateSpaces(image, 0.5, 0.5),
      modelId: 'test',
      micronsPerPixel: 0.5,
      intents: [{ intentId, classification, exemplars: [], round: 0 }],
      prompts: [],
      scoreThreshold: 0.5,
      filters: {},
    });
    const wantsDark = this.#wantsDark.get(intentId);
    const score = (dark: boolean): number => (wantsDark === undefined || wantsDark === dark ? 0.9 : 0.1);
    result.add(objects.map((object) => ({ ...object, scores: [score(isDark(object.centroid))] })));
    return result;
  }

  judge(intentId: string, result: SearchResult, verdicts: readonly Verdict[]): void {
    this.judged.push({ intentId, image: result.setting.image.uri, verdicts });
    const votes = verdicts.map(
      ({ objectId, wanted }) => isDark(result.objects[result.ids.indexOf(objectId)]!.centroid) === wanted,
    );
    this.#forDark.set(intentId, [...(this.#forDark.get(intentId) ?? []), ...votes]);
  }

  async refine(...[intentId, method]: Parameters<FeedbackProduct['refine']>) {
    const votes = this.#forDark.get(intentId)!;
    const activated = method === 'sampo';
    if (activated) this.#wantsDark.set(intentId, votes.filter(Boolean).length * 2 > votes.length);
    return { checkpointId: null, activated, verdict: '', metrics: { steps: 7 }, seconds: 2 };
  }

  async end(intentId: string): Promise<void> {
    this.open.delete(intentId);
  }

  async close(): Promise<void> {}
}

const run = (product: FeedbackProduct, options: Partial<FeedbackOptions> = {}): Promise<FeedbackReport> =>
  runFeedbackBenchmark(product, {
    data: openDataSet(folder),
    clicks: 3,
    seeds: 2,
    rounds: 2,
    judgements: 5,
    wrong: 0,
    unseen: 2,
    methods: ['sampo', 'pixel-loss'],
    maxImages: 1,
    ...options,
  });

test('known answers: one method learns the kind, the other is refused and stays; on the judged image and on unseen ones', async () => {
  const product = new SquareProduct();
  const { rows, refinements } = await run(product);
  const row = (method: string, round: number, where: string, name = 'dark') =>
    rows.find((r) => r.method === method && r.round === round && r.where === where && r.class === name)!;
  for (const where of ['same', 'unseen']) {
    // 7 dark of 13 squares: F1 = 14 / 20.
    expect(row('sampo', 0, where)).toMatchObject({ f1: 0.7, precision: 0.5385, recall: 1, gain: 0, f1Sd: 0 });
    expect(row('sampo', 1, where)).toMatchObject({ f1: 1, gain: 0.3, trials: 2 });
    expect(row('pixel-loss', 2, where)).toMatchObject({ f1: 0.7, gain: 0 });
    expect(row('sampo', 2, where, 'mean').f1).toBe(1);
  }
  expect(refinements).toContainEqual({
    method: 'sampo',
    round: 1,
    refinements: 4,
    refused: 0,
    seconds: 2,
    steps: 7,
  });
  expect(refinements).toContainEqual(expect.objectContaining({ method: 'pixel-loss', round: 2, refused: 1 }));
  expect(formatFeedback({ rows, refinements })).toMatch(/images never clicked\n.*round 2\n *sampo +0\.66/);
  expect(product.open.size).toBe(0);
});

test('the user judges truthfully what was not judged before, for every method the same, in the clicked image alone', async () => {
  const product = new SquareProduct();
  await run(product);
  const [first, second, third, fourth] = product.judged;
  expect(second!.verdicts).toEqual(first!.verdicts);
  expect(fourth!.verdicts).toEqual(third!.verdicts);
  expect([first, second].map((one) => one!.intentId)).toEqual(['intent 1', 'intent 2']);
  const ids = [...first!.verdicts, ...third!.verdicts].map(({ objectId }) => objectId);
  expect(new Set(ids).size).toBe(10);
  expect(new Set(product.judged.map(({ image }) => image))).toEqual(new Set(['one']));
  expect(new Set(product.clicked)).toEqual(new Set(['one']));
});

test('wrong judgements are as many as said, and drawn by the seed', async () => {
  const [truthful, wrong, again] = [new SquareProduct(), new SquareProduct(), new SquareProduct()];
  await run(truthful, { rounds: 1 });
  await run(wrong, { rounds: 1, wrong: 0.4 });
  await run(again, { rounds: 1, wrong: 0.4 });
  expect(again.judged).toEqual(wrong.judged);
  wrong.judged.forEach(({ verdicts }, i) => {
    const differ = verdicts.filter((one, j) => one.wanted !== truthful.judged[i]!.verdicts[j]!.wanted);
    expect(differ).toHaveLength(2);
  });
});

test('a method that does not learn is refused by name', async () => {
  await expect(run(new SquareProduct(), { methods: ['forest'] })).rejects.toMatchObject({
    errorName: 'NotAvailable',
  });
});
