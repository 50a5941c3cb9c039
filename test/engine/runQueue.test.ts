import { RunQueue } from '../../src/engine/runQueue';
import type { Priority } from '../../src/engine/engine';
import { BridgeError } from '../../src/errors';

/** A job that runs until it is let go. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, work: () => opened };
}

test('interactive before training before batch, in order of arrival within each', async () => {
  const queue = new RunQueue();
  const first = gate();
  const order: string[] = [];
  const jobs = [queue.submit('batch', first.work)];
  const names: [Priority, string][] = [
    ['batch', 'b1'],
    ['training', 't1'],
    ['interactive', 'i1'],
    ['batch', 'b2'],
    ['interactive', 'i2'],
    ['training', 't2'],
  ];
  await new Promise(setImmediate);
  for (const [priority, name] of names) {
    jobs.push(queue.submit(priority, async () => void order.push(name)));
  }
  expect(queue.counts()).toEqual({ interactive: 2, training: 2, batch: 2 });
  first.open();
  await Promise.all(jobs);
  expect(order).toEqual(['i1', 'i2', 't1', 't2', 'b1', 'b2']);
});

test('one job at a time', async () => {
  const queue = new RunQueue();
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, (running += 1));
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => queue.submit('interactive', work)));
  expect(most).toBe(1);
});

test('a failure reaches its submitter and nobody else', async () => {
  const queue = new RunQueue();
  const failing = queue.submit('interactive', () => Promise.reject(new Error('mine')));
  const fine = queue.submit('interactive', async () => 7);
  await expect(failing).rejects.toThrow('mine');
  await expect(fine).resolves.toBe(7);
});

test('an aborted job that waits leaves the queue at once; one aborted before it came in never enters', async () => {
  const queue = new RunQueue();
  const first = gate();
  const running = queue.submit('interactive', first.work);
  await new Promise(setImmediate);
  const controller = new AbortController();
  const work = jest.fn(async () => undefined);
  const waiting = queue.submit('interactive', work, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  await expect(queue.submit('interactive', work, controller.signal)).rejects.toMatchObject({
    errorName: 'RequestCancelled',
  });
  expect(queue.counts().interactive).toBe(0);
  first.open();
  await running;
  await queue.submit('batch', async () => undefined);
  expect(work).not.toHaveBeenCalled();
});

test('clear rejects what waits and leaves the running job alone', async () => {
  const queue = new RunQueue();
  const first = gate();
  const running = queue.submit('interactive', first.work);
  await new Promise(setImmediate);
  const waiting = [queue.submit('batch', async () => 1), queue.submit('training', async () => 2)];
  queue.clear(new BridgeError('ShuttingDown', 'over'));
  for (const job of waiting) await expect(job).rejects.toMatchObject({ errorName: 'ShuttingDown' });
  first.open();
  await expect(running).resolves.toBeUndefined();
});
