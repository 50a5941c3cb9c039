import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../composition';
import { createEngineClient } from '../engine/engineClient';
import type { Engine } from '../engine/engine';
import { openDataSet } from '../services/benchmark/dataset';
import { runIntentBenchmark } from '../services/benchmark/intentBenchmark';
import { METHODS } from '../services/benchmark/methods';
import { PERTURBATIONS, type PerturbationKind } from '../services/benchmark/perturb';
import { alignColumns, formatTable } from '../services/benchmark/report';
import { openTinyPredictor } from '../services/benchmark/tinyPredictor';
import { EXIT, UsageError, readOptions, type Command, type Surroundings } from './command';

const HELP = `usage: sampo bench intent --data DIR [options]

intent: how well a few clicks find all objects of a class. In every image, k centroids of each class with at least
five objects are clicked, and what comes back is scored: a found object is right when its centre lies within 3 µm of
a labelled point, or its IoU with a mask is at least 0.5, each used once. The same input gives the same numbers.

  --data DIR       images/NAME.png with points/NAME.json { mpp, points: [{ x, y, class }] },
                   or with labels/NAME.png (16 bit, one number per object) and
                   labels/NAME.json { mpp, instances: { number: class } }
  --split NAME     only images whose JSON names this split
  --clicks LIST    numbers of clicks (default 1,3,5,10), each alone and with as many negative ones
  --seeds N        draws of clicks per image and class (default 5)
  --methods LIST   of ${Object.keys(METHODS).join(', ')} (default: all), pixel-loss
  --perturb LIST   also on changed images: ${PERTURBATIONS.join(', ')}
  --out FILE       writes the report as JSON
  --model DIR      folder with model.json (default: the one of this package)
  --device NAME    auto, cpu (default), webgpu, cuda, dml or coreml
  --threads N      threads of the engine (default: all cores)

exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted`;

/** `sampo bench` */
export const bench: Command = {
  name: 'bench',
  summary: 'measure the model on labelled images',
  help: HELP,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, {
      data: { type: 'string' },
      split: { type: 'string' },
      clicks: { type: 'string' },
      seeds: { type: 'string' },
      methods: { type: 'string' },
      perturb: { type: 'string' },
      out: { type: 'string' },
      model: { type: 'string' },
      device: { type: 'string' },
      threads: { type: 'string' },
    });
    const [kind, ...rest] = positionals;
    if (kind !== 'intent' || rest.length > 0) throw new UsageError('say what to measure: intent');
    if (values.data === undefined) throw new UsageError('--data is missing');
    const clicks = list(values.clicks ?? '1,3,5,10').map((text) => positive('--clicks', text));
    const seeds = positive('--seeds', values.seeds ?? '5');
    const perturb = list(values.perturb ?? '').map(perturbation);
    const data = openDataSet(values.data, values.split);
    const folder = values.model ?? join(PACKAGE_ROOT, 'models', 'sampo-tiny');
    return withEngine(values, around, async (engine) => {
      const predictor = await openTinyPredictor(engine, folder);
      const { name, version, sha256 } = predictor.model;
      around.err(
        `${data.entries.length} images, model ${name} ${version} (decoder ${sha256.decoder.slice(0, 12)})\n`,
      );
      const started = Date.now();
      const report = await runIntentBenchmark(predictor, {
        data,
        ...(values.split === undefined ? {} : { split: values.split }),
        clicks,
        seeds,
        methods: list(values.methods ?? Object.keys(METHODS).join(',')),
        perturb,
        signal: around.signal,
        onImage: ({ name: image, index, count, objects }) =>
          around.err(`image ${index + 1} of ${count}: ${image}, ${objects} nuclei, ${seconds(started)}\n`),
      });
      around.out(formatTable(report.rows));
      for (const row of report.robustness ?? [])
        around.out(
          `${alignColumns([[`${row.perturb}, ${row.method}, k = ${row.clicks}${row.negatives > 0 ? ` + ${row.negatives}` : ''}`, `unchanged ${row.unchanged.toFixed(3)}`, ...Object.entries(row.variants).map(([variant, f1]) => `${variant} ${f1.toFixed(3)}`), `spread ${row.spread.toFixed(3)}`]])}\n`,
        );
      for (const note of report.notes) around.out(`left out: ${note}\n`);
      writeReport(values.out, report, around);
      around.err(`${seconds(started)}\n`);
      return EXIT.ok;
    });
  },
};

async function withEngine(
  values: { readonly device?: string | undefined; readonly threads?: string | undefined },
  around: Surroundings,
  work: (engine: Engine) => Promise<number>,
): Promise<number> {
  const engine = await createEngineClient({
    device: values.device ?? 'cpu',
    ...(values.threads === undefined ? {} : { threads: positive('--threads', values.threads) }),
    log: (line) => around.err(`${line.trimEnd()}\n`),
  });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

function writeReport(path: string | undefined, report: unknown, around: Surroundings): void {
  if (path === undefined) return;
  writeFileSync(path, `${JSON.stringify(report, null, 1)}\n`);
  around.err(`report: ${path}\n`);
}

function list(text: string): string[] {
  return text.split(',').flatMap((part) => part.trim() || []);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${option} takes whole numbers above 0, not "${text}"`);
}

function perturbation(text: string): PerturbationKind {
  const kind = PERTURBATIONS.find((one) => one === text);
  if (kind === undefined) throw new UsageError(`--perturb takes ${PERTURBATIONS.join(', ')}, not "${text}"`);
  return kind;
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
