import { spawn, spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BridgeError } from '../../../../src/errors';
import { queueAddress, withoutSecrets } from '../../../../src/services/batch/cluster/redisLink';
import { UnitQueue } from '../../../../src/services/batch/cluster/unitQueue';
import type { UnitAnswer, UnitTask, WorkKind } from '../../../../src/services/batch/cluster/unitTask';
import {
  Unreachable,
  WorkerLoop,
  type WorkerLoopOptions,
} from '../../../../src/services/batch/cluster/workerLoop';
import { RedisServer, freePort } from '../../../support/redisServer';

const ROOT = resolve(__dirname, '../../../..');
const KIND: WorkKind = { version: '1.0.0', modelId: 'm@1', encoder: 'e', decoder: 'd' };
const GOING_ON = new AbortController().signal;
setMaxListeners(0, GOING_ON);
let redis: RedisServer;
const closers: (() => Promise<void>)[] = [];
const log: string[] = [];

beforeAll(async () => (redis = await RedisServer.start()));
afterAll(() => redis.dispose());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  log.length = 0;
});

function task(index: number, contentKey = 'content'): UnitTask {
  return {
    jobId: 'job',
    position: 0,
    unit: { index, x: 0, y: 0, width: 1, height: 1 },
    image: { path: '/a.svs', contentKey, stains: 'rgb' },
    pixelSizeMicrons: 0.25,
    intents: [],
    filters: {},
    sharedFolder: '/out/.sampo/job',
    returned: 0,
  };
}

function server(options: Partial<ConstructorParameters<typeof UnitQueue>[0]> = {}): UnitQueue {
  const queue = new UnitQueue({
    url: redis.url,
    kind: KIND,
    log: (line) => log.push(line),
    sweepMs: 300,
    ...options,
  });
  closers.push(() => queue.close());
  return queue;
}

async function worker(
  search: WorkerLoopOptions['search'],
  options: Partial<WorkerLoopOptions> = {},
): Promise<WorkerLoop> {
  const loop = new WorkerLoop({
    url: redis.url,
    kind: KIND,
    units: 1,
    lostAfterMs: 2000,
    graceMs: 1000,
    log: (line) => log.push(line),
    search,
    ...options,
  });
  closers.push(() => loop.close());
  await loop.start(10_000);
  return loop;
}

const answerOf = async ({ unit }: UnitTask): Promise<UnitAnswer> => ({
  objects: unit.index,
  seconds: 1,
  sha256: `s${unit.index}`,
});

/** Waits until something holds. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(30);
}

test('units go out, and each answer comes back to its asker', async () => {
  const queue = server();
  await worker(answerOf);
  await worker(answerOf);
  const answers = await Promise.all([...Array(20).keys()].map((i) => queue.submit(task(i), GOING_ON)));
  expect(answers.map(({ objects }) => objects)).toEqual([...Array(20).keys()]);
});

test('a unit that fails is tried again after a pause; one that fails each time comes back with its fault', async () => {
  const queue = server();
  const tries = new Map<number, number[]>();
  await worker(async (asked) => {
    const { index } = asked.unit;
    const times = tries.get(index) ?? [];
    tries.set(index, [...times, Date.now()]);
    if (index === 31 || times.length === 0) throw new BridgeError('EngineCrashed', 'the engine ended');
    return answerOf(asked);
  });
  await expect(queue.submit(task(30), GOING_ON)).resolves.toMatchObject({ objects: 30 });
  const [first, second] = tries.get(30)!;
  expect(second! - first!).toBeGreaterThan(900);
  await expect(queue.submit(task(31), GOING_ON)).rejects.toMatchObject({
    errorName: 'EngineCrashed',
    message: expect.stringContaining('the engine ended') as string,
  });
  expect(tries.get(31)).toHaveLength(3);
  // A resumed job asks anew: what failed before is not what is answered.
  await expect(queue.submit(task(31), GOING_ON)).rejects.toMatchObject({ errorName: 'EngineCrashed' });
  expect(tries.get(31)).toHaveLength(6);
});

test('a unit that kills its workers is set aside; the others are done', async () => {
  const queue = server();
  const script = `
    const { WorkerLoop } = require('./src/services/batch/cluster/workerLoop');
    new WorkerLoop({
      url: ${JSON.stringify(redis.url)}, kind: ${JSON.stringify(KIND)}, units: 1, lostAfterMs: 1000, graceMs: 100,
      log: () => undefined,
      search: async ({ unit }) => {
        if (unit.index === 40) process.kill(process.pid, 'SIGKILL');
        return { objects: unit.index, seconds: 0, sha256: '' };
      },
    }).start(10000);`;
  let deaths = 0;
  let stopped = false;
  const start = (): void => {
    const child = spawn(process.execPath, ['-r', './scripts/swcRegister.cjs', '-e', script], { cwd: ROOT });
    closers.push(async () => void child.kill('SIGKILL'));
    child.once('exit', () => {
      if (stopped) return;
      deaths++;
      start();
    });
  };
  start();
  closers.push(async () => void (stopped = true));
  const others = [41, 42, 43].map((i) => queue.submit(task(i), GOING_ON));
  await expect(queue.submit(task(40), GOING_ON)).rejects.toMatchObject({ errorName: 'WorkerLost' });
  expect((await Promise.all(others)).map(({ objects }) => objects)).toEqual([41, 42, 43]);
  expect(deaths).toBeGreaterThanOrEqual(2);
});

test('a worker that cannot reach an image leaves it to another, and says so', async () => {
  const queue = server();
  let refused = 0;
  await worker(async () => {
    refused++;
    throw new Unreachable({ name: 'FileNotFound', message: 'there is no file /a.svs' });
  });
  const answer = queue.submit(task(50), GOING_ON);
  await until(() => refused > 0);
  await until(() => queue.trouble().includes('there is no file /a.svs'));
  await worker(answerOf);
  await expect(answer).resolves.toMatchObject({ objects: 50 });
  expect(log.join('\n')).toContain('left to another worker');
});

test('Redis ends and comes back empty: what was open is put into it again', async () => {
  const queue = server();
  let let_go = (): void => undefined;
  const held = new Promise<void>((resolve) => (let_go = resolve));
  const done: number[] = [];
  await worker(async (asked) => {
    if (done.length >= 2) await held;
    done.push(asked.unit.index);
    return answerOf(asked);
  });
  const answers = Promise.all([60, 61, 62, 63, 64].map((i) => queue.submit(task(i), GOING_ON)));
  await until(() => done.length >= 2);
  await redis.kill();
  await until(() => queue.trouble().includes('cannot be reached'));
  await redis.start();
  let_go();
  expect((await answers).map(({ objects }) => objects)).toEqual([60, 61, 62, 63, 64]);
  await until(() => queue.trouble() === '');
});

test('a worker of another version or model takes nothing, and both sides say why', async () => {
  const queue = server();
  let taken = 0;
  const counting = async (asked: UnitTask): Promise<UnitAnswer> => {
    taken++;
    return answerOf(asked);
  };
  await worker(counting, { kind: { ...KIND, version: '0.9.0' } });
  await worker(counting, { kind: { ...KIND, decoder: 'another' } });
  const answer = queue.submit(task(70), GOING_ON);
  await until(() => queue.view().workers.length === 2);
  expect(queue.trouble()).toMatch(/no worker takes its units .*of sampo 0\.9\.0/);
  expect(log.join('\n')).toMatch(/takes no work of the server .*: it is sampo 1\.0\.0, this is 0\.9\.0/);
  expect(log.join('\n')).toMatch(/its files of the model m@1 are others/);
  expect(taken).toBe(0);
  await worker(counting);
  await expect(answer).resolves.toMatchObject({ objects: 70 });
  await until(() => queue.view().workers.filter(({ fits }) => fits).length === 1);
});

test('a worker that is asked to stop finishes its unit, or gives it back when the grace is over', async () => {
  const queue = server();
  let begun = 0;
  const slow: WorkerLoopOptions['search'] = async (asked, signal) => {
    begun++;
    await wait(asked.unit.index === 80 ? 700 : 60_000, undefined, { signal });
    return answerOf(asked);
  };
  const first = await worker(slow, { graceMs: 20_000, lostAfterMs: 60_000 });
  const finished = queue.submit(task(80), GOING_ON);
  await until(() => begun === 1);
  await first.close();
  await expect(finished).resolves.toMatchObject({ objects: 80 });

  const second = await worker(slow, { graceMs: 200, lostAfterMs: 60_000 });
  const givenBack = queue.submit(task(81), GOING_ON);
  await until(() => begun === 2);
  await second.close();
  // Not after the minute in which it would be taken for lost: at once.
  const start = Date.now();
  await worker(answerOf, { lostAfterMs: 60_000 });
  await expect(givenBack).resolves.toMatchObject({ objects: 81 });
  expect(Date.now() - start).toBeLessThan(30_000);
});

test('the answer of an earlier life of the server is not asked for again', async () => {
  const first = new UnitQueue({ url: redis.url, kind: KIND, log: () => undefined });
  let searched = 0;
  const before = new AbortController();
  const asked = first.submit(task(90), before.signal).catch(() => 'ended');
  await until(() => first.view().connected);
  await wait(300);
  await first.close();
  expect(await asked).toBe('ended');
  await worker(async (unit) => {
    searched++;
    return answerOf(unit);
  });
  await until(() => searched === 1);
  await expect(server().submit(task(90), GOING_ON)).resolves.toMatchObject({ objects: 90 });
  expect(searched).toBe(1);
});

test('a cancelled unit is forgotten by the queue', async () => {
  const queue = server();
  const giving = new AbortController();
  const asked = queue.submit(task(95), giving.signal);
  await wait(300);
  giving.abort();
  await expect(asked).rejects.toMatchObject({ errorName: 'RequestCancelled' });
  let taken = 0;
  await worker(async (unit) => {
    taken++;
    return answerOf(unit);
  });
  await expect(queue.submit(task(96), GOING_ON)).resolves.toMatchObject({ objects: 96 });
  expect(taken).toBe(1);
});

test('a password is honoured, a wrong one is told, and neither is ever said', async () => {
  const locked = await RedisServer.start('--requirepass', 'Geheim/17');
  try {
    const address = `127.0.0.1:${locked.port}`;
    const right = server({ url: `redis://:${encodeURIComponent('Geheim/17')}@${address}` });
    await until(() => right.view().connected);
    await wait(200);
    await worker(answerOf, { url: `redis://:${encodeURIComponent('Geheim/17')}@${address}` });
    await expect(right.submit(task(97), GOING_ON)).resolves.toMatchObject({ objects: 97 });
    await expect(worker(answerOf, { url: `redis://:Falsch18@${address}` })).rejects.toMatchObject({
      errorName: 'QueueUnavailable',
      message: expect.stringContaining('WRONGPASS') as string,
    });
    expect(right.view().address).toBe(`redis://${address}`);
    expect(log.join('\n')).not.toMatch(/Geheim|Falsch/);
  } finally {
    for (const close of closers.splice(0).reverse()) await close();
    await locked.dispose();
  }
});

test('TLS is honoured: a certificate of the lab’s own is taken where it is made known, and refused where it is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampo-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
  ]);
  expect(made.status).toBe(0);
  const port = await freePort();
  const secured = await RedisServer.start(
    ...['--tls-port', String(port), '--port', '0', '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
  );
  const script = `
    const { RedisLink } = require('./src/services/batch/cluster/redisLink');
    const link = new RedisLink('rediss://localhost:${port}', () => undefined);
    link.ready(4000).then(() => link.main.ping(), (error) => error.message).then(async (said) => {
      console.log(said);
      await link.close();
    });`;
  const said = (env: object): string =>
    spawnSync(process.execPath, ['-r', './scripts/swcRegister.cjs', '-e', script], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    }).stdout.trim();
  try {
    expect(said({ NODE_EXTRA_CA_CERTS: certificate })).toBe('PONG');
    expect(said({ NODE_EXTRA_CA_CERTS: '' })).toMatch(
      /rediss:\/\/localhost:\d+ cannot be used: .*self-signed/,
    );
  } finally {
    await secured.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an address of a queue is told without what is secret, and refused when it is none', () => {
  expect(queueAddress('rediss://me:secret@host:6380/2')).toBe('rediss://host:6380/2');
  expect(withoutSecrets('AUTH me p/w failed', 'redis://me:p%2Fw@host')).toBe('AUTH … … failed');
  expect(() => queueAddress('http://host')).toThrow('not with redis: or rediss:');
  expect(() => queueAddress('host')).toThrow('is no URL');
});
