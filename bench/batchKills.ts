/**
 * A batch under SIGKILL: servers, engines and workers are killed at random moments of a job, again and again, and what comes out is
 * compared byte for byte with an undisturbed run. First on one machine (server and its engine), then through Redis with two workers.
 * `npm run build`, then
 * `node -r ./scripts/swcRegister.cjs bench/batchKills.ts --kills 100 --kills-cluster 100 > bench/records/batchKills.json`; needs
 * redis-server or valkey-server.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RpcClient } from '../src/commands/rpcClient';
import { seededRandom } from '../src/sampo/random';
import { RedisServer } from '../test/support/redisServer';
import { circumstances } from './builtServer';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    'kills-cluster': { type: 'string', default: '100' },
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
});
const ROOT = resolve(__dirname, '..');
const FIXTURES = join(ROOT, 'test/fixtures/images');
const NAMES = ['brca-train', 'brca-val'];
/** Small units, so that a job of two small images has some twenty. */
const UNIT_SIDE = 110;
/** Pause before each kill, ms: a job takes some three seconds. */
const [LEAST_PAUSE, MOST_PAUSE] = [100, 1500];

const folder = mkdtempSync(join(tmpdir(), 'sampo-kills-'));
const random = seededRandom(Number(values.seed));
const deadline = Date.now() + 60_000 * Number(values.minutes);

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
}

/** A server of the built sources in a process of its own, that goes on with the jobs it finds. */
async function startServer(queue?: string): Promise<Started> {
  const script = `
    const { startServer } = require(${JSON.stringify(join(ROOT, 'dist/composition.js'))});
    startServer({ stateFolder: ${JSON.stringify(join(folder, 'state'))}, device: 'cpu', roots: [${JSON.stringify(folder)}],
      batchUnitSide: ${UNIT_SIDE}, continueBatches: true, queue: ${JSON.stringify(queue)} })
      .then(({ url, token }) => console.log(JSON.stringify({ url, token })), (error) => { console.error(error); process.exit(1); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const { url, token } = JSON.parse(line) as { url: string; token: string };
    return { child, url, token };
  }
  throw new Error('the server did not start');
}

function startWorker(queue: string): ChildProcess {
  const own = [
    'worker',
    '--queue',
    queue,
    '--root',
    folder,
    '--threads',
    '1',
    '--units',
    '1',
    '--lost-after',
    '2',
  ];
  return spawn(process.execPath, [join(ROOT, 'dist/main.js'), ...own], { stdio: 'ignore' });
}

/** The engine of a process: its child (Linux). */
function engineOf({ pid }: ChildProcess): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((ended) => child.once('exit', ended));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await gone;
  }
}

async function asking<T>({ url, token }: Started, work: (client: RpcClient) => Promise<T>): Promise<T> {
  const client = await RpcClient.connect({ url, token });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function results(out: string): string {
  const files = [...NAMES.map((name) => `${name}.geojson`), 'summary.csv', 'errors.csv'];
  return files.map((file) => readFileSync(join(folder, out, file), 'utf8')).join('\0');
}

async function begin(server: Started, intentId: string, out: string): Promise<string> {
  return asking(server, async (client) => {
    const images = NAMES.map((name) => ({ path: join(folder, `${name}.png`), pixelSizeMicrons: 0.25 }));
    const params = { intentIds: [intentId], images, outputFolder: join(folder, out) };
    return (await client.request('batch/start', params)).job.jobId;
  });
}

const jobOf = (server: Started, jobId: string) =>
  asking(server, async (client) => (await client.request('batch/status', { jobId })).job);

async function teach(server: Started): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const name of NAMES) copyFileSync(join(FIXTURES, `${name}.png`), join(folder, `${name}.png`));
  copyFileSync(join(ROOT, 'models/demo/breast.png'), join(folder, 'breast.png'));
  const { clicks } = JSON.parse(readFileSync(join(ROOT, 'models/demo/clicks.json'), 'utf8')) as {
    clicks: [number, number][];
  };
  return asking(server, async (client) => {
    const { intent } = await client.request('intent/create', { name: 'nuclei', color: [200, 0, 0] });
    const { imageId } = await client.request('image/open', {
      uri: join(folder, 'breast.png'),
      source: 'file',
    });
    const { intentId } = intent;
    const asked = [{ intentId, clicks: clicks.map(([x, y]) => ({ x, y })) }];
    await client.request('segment/prompt', { imageId, intents: asked, extent: { type: 'image' } });
    return intentId;
  });
}

/** Kills until there were enough; each job that comes to its end is compared, and the next one begun. */
async function killing(
  name: string,
  kills: number,
  intentId: string,
  undisturbed: string,
  redis: RedisServer | undefined,
) {
  const counts: Record<string, number> = {
    server: 0,
    engine: 0,
    ...(redis && { worker: 0, "worker's engine": 0 }),
  };
  let [done, jobs, different, failedUnits] = [0, 0, 0, 0];
  let server = await startServer(redis?.url);
  const workers = redis === undefined ? [] : [startWorker(redis.url), startWorker(redis.url)];
  const victims = Object.keys(counts);
  let jobId = await begin(server, intentId, `${name}-0`);
  const seconds = performance.now();
  for (;;) {
    const enough = done >= kills || Date.now() > deadline;
    await wait(enough ? 300 : LEAST_PAUSE + random() * (MOST_PAUSE - LEAST_PAUSE));
    const job = await jobOf(server, jobId);
    if (job.state !== 'running' && job.state !== 'queued') {
      jobs++;
      failedUnits += job.units.failed;
      if (job.state !== 'done' || results(`${name}-${jobs - 1}`) !== undisturbed) {
        different++;
        console.error(`${name}-${jobs - 1}: ${job.state} ${job.message}`);
      }
      if (enough) break;
      jobId = await begin(server, intentId, `${name}-${jobs}`);
      continue;
    }
    if (enough) continue;
    const victim = victims[Math.floor(random() * victims.length)]!;
    const which = Math.floor(random() * 2);
    const engine =
      victim === 'engine'
        ? engineOf(server.child)
        : victim === "worker's engine"
          ? engineOf(workers[which]!)
          : undefined;
    if (victim === 'server') {
      await killed(server.child);
      server = await startServer(redis?.url);
    } else if (victim === 'worker') {
      await killed(workers[which]!);
      workers[which] = startWorker(redis!.url);
    } else if (engine !== undefined) process.kill(engine, 'SIGKILL');
    else continue;
    counts[victim]!++;
    done++;
    if (done % 20 === 0) console.error(`${name}: ${done} kills, ${jobs} jobs, ${different} different`);
  }
  for (const child of [server.child, ...workers]) await killed(child);
  return {
    kills: done,
    of: counts,
    jobs,
    jobsThatDiffer: different,
    failedUnits,
    seconds: Math.round((performance.now() - seconds) / 1000),
  };
}

async function main(): Promise<void> {
  const redis = await RedisServer.start();
  try {
    const server = await startServer();
    const intentId = await teach(server);
    const jobId = await begin(server, intentId, 'undisturbed');
    let job = await jobOf(server, jobId);
    for (; job.state === 'running' || job.state === 'queued'; job = await jobOf(server, jobId))
      await wait(300);
    const undisturbed = results('undisturbed');
    await killed(server.child);
    const oneMachine = await killing('one', Number(values.kills), intentId, undisturbed, undefined);
    const cluster = await killing('cluster', Number(values['kills-cluster']), intentId, undisturbed, redis);
    const record = {
      benchmark: 'batchKills',
      command:
        `node -r ./scripts/swcRegister.cjs bench/batchKills.ts ${process.argv.slice(2).join(' ')}`.trim(),
      ...circumstances(),
      job: { images: NAMES.length, units: job.units.total, objects: job.objects, bytes: undisturbed.length },
      oneMachine,
      throughRedis: { workers: 2, ...cluster },
    };
    console.log(JSON.stringify(record, null, 2));
  } finally {
    await redis.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
