import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RpcClient } from '../../../../src/commands/rpcClient';
import { startServer, type RunningServer } from '../../../../src/composition';
import type { BatchJob } from '../../../../src/protocol/types.gen';
import { RedisServer } from '../../../support/redisServer';
import { TEST_DEVICE } from '../../../support/testDevice';

const ROOT = resolve(__dirname, '../../../..');
const FIXTURES = join(ROOT, 'test/fixtures/images');
const NAMES = ['brca-train', 'brca-val'];
/** The slides as the server and as the workers call them: the same folder by two paths. */
const folder = mkdtempSync(join(tmpdir(), 'sampo-workers-'));
const slides = join(folder, 'slides');
const state = join(folder, 'state');
/** Some units an image; a unit takes a second or two. */
const UNIT_SIDE = 110;

let redis: RedisServer;
let intentId = '';
let undisturbed: Record<string, string> = {};
const workers = new Set<WorkerProcess>();

/** A `sampo worker` in a process of its own. */
class WorkerProcess {
  readonly child: ChildProcess;
  said = '';
  readonly ended: Promise<number | null>;

  constructor(...more: string[]) {
    const sampo = ['-r', join(ROOT, 'scripts/swcRegister.cjs'), join(ROOT, 'src/main.ts')];
    const own = ['worker', '--root', folder, '--threads', '1', '--units', '1', '--lost-after', '3'];
    this.child = spawn(process.execPath, [...sampo, ...own, ...more], {
      cwd: folder,
      env: { ...process.env, SAMPO_QUEUE: redis.url, SAMPO_DEVICE: TEST_DEVICE },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream!.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    this.ended = new Promise((ended) => this.child.once('exit', (code) => ended(code)));
    workers.add(this);
  }

  /** Waits until it has said something. */
  async says(what: string | RegExp): Promise<void> {
    while (this.said.search(what) < 0) {
      if (this.child.exitCode !== null) throw new Error(`the worker ended:\n${this.said}`);
      await wait(30);
    }
  }
}

async function withServer<T>(queue: string | undefined, work: (client: RpcClient) => Promise<T>): Promise<T> {
  const server: RunningServer = await startServer({
    stateFolder: state,
    device: TEST_DEVICE,
    roots: [folder],
    batchUnitSide: UNIT_SIDE,
    queue,
  });
  const client = await RpcClient.connect(server);
  try {
    return await work(client);
  } finally {
    await client.close();
    await server.close();
  }
}

async function startJob(client: RpcClient, out: string): Promise<BatchJob> {
  const images = NAMES.map((name) => ({ path: join(slides, `${name}.png`), pixelSizeMicrons: 0.25 }));
  const params = { intentIds: [intentId], images, outputFolder: join(folder, out) };
  return (await client.request('batch/start', params)).job;
}

/** Waits until a job is as wanted. */
async function follow(
  client: RpcClient,
  { jobId }: BatchJob,
  enough: (job: BatchJob) => boolean,
): Promise<BatchJob> {
  for (;;) {
    const { job } = await client.request('batch/status', { jobId });
    if (enough(job)) return job;
    await wait(100);
  }
}

const hasEnded = ({ state: now }: BatchJob): boolean => now !== 'queued' && now !== 'running';

function results(out: string): Record<string, string> {
  const files = [...NAMES.map((name) => `${name}.geojson`), 'summary.csv', 'errors.csv'];
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, out, file), 'utf8')]));
}

beforeAll(async () => {
  redis = await RedisServer.start();
  mkdirSync(slides);
  for (const name of NAMES) copyFileSync(join(FIXTURES, `${name}.png`), join(slides, `${name}.png`));
  await withServer(undefined, async (client) => {
    const { intent } = await client.request('intent/create', { name: 'nuclei', color: [200, 0, 0] });
    ({ intentId } = intent);
    const demo = join(ROOT, 'models/demo');
    const clicks = (
      JSON.parse(readFileSync(join(demo, 'clicks.json'), 'utf8')) as { clicks: [number, number][] }
    ).clicks.map(([x, y]) => ({ x, y }));
    copyFileSync(join(demo, 'breast.png'), join(folder, 'breast.png'));
    const { imageId } = await client.request('image/open', {
      uri: join(folder, 'breast.png'),
      source: 'file',
    });
    await client.request('segment/prompt', {
      imageId,
      intents: [{ intentId, clicks }],
      extent: { type: 'image' },
    });
    const job = await follow(client, await startJob(client, 'alone'), hasEnded);
    expect(job).toMatchObject({ state: 'done', images: { total: 2, done: 2, failed: 0 } });
    expect(job.units.total).toBeGreaterThan(12);
    expect(job.objects).toBeGreaterThan(20);
  });
  undisturbed = results('alone');
});

afterEach(async () => {
  for (const worker of workers) {
    worker.child.kill('SIGKILL');
    await worker.ended;
  }
  workers.clear();
});

afterAll(async () => {
  await redis.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test('three workers, one killed in the middle of a unit: the same bytes as one machine alone', async () => {
  const job = await withServer(redis.url, async (client) => {
    const started = await startJob(client, 'three');
    const victim = new WorkerProcess();
    // It has said so before its first unit, and is dead before it can have finished one.
    await victim.says('searches ');
    victim.child.kill('SIGKILL');
    await victim.ended;
    expect((await client.request('batch/status', { jobId: started.jobId })).job.units.done).toBe(0);
    const [second, third] = [new WorkerProcess(), new WorkerProcess()];
    const ended = await follow(client, started, hasEnded);
    expect(second.said + third.said).toContain('its worker was lost; it is given out again');
    for (const worker of [second, third]) expect(worker.said).toContain('searches ');
    return ended;
  });
  expect(job).toMatchObject({ state: 'done', message: '', images: { total: 2, done: 2, failed: 0 } });
  expect(job.units).toMatchObject({ done: job.units.total, failed: 0 });
  expect(results('three')).toEqual(undisturbed);
  expect(existsSync(join(folder, 'three', '.sampo'))).toBe(false);
});

test('Redis is killed in the middle and comes back empty: the job goes on, to the same bytes', async () => {
  const job = await withServer(redis.url, async (client) => {
    const worker = new WorkerProcess();
    const started = await startJob(client, 'restarted');
    await follow(client, started, ({ units }) => units.done >= 2);
    await redis.kill();
    await worker.says('cannot be reached');
    const waiting = await follow(client, started, ({ message }) => message !== '');
    expect(waiting.message).toContain('the job goes on when it is back');
    await redis.start();
    return follow(client, started, hasEnded);
  });
  expect(job.state).toBe('done');
  expect(results('restarted')).toEqual(undisturbed);
});

test('a worker of another model takes nothing; a server that ends takes its job up again; SIGTERM ends a worker well', async () => {
  const other = new WorkerProcess('--model', 'sampo-tiny-int8');
  const jobId = await withServer(redis.url, async (client) => {
    const started = await startJob(client, 'later');
    await other.says(/takes no work of the server .*it wants the model sampo-tiny@/);
    const told = await follow(client, started, ({ message }) => message.includes('no worker takes'));
    expect(told.message).toContain('sampo-tiny-int8');
    expect(told.units.done).toBe(0);
    return started.jobId;
  });
  const right = new WorkerProcess('--grace', '30');
  await right.says('takes parts of images');
  const job = await withServer(redis.url, async (client) => {
    const { job: resumed } = await client.request('batch/resume', { jobId });
    await follow(client, resumed, ({ units }) => units.done >= 1);
    right.child.kill('SIGTERM');
    expect(await right.ended).toBe(0);
    const { job: after } = await client.request('batch/status', { jobId });
    expect(after.state).toBe('running');
    const next = new WorkerProcess();
    const ended = await follow(client, resumed, hasEnded);
    // What the first worker had begun it has finished: nothing was lost with it.
    expect(next.said).not.toContain('was lost');
    return ended;
  });
  expect(job.state).toBe('done');
  expect(other.said).not.toContain('searches ');
  expect(results('later')).toEqual(undisturbed);
});

test('a folder that is called otherwise on the worker is mapped; one that cannot be reached is told', async () => {
  const elsewhere = join(folder, 'mounted');
  mkdirSync(elsewhere);
  const lost = new WorkerProcess('--map', `${slides}=${elsewhere}`);
  await withServer(redis.url, async (client) => {
    const started = await startJob(client, 'mapped');
    await lost.says(`there is no file ${elsewhere}/brca-train.png; its unit is left to another worker`);
    const told = await follow(client, started, ({ message }) => message.includes('there is no file'));
    expect(told.state).toBe('running');
    lost.child.kill('SIGTERM');
    expect(await lost.ended).toBe(0);
    for (const name of NAMES) copyFileSync(join(slides, `${name}.png`), join(elsewhere, `${name}.png`));
    new WorkerProcess('--map', `${slides}=${elsewhere}`);
    expect((await follow(client, started, hasEnded)).state).toBe('done');
  });
  expect(results('mapped')).toEqual(undisturbed);
});
