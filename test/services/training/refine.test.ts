import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { splitHoldOut } from '../../../src/sampo/holdOut';
import { SAMPO_DEFAULTS } from '../../../src/sampo/settings';
import { decodeBytes } from '../../../src/services/images/imageDecoder';
import type { SearchOutcome } from '../../../src/services/search/search';
import { SearchResult } from '../../../src/services/search/searchResult';
import { memoryImage } from '../../../src/services/search/tilePixels';
import { crop } from '../../../src/services/images/pixels';
import { Bench, labelledPoints, type LabelledPoint } from './refineHarness';

const FIXTURES = resolve(__dirname, '../../fixtures/images');
const CLASS = 'lymphocyte';
const SIDE = 256;

let bench: Bench;
let points: LabelledPoint[];
let intentId: string;

beforeAll(async () => {
  const decoded = await decodeBytes(readFileSync(join(FIXTURES, 'brca-val.png')), {
    width: 491,
    height: 491,
  });
  const pixels = crop(decoded, { x: 0, y: 0, width: SIDE, height: SIDE });
  points = labelledPoints(join(FIXTURES, 'brca-val.points.json')).filter(({ x, y }) => x < SIDE && y < SIDE);
  bench = await Bench.open(memoryImage(pixels, { uri: 'brca-val', pixelSizeMicrons: 0.5 }));
});
afterAll(async () => {
  await bench.close();
  rmSync(bench.folder, { recursive: true, force: true });
});
beforeEach(() => {
  intentId = bench.intents.create(CLASS).intentId;
  bench.published.length = 0;
});

const clicks = (): LabelledPoint[] => points.filter((point) => point.class === CLASS).slice(0, 3);

/** Labelled objects of a result: whether each is of the class. */
function truth({ result }: SearchOutcome): { id: string; wanted: boolean }[] {
  return result.objects.flatMap(({ centroid }, i) => {
    const near = points.find(({ x, y }) => Math.hypot(x - centroid.x, y - centroid.y) < 5);
    return near ? [{ id: result.ids[i]!, wanted: near.class === CLASS }] : [];
  });
}

/** As many labelled objects of each kind. */
function some(outcome: SearchOutcome, each: number): { id: string; wanted: boolean }[] {
  const all = truth(outcome);
  return [true, false].flatMap((wanted) => all.filter((one) => one.wanted === wanted).slice(0, each));
}

function judge({ result }: SearchOutcome, verdicts: readonly { id: string; wanted: boolean }[]): void {
  bench.judgements.submit(
    { intentId, imageUri: bench.image.uri, scale: 1, results: [result] },
    verdicts.map(({ id, wanted }) => ({ kind: wanted ? 'accept' : 'reject', objectId: id })),
  );
}

const heldOutOf = (verdicts: readonly { id: string; wanted: boolean }[]): Set<string> => {
  const { holdOut } = splitHoldOut(verdicts, SAMPO_DEFAULTS.holdOutShare);
  return new Set(holdOut.map(({ id }) => id));
};

test('a refinement reports every step, keeps a version with its provenance, and is judged by the hold-out alone', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 5));
  const steps: number[] = [];
  const done = await bench.trainer.refine({
    intentId,
    steps: 8,
    seconds: 60,
    onStep: ({ step, metrics, secondsLeft }) => {
      steps.push(step);
      expect(bench.trainer.status()).toMatchObject({ running: true, intentId, step });
      expect(Object.keys(metrics)).toEqual(
        expect.arrayContaining(['loss', 'lossDpo', 'lossSegment', 'meanMargin', 'rewardAccuracy']),
      );
      // The reference is where it starts: no margin yet, and the loss of an undecided preference.
      if (step === 1) expect(metrics['lossDpo']).toBeCloseTo(Math.LN2, 3);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
    },
  });
  expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(done.metrics).toMatchObject({ steps: 8, judgements: 10, heldOut: 2, closed: 0 });
  expect(done.metrics['meanMargin']).toBeGreaterThan(0);
  const [version] = bench.checkpoints.list(intentId);
  expect(version).toMatchObject({ checkpointId: done.checkpointId, active: true, round: 1 });
  expect(version!.provenance).toMatchObject({ model: bench.model.id, startedFrom: null, version: 'test' });
  expect(version!.provenance['judgements']).toHaveLength(10);
  // What was judged is true and the kinds differ: what is kept back does not lose, and the version is put to use.
  expect(done).toMatchObject({ activated: true, verdict: expect.stringMatching(/^in use; of 2/) as unknown });
  expect(bench.intents.get(intentId).checkpointId).toBe(done.checkpointId);
  expect(bench.trainer.status()).toEqual({ running: false });
});

test('examples that another model has embedded take no part', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 5));
  const feature = new Float32Array(256).fill(9);
  const foreign = Array.from(
    { length: 40 },
    (_, x) =>
      ({
        feature,
        label: 1,
        source: 'click',
        modelId: 'another',
        place: { imageUri: 'elsewhere', x, y: 1 },
      }) as const,
  );
  bench.intents.remember(intentId, foreign);
  const { metrics } = await bench.trainer.refine({ intentId, steps: 1, seconds: 60 });
  expect(metrics).toMatchObject({ steps: 1, judgements: 10 });
});

test('a refinement that is worse on the hold-out is not used, and the verdict tells the figures', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  const score = new Map(outcome.result.ids.map((id, i) => [id, outcome.result.objects[i]!.scores[0]!]));
  // The held-out objects are right before; all that is trained on says the opposite.
  const sure = truth(outcome).filter(({ id, wanted }) => (score.get(id)! >= 0.6 ? wanted : !wanted));
  const [right, left] = [true, false].map((wanted) =>
    sure.filter((one) => one.wanted === wanted).slice(0, 8),
  );
  const [lies, truths] = [new Array<{ id: string; wanted: boolean }>(), new Set<string>()];
  for (const [others, wanted] of [
    [left!, true],
    [right!, false],
  ] as const) {
    const own = (wanted ? right! : left!).at(-1)!;
    const false_ = others.slice(0, -1).map(({ id }) => ({ id, wanted }));
    lies.push(...false_.toSpliced(3, 0, own));
    truths.add(own.id);
  }
  expect(heldOutOf(lies)).toEqual(truths);
  judge(outcome, lies);
  const done = await bench.trainer.refine({ intentId, steps: 40, seconds: 15 });
  expect((done.metrics['holdOutGain'] as { mean: number }).mean).toBeLessThan(-0.2);
  expect(done).toMatchObject({ activated: false });
  expect(done.verdict).toMatch(
    /^not in use, because it is worse; of \d+ judged objects .* \d+ % right before/,
  );
  expect(bench.intents.get(intentId).checkpointId).toBeNull();
  expect(bench.checkpoints.list(intentId)).toMatchObject([{ active: false }]);
});

test('stop ends it after the step under way and changes nothing', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 3));
  let steps = 0;
  const done = await bench.trainer.refine({
    intentId,
    seconds: 60,
    onStep: () => (++steps === 2 ? bench.trainer.stop(intentId) : undefined),
  });
  expect(steps).toBe(2);
  expect(done).toMatchObject({ activated: false, checkpointId: null });
  expect(bench.checkpoints.list(intentId)).toEqual([]);
  expect(() => bench.trainer.stop(intentId)).toThrow(/no refinement/);
});

test('a cancelled request ends it with RequestCancelled, and the next one may start', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 3));
  const controller = new AbortController();
  const { signal } = controller;
  const running = bench.trainer.refine({ intentId, seconds: 60, signal, onStep: () => controller.abort() });
  await expect(bench.trainer.refine({ intentId })).rejects.toMatchObject({ errorName: 'TrainingBusy' });
  await expect(running).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  expect(bench.trainer.status()).toEqual({ running: false });
});

test('the engine killed in the middle: training goes on, no judgement is lost', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 3));
  const { pid, restarts } = await bench.engine.status();
  const done = await bench.trainer.refine({
    intentId,
    steps: 5,
    seconds: 60,
    onStep: ({ step }) => {
      if (step === 2) setTimeout(() => process.kill(pid!, 'SIGKILL'), 20);
    },
  });
  expect(done.metrics).toMatchObject({ steps: 5 });
  expect((await bench.engine.status()).restarts).toBeGreaterThan(restarts);
  expect(bench.judgements.list(intentId)).toHaveLength(6);
});

test('an interactive request is served between steps', async () => {
  const outcome = await bench.prompt(intentId, clicks());
  judge(outcome, some(outcome, 3));
  let at = 0;
  let answered: Promise<number> | undefined;
  await bench.trainer.refine({
    intentId,
    steps: 10,
    seconds: 60,
    onStep: ({ step }) => {
      at = step;
      if (step === 2) answered = bench.prompt(intentId, []).then(() => at);
    },
  });
  expect(await answered).toBeLessThan(10);
});

test.each([0, 2])('%d judged objects are too few', async (count) => {
  const outcome = await bench.prompt(intentId, clicks());
  if (count > 0) judge(outcome, some(outcome, 1).slice(0, count));
  await expect(bench.trainer.refine({ intentId })).rejects.toMatchObject({
    errorName: 'JudgementsTooFew',
    data: { least: 3 },
  });
});

describe('versions', () => {
  /** A version that answers differently from the model as shipped. */
  async function version(): Promise<string> {
    const tokens = new Float32Array(4 * 64).fill(0.5);
    const feature = bench.intents.exemplars(intentId)[0]!.feature;
    const refinement = {
      parameters: new Map<string, Float32Array>(),
      tokens,
      exemplars: [{ feature: feature.map((v) => -v), label: 0 as const }],
    };
    const saved = await bench.checkpoints.save(intentId, refinement, { metrics: {}, provenance: {} });
    return saved.checkpointId;
  }
  const scores = (outcome: SearchOutcome): number[] =>
    outcome.result.objects.map((object) => object.scores[0]!);

  test('the active one is used by every search, also after a restart; null is the model as shipped', async () => {
    await bench.prompt(intentId, clicks());
    const shipped = scores(await bench.prompt(intentId, []));
    await bench.checkpoints.activate(intentId, await version());
    const refined = scores(await bench.prompt(intentId, []));
    expect(refined).not.toEqual(shipped);
    bench.restart();
    expect(scores(await bench.prompt(intentId, []))).toEqual(refined);
    await bench.checkpoints.activate(intentId, null);
    expect(scores(await bench.prompt(intentId, []))).toEqual(shipped);
  });

  test('a damaged file is refused, and the version before stays active', async () => {
    await bench.prompt(intentId, clicks());
    const good = await version();
    await bench.checkpoints.activate(intentId, good);
    const bad = await version();
    appendFileSync(join(bench.folder, 'checkpoints', `${bad}.sampo`), 'x');
    await expect(bench.checkpoints.activate(intentId, bad)).rejects.toMatchObject({
      errorName: 'CheckpointDamaged',
    });
    expect(bench.intents.get(intentId).checkpointId).toBe(good);
  });

  test('the active one cannot be deleted; another takes its file along', async () => {
    await bench.prompt(intentId, clicks());
    const [first, second] = [await version(), await version()];
    await bench.checkpoints.activate(intentId, first);
    await expect(bench.checkpoints.delete(intentId, first)).rejects.toMatchObject({
      errorName: 'InvalidParams',
    });
    await bench.checkpoints.delete(intentId, second);
    expect(readdirSync(join(bench.folder, 'checkpoints'))).not.toContain(`${second}.sampo`);
    expect(bench.checkpoints.list(intentId).map(({ checkpointId }) => checkpointId)).toEqual([first]);
    await expect(bench.checkpoints.activate(intentId, second)).rejects.toMatchObject({
      errorName: 'CheckpointNotFound',
    });
  });

  test('a result of another model stays as it is', async () => {
    const { result } = await bench.prompt(intentId, clicks());
    const other = new SearchResult({ ...result.setting, modelId: 'another' }, 'of-another');
    bench.results.keep('me', other);
    await bench.checkpoints.activate(intentId, await version());
    await bench.republisher.republish(intentId, ['of-another']);
    expect(bench.published).toEqual([]);
    expect(bench.results.get('me', 'of-another')).toBe(other);
  });

  test('open results are computed again under their id; what the user rejected goes, what he drew stays', async () => {
    const outcome = await bench.prompt(intentId, clicks());
    const { result } = outcome;
    const shown = result.features().features.map(({ id }) => String(id));
    const [rejected, edited] = shown;
    const geometry = { type: 'Polygon', coordinates: [[[0, 0], [9, 0], [9, 9], [0, 0]]] }; // prettier-ignore
    bench.judgements.submit({ intentId, imageUri: bench.image.uri, scale: 1, results: [result] }, [
      { kind: 'reject', objectId: rejected! },
      { kind: 'edit', objectId: edited!, geometry },
    ]);
    await bench.checkpoints.activate(intentId, await version());
    await bench.republisher.republish(intentId, [result.resultId]);
    const [changes, ...rest] = bench.published;
    expect(rest).toEqual([]);
    expect(changes).toMatchObject({ imageId: bench.image.imageId, intentId });
    expect(changes!.removed).toContain(rejected);
    const touched = [...changes!.added, ...changes!.changed].map(({ id }) => id);
    for (const id of [rejected, edited]) expect(touched).not.toContain(id);
    expect(changes!.removed).not.toContain(edited);
    for (const { id } of changes!.changed) expect(shown).toContain(id);
    for (const { id } of changes!.added) expect(shown).not.toContain(id);
    const again = bench.results.get('me', result.resultId);
    expect(again.objects.map((object) => object.scores[0])).not.toEqual(scores(outcome));
  });
});
