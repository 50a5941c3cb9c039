import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Intents } from '../../../src/services/intents/intents';
import { Judgements } from '../../../src/services/intents/judgements';
import { nextToReview } from '../../../src/services/intents/review';
import { SearchResult } from '../../../src/services/search/searchResult';
import { openStore, type Store } from '../../../src/store/store';

const ROOT = resolve(__dirname, '../../..');
const IMAGE = { imageId: 'open', uri: 'file:slide' };
const square = (x: number): number[][][] => [[[x, 0, x + 8, 0, x + 8, 8, x, 8]]];

let folder: string;
let store: Store;
let judgements: Judgements;
let intentId: string;

function reopen(): void {
  store.close();
  store = openStore(folder);
  judgements = new Judgements(store.database);
}

/** Objects in a row, scored for the intent; image px are half a model px. */
function resultOf(scores: readonly number[], id = intentId): SearchResult {
  const result = new SearchResult({
    image: IMAGE,
    spaces: {
      scale: 2,
      imageSize: { width: 400, height: 40 },
      modelSize: { width: 200, height: 20 },
    },
    modelId: 'test',
    micronsPerPixel: 0.5,
    intents: [
      {
        intentId: id,
        classification: { name: 'tumor', color: [1, 2, 3] },
        exemplars: [],
        round: 2,
        scoreThreshold: 0.6,
      },
    ],
    prompts: [],
    scoreThreshold: 0.5,
    filters: {},
  });
  const found = scores.map((score, i) => ({
    outline: square(10 * i),
    area: 64,
    centroid: { x: 10 * i + 4, y: 4 },
    anchor: { x: 10 * i + 4.5, y: 4.5 },
    scores: [score],
    nucleusScore: 1,
  }));
  result.add(found);
  return result;
}

const source = (...results: SearchResult[]) => ({ intentId, imageUri: IMAGE.uri, scale: 1, results });
const kinds = (): string[] => judgements.list(intentId).map(({ kind, objectId }) => `${kind} ${objectId}`);

/** An error with this name, for toThrow. */
const failure = (errorName: string) => expect.objectContaining({ errorName }) as Error;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-judgements-'));
  store = openStore(folder);
  judgements = new Judgements(store.database);
  intentId = new Intents(store.database, 'model').create('tumor').intentId;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a judged object is stored with its outline, in image px, and stands without the result', () => {
  const result = resultOf([0.9, 0.2]);
  const [a, b] = result.ids;
  const answer = judgements.submit(source(result), [
    { kind: 'accept', objectId: a! },
    { kind: 'reject', objectId: b!, resultId: result.resultId },
  ]);
  expect(answer).toMatchObject({ total: 2, conflicts: [] });
  reopen();
  const [first, second] = judgements.list(intentId);
  expect(first).toMatchObject({
    judgementId: answer.judgementIds[0],
    kind: 'accept',
    imageUri: IMAGE.uri,
    objectId: a,
    scale: 2,
    overrides: [],
  });
  expect(first!.outline).toEqual([[[0, 0, 16, 0, 16, 16, 0, 16]]]);
  expect(second).toMatchObject({ kind: 'reject', objectId: b });
});

test('of several judgements of one object the latest is in force, and says what it replaces', () => {
  const result = resultOf([0.9]);
  const objectId = result.ids[0]!;
  const first = judgements.submit(source(result), [{ kind: 'accept', objectId }]);
  const second = judgements.submit(source(result), [{ kind: 'reject', objectId }]);
  expect(second.conflicts).toEqual([
    { judgementId: second.judgementIds[0], replaces: first.judgementIds[0] },
  ]);
  expect(second.total).toBe(1);
  expect(judgements.list(intentId)).toMatchObject([{ kind: 'reject', overrides: first.judgementIds }]);
  judgements.undo(intentId);
  expect(judgements.list(intentId)).toMatchObject([{ kind: 'accept', overrides: [] }]);
});

test('the same object judged twice in one request: the later word counts and the conflict is told', () => {
  const result = resultOf([0.9]);
  const objectId = result.ids[0]!;
  const { judgementIds, conflicts, total } = judgements.submit(source(result), [
    { kind: 'accept', objectId },
    { kind: 'reject', objectId },
  ]);
  expect(conflicts).toEqual([{ judgementId: judgementIds[1], replaces: judgementIds[0] }]);
  expect(total).toBe(1);
});

test('undo and redo go through all submissions, across restarts, each as a whole', () => {
  const result = resultOf([0.9, 0.8, 0.7, 0.6]);
  const [a, b, c, d] = result.ids;
  judgements.submit(source(result), [{ kind: 'accept', objectId: a! }]);
  judgements.submit(source(result), [
    { kind: 'accept', objectId: b! },
    { kind: 'reject', objectId: c! },
  ]);
  judgements.submit(source(result), [{ kind: 'reject', objectId: d! }]);
  const all = kinds();
  expect(all).toHaveLength(4);
  expect(judgements.undo(intentId)).toMatchObject({ total: 3 });
  reopen();
  expect(judgements.undo(intentId)).toMatchObject({ total: 1 });
  expect(judgements.undo(intentId)).toMatchObject({ total: 0 });
  expect(judgements.can(intentId)).toEqual({ canUndo: false, canRedo: true });
  expect(() => judgements.undo(intentId)).toThrow(failure('NothingToUndo'));
  reopen();
  expect(judgements.redo(intentId)).toMatchObject({ total: 1 });
  expect(judgements.redo(intentId).judgementIds).toHaveLength(2);
  expect(judgements.redo(intentId)).toMatchObject({ total: 4 });
  expect(kinds()).toEqual(all);
  expect(() => judgements.redo(intentId)).toThrow(failure('NothingToUndo'));
});

test('after a new judgement, what was undone is gone', () => {
  const result = resultOf([0.9, 0.8]);
  const [a, b] = result.ids;
  judgements.submit(source(result), [{ kind: 'accept', objectId: a! }]);
  judgements.undo(intentId);
  judgements.submit(source(result), [{ kind: 'reject', objectId: b! }]);
  expect(judgements.can(intentId)).toEqual({ canUndo: true, canRedo: false });
  expect(kinds()).toEqual([`reject ${b}`]);
});

test('a geometry stands for an object that no result holds; drawing it again replaces it', () => {
  const geometry = { type: 'Polygon', coordinates: [[[0, 0], [9, 0], [9, 9], [0, 0]]] }; // prettier-ignore
  judgements.submit(source(), [{ kind: 'add', geometry }]);
  expect(judgements.submit(source(), [{ kind: 'reject', geometry }])).toMatchObject({
    total: 1,
    conflicts: [{}],
  });
  expect(judgements.list(intentId)[0]!.outline).toEqual([[[0, 0, 9, 0, 9, 9]]]);
});

test.each([
  ['ObjectNotFound', { kind: 'accept', objectId: 'nobody' }],
  ['ObjectNotFound', { kind: 'better', promptId: 'nobody', chosen: 0 }],
  ['InvalidParams', { kind: 'accept' }],
  ['InvalidParams', { kind: 'add', objectId: 'nobody' }],
  ['InvalidParams', { kind: 'better', chosen: 0 }],
  ['GeometryInvalid', { kind: 'add', geometry: { type: 'Polygon', coordinates: [[[0, 0], [1, 1]]] } }], // prettier-ignore
] as const)('%s: nothing of the request is stored', (errorName, bad) => {
  const result = resultOf([0.9]);
  const good = { kind: 'accept', objectId: result.ids[0]! } as const;
  expect(() => judgements.submit(source(result), [good, bad])).toThrow(failure(errorName));
  expect(judgements.list(intentId)).toEqual([]);
});

test('an intent that is not there is named', () => {
  const missing = { ...source(), intentId: 'nobody' };
  for (const work of [
    () => judgements.submit(missing, [{ kind: 'accept', objectId: 'x' }]),
    () => judgements.list('nobody'),
    () => judgements.undo('nobody'),
  ])
    expect(work).toThrow(failure('IntentNotFound'));
});

test('"this one is better" keeps the click and the choice', () => {
  const result = resultOf([]);
  const tile = { key: '0,0', column: 0, row: 0, x: 0, y: 0, width: 9, height: 9 };
  const masks = [0, 1, 2].map((mask) => ({ mask, score: 0.5 }));
  const click = { x: 5, y: 7, positive: true };
  result.candidates.push({ promptId: 'p', intent: 0, click, tile, masks });
  judgements.submit(source(result), [{ kind: 'better', promptId: 'p', chosen: 1 }]);
  expect(judgements.list(intentId)[0]!.choice).toEqual({ x: 5, y: 7, chosen: 1, rejected: [0, 2] });
  expect(() => judgements.submit(source(result), [{ kind: 'better', promptId: 'p', chosen: 3 }])).toThrow(
    failure('InvalidParams'),
  );
});

test('a process killed right after the answer loses no judgement', () => {
  store.close();
  const geometry = { type: 'Polygon', coordinates: [[[0, 0], [9, 0], [9, 9], [0, 0]]] }; // prettier-ignore
  const script = `
    const { openStore } = require('./src/store/store');
    const { Judgements } = require('./src/services/intents/judgements');
    const judgements = new Judgements(openStore(process.argv[1]).database);
    const source = { intentId: process.argv[2], imageUri: 'u', scale: 1, results: [] };
    judgements.submit(source, [{ kind: 'add', geometry: ${JSON.stringify(geometry)} }]);
    process.kill(process.pid, 'SIGKILL');`;
  const { signal } = spawnSync(
    process.execPath,
    ['-r', './scripts/swcRegister.cjs', '-e', script, folder, intentId],
    {
      cwd: ROOT,
    },
  );
  expect(signal).toBe('SIGKILL');
  store = openStore(folder);
  judgements = new Judgements(store.database);
  expect(judgements.list(intentId)).toMatchObject([{ kind: 'add', imageUri: 'u' }]);
});

test('review: the objects nearest to the threshold first, those judged left out', () => {
  const result = resultOf([0.95, 0.62, 0.05, 0.5, 0.58]);
  const [, near, , , nearest] = result.ids;
  const page = nextToReview(result, intentId, new Set(), 2);
  expect(page.objects.map(({ id }) => id)).toEqual([nearest, near]);
  expect(page).toMatchObject({ judged: 0, total: 5 });
  expect(page.objects[0]!.properties).toMatchObject({
    classification: { name: 'tumor' },
    measurements: { 'SAMPO score': 0.58, 'SAMPO uncertainty': 0.9667, 'SAMPO round': 2 },
  });
  const all = nextToReview(result, intentId, new Set(), 10).objects;
  const doubts = all.map(({ properties }) => properties.measurements!['SAMPO uncertainty']!);
  expect(doubts).toEqual([...doubts].sort((a, b) => b - a));
  const after = nextToReview(result, intentId, new Set([nearest!]), 10);
  expect(after).toMatchObject({ judged: 1, total: 5 });
  expect(after.objects.map(({ id }) => id)).toEqual([near, result.ids[3], result.ids[0], result.ids[2]]);
  expect(() => nextToReview(result, 'other', new Set(), 1)).toThrow(failure('IntentNotFound'));
});
