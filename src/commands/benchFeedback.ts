import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataSet } from '../services/labelled/dataset';
import { openFeedbackProduct } from '../benchmark/feedbackProduct';
import { formatFeedback, type FeedbackReport } from '../benchmark/feedbackReport';
import { runFeedbackBenchmark } from '../benchmark/feedbackRounds';
import {
  list,
  modelFolder,
  mostImages,
  nameModel,
  positive,
  secondsSince,
  withEngine,
  type Values,
} from './benchOptions';
import type { Surroundings } from './command';
import { readNumber, type NumberKind } from './optionValues';

/** Share of the judgements that are wrong. */
const WRONG: NumberKind = { takes: 'a share from 0, below 1', fits: (value) => value >= 0 && value < 1 };
/** Steps of a refinement: about what five seconds buy on two cores. */
export const FEEDBACK_STEPS = 60;

/** `sampo bench intent --rounds N`. @throws UsageError, and what the benchmark throws */
export async function feedback(values: Values, around: Surroundings): Promise<FeedbackReport> {
  const given = (name: 'rounds' | 'clicks' | 'seeds' | 'judgements' | 'unseen', otherwise: string): number =>
    positive(`--${name}`, values[name] ?? otherwise);
  const wrong = readNumber('--wrong', values.wrong ?? '0', WRONG);
  const options = {
    data: openDataSet(values.data, values.split),
    ...(values.split === undefined ? {} : { split: values.split }),
    clicks: given('clicks', '3'),
    seeds: given('seeds', '5'),
    rounds: given('rounds', '3'),
    judgements: given('judgements', '10'),
    unseen: given('unseen', '2'),
    wrong,
    methods: list(values.methods ?? 'sampo,pixel-loss'),
    ...(values['max-images'] === undefined ? {} : { maxImages: mostImages(values)! }),
  };
  const seconds = values.seconds === undefined ? undefined : positive('--seconds', values.seconds);
  const steps = positive(
    '--steps',
    values.steps ?? (seconds === undefined ? String(FEEDBACK_STEPS) : '100000'),
  );
  const effort = { steps, seconds: seconds ?? Infinity };
  const state = mkdtempSync(join(tmpdir(), 'sampo-bench-'));
  try {
    return await withEngine(values, around, async (engine) => {
      const product = await openFeedbackProduct(engine, modelFolder(values), state, effort);
      try {
        nameModel(product.model, around);
        const started = Date.now();
        const report = await runFeedbackBenchmark(product, {
          ...options,
          signal: around.signal,
          onTrial: ({ index, image, class: asked, seed, rounds }) => {
            const f1 = options.methods.map((method) => {
              const course = (where: string): string =>
                Array.from({ length: options.rounds + 1 }, (_, round) => {
                  const own = rounds.filter(
                    (one) => one.method === method && one.where === where && one.round === round,
                  );
                  const sum = own.reduce((total, { score }) => total + score.f1, 0);
                  return own.length === 0 ? '-' : (sum / own.length).toFixed(2);
                }).join(' ');
              return `${method} ${course('same')} | ${course('unseen')}`;
            });
            around.err(
              `${index}: ${image}, ${asked}, seed ${seed}: ${f1.join('; ')}; ${secondsSince(started)}\n`,
            );
          },
        });
        around.out(formatFeedback(report));
        return { ...report, configuration: { ...report.configuration, steps, seconds: seconds ?? null } };
      } finally {
        await product.close();
      }
    });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
