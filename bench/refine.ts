/**
 * `node -r ./scripts/swcRegister.cjs bench/refine.ts [--runs 5] [--record FILE]`, into bench/records/refine.json: Refine as a user feels it. Clicks on the bundled
 * tile, ten judgements, then training/start with its defaults: time from the request to the new objects on the connection; what an
 * interactive search waits meanwhile; memory of server and engine. Each run is a new intent on one server.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RpcClient } from '../src/commands/rpcClient';
import { startServer } from '../src/composition';
import { PACKAGE_ROOT } from '../src/packageFiles';
import { outlineCentroid } from '../src/segmentation/geometry';
import { readGeometry } from '../src/segmentation/features';

const JUDGEMENTS = 10;
const DEMO = join(PACKAGE_ROOT, 'models', 'demo');
const read = <T>(name: string): T => JSON.parse(readFileSync(join(DEMO, name), 'utf8')) as T;

async function once(client: RpcClient, imageId: string, watch: () => Promise<void>) {
  const { clicks } = read<{ clicks: [number, number][] }>('clicks.json');
  const { points } = read<{ points: { x: number; y: number; class: string }[] }>('points.json');
  const { intent } = await client.request('intent/create', { name: 'Lymphocyte' });
  const { intentId } = intent;
  const { resultId } = await client.request('segment/prompt', {
    imageId,
    intents: [{ intentId, clicks: clicks.map(([x, y]) => ({ x, y })) }],
    extent: { type: 'image' },
  });
  const { objects } = await client.request('review/next', { resultId, intentId, count: JUDGEMENTS });
  const judgements = objects.map(({ id, geometry }) => {
    const at = outlineCentroid(readGeometry(geometry));
    const own = points.find(({ x, y }) => Math.hypot(x + 0.5 - at.x, y + 0.5 - at.y) <= 6);
    return {
      kind: own?.class === 'lymphocyte' ? ('accept' as const) : ('reject' as const),
      objectId: String(id),
    };
  });
  await client.request('preference/submit', { intentId, imageId, judgements });
  let published: number | undefined;
  const start = performance.now();
  client.on('objects/publish', () => (published ??= performance.now() - start));
  const waits: number[] = [];
  let running = true;
  const other = (async () => {
    while (running) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (!running) return;
      const asked = performance.now();
      await client.request('segment/prompt', {
        imageId,
        intents: [{ intentId }],
        extent: { type: 'rectangle', x: 100, y: 100, width: 64, height: 64 },
      });
      waits.push(performance.now() - asked);
      await watch();
    }
  })();
  const outcome = await client.request('training/start', { intentId, resultIds: [resultId] });
  const seconds = (performance.now() - start) / 1000;
  running = false;
  await other;
  const { steps = 0 } = outcome.metrics as { steps?: number };
  await client.request('intent/delete', { intentId });
  return {
    secondsToAnswer: seconds,
    secondsToObjects: published === undefined ? null : published / 1000,
    steps,
    activated: outcome.activated,
    interactiveMs: waits,
  };
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!;
const round = (value: number): number => Math.round(value * 100) / 100;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      record: { type: 'string', default: join(__dirname, 'records', 'refine.json') },
    },
  });
  const load = loadavg()[0]!;
  const state = mkdtempSync(join(tmpdir(), 'refine-bench-'));
  const server = await startServer({ stateFolder: state, device: 'cpu', roots: [DEMO] });
  const client = await RpcClient.connect(server);
  try {
    let peak = { server: 0, engine: 0 };
    const watch = async (): Promise<void> => {
      const { engine } = await client.request('server/status', {});
      peak = {
        server: Math.max(peak.server, process.memoryUsage().rss),
        engine: Math.max(peak.engine, engine.rssBytes),
      };
    };
    const { imageId } = await client.request('image/open', { uri: join(DEMO, 'breast.png'), source: 'file' });
    const runs = [];
    for (let i = 0; i < Number(values.runs); i++) {
      runs.push(await once(client, imageId, watch));
      await watch();
    }
    const waits = runs.flatMap(({ interactiveMs }) => interactiveMs);
    const record = {
      what: `Refine with its defaults after ${JUDGEMENTS} judgements on the bundled tile, over a connection`,
      command: 'node -r ./scripts/swcRegister.cjs bench/refine.ts',
      processor: cpus()[0]?.model ?? 'unknown',
      processors: availableParallelism(),
      node: process.version,
      loadAverageAtStart: load,
      runs: runs.length,
      secondsToAnswer: {
        p50: round(
          quantile(
            runs.map((one) => one.secondsToAnswer),
            0.5,
          ),
        ),
        max: round(Math.max(...runs.map((one) => one.secondsToAnswer))),
      },
      secondsToObjects: runs.map(({ secondsToObjects }) =>
        secondsToObjects === null ? null : round(secondsToObjects),
      ),
      steps: runs.map(({ steps }) => steps),
      activated: runs.filter(({ activated }) => activated).length,
      interactiveMs: {
        what: 'a search of one tile while training',
        count: waits.length,
        p50: round(quantile(waits, 0.5)),
        p95: round(quantile(waits, 0.95)),
        max: round(Math.max(...waits)),
      },
      peakMB: { server: Math.round(peak.server / 2 ** 20), engine: Math.round(peak.engine / 2 ** 20) },
    };
    console.log(JSON.stringify(record, null, 2));
    if (values.record) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
  } finally {
    await client.close();
    await server.close();
    rmSync(state, { recursive: true, force: true });
  }
}

void main();
