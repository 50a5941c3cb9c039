/**
 * `node -r ./scripts/swcRegister.cjs bench/paper.ts --data BRCA_M2C [--minutes 10] [--split test] [--images 5] [--record FILE]`, into
 * bench/records/paper.json: the paper's experiment in small. The bundled decoder is tuned on the train split by SAMPO on 10 % of its
 * images, by the pixel loss on 10 % and on 100 %, three seeds each, for the same time each, and asked with sparse prompts on a split
 * it has not seen. The bundled model itself has seen the train split already: this compares objectives, not labels from nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../src/packageFiles';
import type { Engine } from '../src/engine/engine';
import { createEngineClient } from '../src/engine/engineClient';
import { openDataSet, type DataSet } from '../src/services/labelled/dataset';
import { runIntentBenchmark } from '../src/benchmark/intentBenchmark';
import { deviation, mean, round } from '../src/benchmark/report';
import { openTinyPredictor } from '../src/benchmark/tinyPredictor';
import { trainWhole } from '../src/services/training/wholeTraining';

const ARMS = [
  { objective: 'sampo', fraction: 0.1 },
  { objective: 'pixel-loss', fraction: 0.1 },
  { objective: 'pixel-loss', fraction: 1 },
] as const;
const SEEDS = [1, 2, 3];
const CLICKS = [1, 3, 5];
/** Share of the time that goes into training steps; the rest reads images and measures. */
const TRAINING = 0.3;
const MODEL = join(PACKAGE_ROOT, 'models', 'sampo-tiny');

async function withEngine<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await createEngineClient({ device: 'cpu' });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** F1 by number of clicks, positive ones alone and with as many negative ones; mean over classes. */
async function measure(folder: string, data: DataSet): Promise<Map<string, number>> {
  const { rows } = await withEngine(async (engine) =>
    runIntentBenchmark(await openTinyPredictor(engine, folder), {
      data,
      clicks: CLICKS,
      seeds: 1,
      methods: ['sampo'],
    }),
  );
  return new Map(
    rows
      .filter((row) => row.class === 'mean')
      .map((row) => [row.negatives > 0 ? `${row.clicks} + ${row.negatives}` : `${row.clicks}`, row.f1]),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      split: { type: 'string', default: 'test' },
      images: { type: 'string', default: '5' },
      record: { type: 'string', default: join(__dirname, 'records', 'paper.json') },
    },
  });
  if (values.data === undefined) throw new Error('--data is missing');
  const load = loadavg()[0]!;
  const train = openDataSet(values.data, 'train');
  const all = openDataSet(values.data, values.split);
  const data = { ...all, entries: all.entries.slice(0, Number(values.images)) };
  const seconds = (60 * Number(values.minutes) * TRAINING) / (ARMS.length * SEEDS.length);
  const start = await measure(MODEL, data);
  console.error('before any tuning', Object.fromEntries(start));
  const arms = [];
  for (const { objective, fraction } of ARMS) {
    const runs: { seed: number; steps: number; images: number; f1: Map<string, number> }[] = [];
    for (const seed of SEEDS) {
      const out = mkdtempSync(join(tmpdir(), 'sampo-paper-'));
      try {
        const { steps, images } = await withEngine((engine) =>
          trainWhole(engine, MODEL, {
            data: train,
            fraction,
            objective,
            seed,
            steps: 1_000_000,
            seconds,
            saveEvery: 1_000_000,
            out,
          }),
        );
        const f1 = await measure(out, data);
        runs.push({ seed, steps, images, f1 });
        console.error(objective, fraction, 'seed', seed, steps, 'steps', Object.fromEntries(f1));
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    }
    const rows = [...start.keys()].map((clicks) => {
      const found = runs.map(({ f1 }) => f1.get(clicks)!);
      return {
        clicks,
        f1: round(mean(found)),
        f1Sd: round(deviation(found) ?? 0),
        before: start.get(clicks)!,
      };
    });
    arms.push({ objective, fraction, images: runs[0]!.images, steps: runs.map(({ steps }) => steps), rows });
  }
  const record = {
    what: 'SAMPO on 10 % of the labels against the pixel loss on 10 % and 100 %, tuned from the bundled model for the same time; F1, mean over classes',
    command: `node -r ./scripts/swcRegister.cjs bench/paper.ts --data BRCA_M2C --minutes ${values.minutes} --split ${values.split} --images ${values.images}`,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    loadAverageAtStart: load,
    images: data.entries.length,
    split: values.split,
    secondsPerTraining: round(seconds),
    arms,
  };
  console.log(JSON.stringify(record, null, 2));
  if (values.record) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
}

void main();
