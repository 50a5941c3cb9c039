import { join } from 'node:path';
import { isBridgeError } from '../../../src/errors';
import { ReaderProcess } from '../../../src/services/images/readerProcess/readerProcess';
import type { FaultyQuestions } from '../../support/faultyReader';

type Options = ConstructorParameters<typeof ReaderProcess<FaultyQuestions>>[0];
const readers: ReaderProcess<FaultyQuestions>[] = [];
function reader(options: Partial<Options> = {}): ReaderProcess<FaultyQuestions> {
  const made = new ReaderProcess<FaultyQuestions>({
    library: 'FaultyLib',
    module: join(__dirname, '../../support/faultyReader'),
    ...options,
  });
  readers.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(readers.splice(0).map((made) => made.close()));
});
/** What a question came to: its answer, or the error's name and message. */
const outcome = (question: Promise<unknown>): Promise<unknown> =>
  question.catch((error: unknown) => (isBridgeError(error) ? `${error.errorName}: ${error.message}` : error));

test('answers come back as they are ready, each to its question', async () => {
  const process = reader();
  const order: number[] = [];
  const ask = async (value: number, afterMs: number) => {
    order.push(await process.ask('echo', { value, afterMs }, 'a number'));
  };
  await Promise.all([ask(1, 300), ask(2, 0)]);
  expect(order).toEqual([2, 1]);
  expect(await process.ask('pixels', 300_000, 'pixels')).toEqual(new Uint8Array(300_000).fill(7));
});

test('a refusal keeps its name, words and hint', async () => {
  await expect(reader().ask('refuse', null, 'x')).rejects.toMatchObject({
    errorName: 'UnsupportedImage',
    message: 'not this one',
    data: { hint: 'another' },
  });
});

test('a fault is told with its place, and the next question finds a new process', async () => {
  const process = reader();
  const before = await process.ask('processId', null, 'x');
  expect(await outcome(process.ask('crash', null, 'tile 7 of a.ndpi'))).toBe(
    'ImageUnreadable: FaultyLib ended (signal SIGSEGV) while it read tile 7 of a.ndpi',
  );
  const after = await process.ask('processId', null, 'x');
  expect(after).not.toBe(before);
});

test('a fault among several questions costs only the one that made it', async () => {
  const process = reader();
  await process.ask('processId', null, 'x');
  const answers = await Promise.all([
    outcome(process.ask('echo', { value: 1, afterMs: 200 }, 'x')),
    outcome(process.ask('crash', null, 'the culprit')),
    outcome(process.ask('echo', { value: 2, afterMs: 200 }, 'x')),
    outcome(process.ask('crash', null, 'its friend')),
    outcome(process.ask('echo', { value: 3, afterMs: 0 }, 'x')),
  ]);
  expect(answers).toEqual([
    1,
    'ImageUnreadable: FaultyLib ended (signal SIGSEGV) while it read the culprit',
    2,
    'ImageUnreadable: FaultyLib ended (signal SIGSEGV) while it read its friend',
    3,
  ]);
});

test('a library that hangs is ended after its time, and told', async () => {
  const process = reader({ timeout: 1500 });
  expect(await outcome(process.ask('hang', null, 'a loop'))).toBe(
    'ImageUnreadable: FaultyLib ended (no answer within 1.5 s) while it read a loop',
  );
  expect(await process.ask('echo', { value: 5, afterMs: 0 }, 'x')).toBe(5);
});

test('whoever cancels is answered at once, and the others go on', async () => {
  const process = reader();
  const controller = new AbortController();
  const long = process.ask('echo', { value: 1, afterMs: 20_000 }, 'x', controller.signal);
  const short = process.ask('echo', { value: 2, afterMs: 300 }, 'x');
  controller.abort();
  expect(await outcome(long)).toMatch(/^RequestCancelled/);
  expect(await short).toBe(2);
  expect(await outcome(process.ask('echo', { value: 3, afterMs: 0 }, 'x', controller.signal))).toMatch(
    /^RequestCancelled/,
  );
});

test('the first question is asked in each new process; one that dies of it is not started for ever', async () => {
  const process = reader({ first: { name: 'start', given: 'crash' } });
  expect(await outcome(process.ask('processId', null, 'x'))).toMatch(
    /^ImageUnreadable: FaultyLib ended \(it does not start\)/,
  );
  expect(await outcome(process.ask('processId', null, 'x'))).toMatch(/does not start/);
});

test('closing answers what waits, and nothing starts afterwards', async () => {
  const process = reader();
  const waiting = outcome(process.ask('echo', { value: 1, afterMs: 60_000 }, 'x'));
  await process.ask('processId', null, 'x');
  await process.close();
  expect(await waiting).toMatch(/^ShuttingDown/);
  expect(await outcome(process.ask('processId', null, 'x'))).toMatch(/^ShuttingDown/);
  expect(process.pid).toBeUndefined();
});
