/**
 * Encoder and decoder of the bundled model in ONNX Runtime on two threads: milliseconds at batch 1, GFLOP, and the peak memory of a
 * process that runs them; each part in a process of its own. `node -r ./scripts/swcRegister.cjs bench/model.ts [--model DIR]
 * [--threads N] > bench/records/model.json`. Budgets: encoder 20 GFLOP and 150 ms. With `--beside FILE` another encoder of the same
 * shapes (int8) takes turns with the first one, and the ratio of their times is told.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { importGraph } from '../src/autodiff/importGraph';
import { decodeModel } from '../src/autodiff/onnxCodec';
import { circumstances, peakResidentBytes, quantile, timed } from './builtServer';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(__dirname, '../models/sampo-tiny') },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '100' },
    beside: { type: 'string' },
    /** Of a process started by this script: measures these files and prints. */
    measure: { type: 'string', multiple: true },
  },
});
const BUDGET = { encoderGflop: 20, encoderMilliseconds: 150 };
const THREADS = Number(values.threads);
const REPEATS = Number(values.repeats);

type Feeds = Record<string, ort.Tensor>;

async function open(path: string): Promise<{ session: ort.InferenceSession; feeds: Feeds }> {
  const session = await ort.InferenceSession.create(path, {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: THREADS,
  });
  const feeds: Feeds = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor) throw new Error(`${input.name} is no tensor`);
    const dims = input.shape.map(Number);
    const size = dims.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    feeds[input.name] = new ort.Tensor('float32', data, dims);
  }
  return { session, feeds };
}

/** Runs the files in turns. */
async function measure(paths: readonly string[]): Promise<void> {
  const opened = [];
  for (const path of paths) opened.push(await open(path));
  const times = opened.map((): number[] => []);
  for (let repeat = 0; repeat < REPEATS + 5; repeat++)
    for (const [i, { session, feeds }] of opened.entries()) {
      const time = await timed(() => session.run(feeds));
      if (repeat >= 5) times[i]!.push(time);
    }
  const rows = times.map((own) => ({ n: own.length, p50: quantile(own, 0.5), p95: quantile(own, 0.95) }));
  process.stdout.write(JSON.stringify({ rows, peakBytes: peakResidentBytes(process.pid) }));
}

function inFreshProcess(...paths: string[]) {
  const args = [
    ...['-r', join(__dirname, '../scripts/swcRegister.cjs'), __filename],
    ...['--threads', values.threads, '--repeats', values.repeats],
    ...paths.flatMap((path) => ['--measure', path]),
  ];
  const { stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(stdout) as { rows: { n: number; p50: number; p95: number }[]; peakBytes: number };
}

/** Multiplications and additions of the convolutions and matrix products, 10⁹, from the static shapes of the graph. */
function gflop(path: string): number {
  const graph = decodeModel(readFileSync(path));
  const { builder } = importGraph(graph);
  const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  let sum = 0;
  for (const { op, inputs, outputs } of builder.nodes) {
    const dims = (value: string | undefined): readonly number[] => builder.dims(value ?? '');
    // Each element of the result is a sum over the second operand's remaining dimensions.
    if (op === 'Conv') sum += size(dims(outputs[0])) * size(dims(inputs[1]).slice(1));
    // Each element of the input is spread over the remaining dimensions of the weights.
    else if (op === 'ConvTranspose') sum += size(dims(inputs[0])) * size(dims(inputs[1]).slice(1));
    else if (op === 'MatMul') sum += size(dims(outputs[0])) * (dims(inputs[0]).at(-1) ?? 1);
    else if (op === 'Gemm')
      sum += (size(dims(inputs[0])) * size(dims(outputs[0]))) / (dims(outputs[0])[0] ?? 1);
  }
  return (2 * sum) / 1e9;
}

async function main(): Promise<void> {
  if (values.measure) return measure(values.measure);
  const [encoder, decoder] = ['encoder.onnx', 'decoder.onnx'].map((name) => join(values.model, name)) as [
    string,
    string,
  ];
  const part = (path: string) => {
    const { rows, peakBytes } = inFreshProcess(path);
    return { milliseconds: rows[0], gflop: gflop(path), peakBytes };
  };
  const beside = values.beside === undefined ? undefined : inFreshProcess(encoder, values.beside).rows;
  const record = {
    benchmark: 'model',
    command: 'node -r ./scripts/swcRegister.cjs bench/model.ts',
    ...circumstances(),
    threads: THREADS,
    budget: BUDGET,
    encoder: part(encoder),
    decoder: part(decoder),
    ...(beside && { otherEncoder: { milliseconds: beside[1], ofTheFirst: beside[1]!.p50 / beside[0]!.p50 } }),
  };
  process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
}

void main();
