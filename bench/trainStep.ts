/**
 * `node -r ./scripts/swcRegister.cjs bench/trainStep.ts --python PYTHON [--steps N] [--record FILE]` writes bench/records/trainStep.json: one train step (forward, loss, gradients,
 * AdamW) of sampo-tiny's decoder and of a SAM-size decoder, here and in PyTorch: same network, loss, inputs and threads, interleaved
 * step by step. Also the gradients against PyTorch in float64, and the time to build and load the graph.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { decodeModel, encodeModel } from '../src/autodiff/onnxCodec';
import { ADAMW_DEFAULTS, adamWStep, type AdamWState } from '../src/autodiff/optimizers';
import { buildTrainingGraph, gradientName } from '../src/autodiff/trainingGraph';
import { sampoObjective } from '../src/sampo/objective';
import { isTrainable } from '../src/sampo/trainableSets';

const OBJECTIVE = { beta: 2, lambdaDpo: 1, lambdaRank: 0.5, lambdaSegment: 1, lambdaScore: 0.5 };
const PAIRS = 4;
const THREADS = Number(process.env['THREADS'] ?? 2);

interface Stored {
  readonly name: string;
  readonly dims: number[];
  readonly data: Float32Array;
}

function stored(folder: string): Stored[] {
  const rows = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
    name: string;
    dims: number[];
    file: string;
  }[];
  return rows.map(({ name, dims, file }) => {
    const bytes = Uint8Array.from(readFileSync(join(folder, file)));
    return { name, dims, data: new Float32Array(bytes.buffer) };
  });
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** PyTorch in a process of its own: `step()` runs one step there. */
async function torchSide(python: string, model: string, out: string) {
  const script = join(__dirname, '..', 'training', 'golden', 'train_step.py');
  const args = [script, '--model', model, '--out', out, '--threads', String(THREADS)];
  const child = spawn(python, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: String(THREADS), KMP_BLOCKTIME: '0', OMP_WAIT_POLICY: 'PASSIVE' },
  });
  const lines: AsyncIterator<string> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string[]> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('PyTorch ended early');
    return line.value.split(' ');
  };
  const [, parameters = '', version = ''] = await next();
  return {
    parameters: Number(parameters),
    version,
    async step(): Promise<{ ms: number; cpu: number; loss: number }> {
      child.stdin.write('step\n');
      const [ms = '', cpu = '', loss = ''] = await next();
      return { ms: Number(ms), cpu: Number(cpu), loss: Number(loss) };
    },
    close: () => child.stdin.end(),
  };
}

async function measure(python: string, name: string, steps: number) {
  const out = mkdtempSync(join(tmpdir(), 'train-step-'));
  const torch = await torchSide(python, name, out);
  const feeds: Record<string, ort.Tensor> = Object.fromEntries(
    stored(join(out, 'feeds')).map(({ name: key, dims, data }) => [
      key,
      new ort.Tensor('float32', data, dims),
    ]),
  );
  const bytes = readFileSync(join(out, 'model.onnx'));
  const buildStart = performance.now();
  const training = buildTrainingGraph(decodeModel(bytes), {
    isParameter: isTrainable('decoder'),
    loss: sampoObjective(OBJECTIVE, { masks: 'masks', scores: 'iou_predictions' }, PAIRS),
  });
  const model = encodeModel(training.graph);
  const buildMs = performance.now() - buildStart;
  const loadStart = performance.now();
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'extended',
    intraOpNumThreads: THREADS,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const loadMs = performance.now() - loadStart;

  const parameters = [...training.parameters].map(([key, { dims, data }]) => ({
    key,
    dims: [...dims],
    value: Float32Array.from(data as Float32Array),
  }));
  for (const { key, dims, value } of parameters) feeds[key] = new ort.Tensor('float32', value, dims);
  const state: AdamWState = new Map();
  const settings = { ...ADAMW_DEFAULTS, learningRate: 1e-4 };
  const step = async (): Promise<{
    ms: number;
    cpu: number;
    graphMs: number;
    loss: number;
    results: ort.InferenceSession.ReturnType;
  }> => {
    const start = performance.now();
    const used = process.cpuUsage();
    const results = await session.run(feeds);
    const graphMs = performance.now() - start;
    const updates = parameters.flatMap(({ key, dims, value }) => {
      const gradient = results[gradientName(key)]?.data as Float32Array | undefined;
      return gradient ? [{ name: key, value, gradient, decays: dims.length > 1 }] : [];
    });
    adamWStep(updates, state, settings);
    const { user, system } = process.cpuUsage(used);
    return {
      ms: performance.now() - start,
      cpu: (user + system) / 1000,
      graphMs,
      loss: Number(results['loss']!.data[0]),
      results,
    };
  };

  const ours: number[] = [];
  const graphs: number[] = [];
  const theirs: number[] = [];
  const cpu: [number, number][] = [];
  const losses: [number, number][] = [];
  let worst = 0;
  let compared = 0;
  for (let i = 0; i < steps + 3; i++) {
    const a = await step();
    await pause(100);
    const b = await torch.step();
    await pause(100);
    losses.push([a.loss, b.loss]);
    if (i === 0) {
      const golden = stored(join(out, 'gradients'));
      const largest = Math.max(...golden.map(({ data }) => norm(data)));
      for (const { name: key, data } of golden) {
        const got = a.results[gradientName(key)]?.data as Float32Array | undefined;
        if (norm(data) < 1e-9 * largest || got === undefined) continue;
        compared++;
        worst = Math.max(worst, norm(data.map((v, at) => v - got[at]!)) / norm(data));
      }
    }
    if (i < 3) continue;
    ours.push(a.ms);
    graphs.push(a.graphMs);
    theirs.push(b.ms);
    cpu.push([a.cpu, b.cpu]);
  }
  torch.close();
  await session.release();
  rmSync(out, { recursive: true });
  return {
    network: name === 'sam' ? 'SAM mask decoder, random weights' : "sampo-tiny's decoder, random weights",
    parameters: torch.parameters,
    nodes: training.graph.nodes.length,
    steps,
    msPerStep: { here: median(ours), hereGraphOnly: median(graphs), pytorch: median(theirs) },
    ratioOfMedians: median(ours) / median(theirs),
    cpuMsPerStep: { here: median(cpu.map(([a]) => a)), pytorch: median(cpu.map(([, b]) => b)) },
    medianOfRatios: median(ours.map((ms, i) => ms / theirs[i]!)),
    buildGraphMs: buildMs,
    loadSessionMs: loadMs,
    largestGradientError: worst,
    tensorsCompared: compared,
    largestLossDifference: Math.max(...losses.map(([a, b]) => Math.abs(a - b))),
    residentMB: Math.round(process.memoryUsage().rss / 2 ** 20),
    pytorch: torch.version,
  };
}

async function main(): Promise<void> {
  const load = loadavg()[0]!;
  const { values } = parseArgs({
    options: {
      python: { type: 'string', default: 'python3' },
      steps: { type: 'string', default: '15' },
      record: { type: 'string', default: join(__dirname, 'records', 'trainStep.json') },
      models: { type: 'string', default: 'sampo,sam' },
    },
  });
  const rows = [];
  for (const name of values.models.split(','))
    rows.push(await measure(values.python, name, Number(values.steps)));
  const record = {
    what: 'one train step: forward, hybrid loss, gradients of all parameters, AdamW; batch 1; interleaved step by step',
    threads: THREADS,
    processors: availableParallelism(),
    loadAverageAtStart: load,
    note:
      load > 0.5
        ? 'Other work ran on the machine: read the ratios, not the milliseconds.'
        : 'Nothing else ran on the machine.',
    rows,
  };
  console.log(JSON.stringify(record, null, 2));
  if (values.record) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
}

void main();
