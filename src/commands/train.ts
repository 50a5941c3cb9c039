import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openDataSet } from '../services/labelled/dataset';
import { trainWhole } from '../services/training/wholeTraining';
import { modelFolder, positive, withEngine } from './benchOptions';
import { EXIT, UsageError, readOptions, type Command } from './command';
import { readChoice, readNumber, type NumberKind } from './optionValues';
import { ProgressBar } from './progressBar';

const OPTIONS = {
  data: { type: 'string' },
  out: { type: 'string' },
  split: { type: 'string' },
  fraction: { type: 'string' },
  objective: { type: 'string' },
  seed: { type: 'string' },
  steps: { type: 'string' },
  seconds: { type: 'string' },
  model: { type: 'string' },
  device: { type: 'string' },
  threads: { type: 'string' },
} as const;

/** What the fraction of the images may be. */
const FRACTION: NumberKind = { takes: 'a share above 0, up to 1', fits: (value) => value > 0 && value <= 1 };

/** `sampo train` */
export const train: Command = {
  name: 'train',
  options: OPTIONS,
  help: `usage: sampo train --data DIR --out DIR [options]

Tunes the decoder for all classes of a labelled data set (the layout of sampo bench intent), with the objective of
sampo refine. Writes a model folder, which sampo bench intent --model DIR measures. Started again with the same options,
a run that was interrupted goes on from where it was last saved.

  --data DIR        images/NAME.png with points/NAME.json or labels/NAME.png + labels/NAME.json
  --out DIR         folder of the tuned model; train.json there tells how it went
  --split NAME      only images whose JSON names this split
  --fraction SHARE  share of the images to use, above 0 to 1 (default 1); one in ten of them is kept back as a check
  --objective NAME  sampo (default) or pixel-loss
  --seed N          seed of the choice of images and of the order (default 1)
  --steps N         steps (default 1000)
  --seconds N       time at most
  --model DIR       folder with model.json (default: the one of this package)
  --device NAME     auto, cpu (default), webgpu, cuda, dml or coreml
  --threads N       threads of the engine (default: all cores)

exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted (what was last saved is kept)`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const { data, out, fraction: text = '1' } = values;
    const objective = readChoice('--objective', values.objective ?? 'sampo', ['sampo', 'pixel-loss']);
    if (positionals.length > 0) throw new UsageError(`train takes no argument "${positionals[0]}"`);
    if (data === undefined || out === undefined) throw new UsageError('--data and --out are needed');
    const fraction = readNumber('--fraction', text, FRACTION);
    const folder = resolve(out);
    if (folder === resolve(modelFolder({ ...values, data })))
      throw new UsageError('--out must not be the folder of the model itself');
    const report = await withEngine({ ...values, data }, around, async (engine) => {
      const bar = new ProgressBar(around, 'train');
      return trainWhole(engine, modelFolder({ ...values, data }), {
        data: openDataSet(data, values.split),
        fraction,
        objective,
        seed: positive('--seed', values.seed ?? '1'),
        steps: positive('--steps', values.steps ?? '1000'),
        seconds: values.seconds === undefined ? Infinity : positive('--seconds', values.seconds),
        saveEvery: 100,
        out: folder,
        signal: around.signal,
        onStep: ({ step, percentage, metrics }) =>
          bar.report({ percentage, message: `step ${step}, loss ${(metrics['loss'] ?? 0).toFixed(3)}` }),
      }).finally(() => bar.end());
    });
    writeFileSync(
      join(folder, 'train.json'),
      `${JSON.stringify({ objective, fraction, ...report }, null, 2)}\n`,
    );
    const percent = (value: number): string => `${Math.round(100 * value)} %`;
    const { images, steps, seconds, heldOutImages, holdOutBefore, holdOutAfter } = report;
    around.out(
      `${steps} steps on ${images} images, ${seconds.toFixed(1)} s; nuclei of ${heldOutImages} images kept back: ${percent(holdOutBefore.accuracy)} right before, ${percent(holdOutAfter.accuracy)} after: ${folder}\n`,
    );
    return EXIT.ok;
  },
};
