import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataSet } from '../services/labelled/dataset';
import { FEEDBACK_METHODS } from '../benchmark/feedbackProduct';
import { runIntentBenchmark, type RobustnessRow } from '../benchmark/intentBenchmark';
import { runNucleiBenchmark, type NucleiReport } from '../benchmark/nucleiBenchmark';
import { METHODS } from '../benchmark/methods';
import { writePng } from '../benchmark/pictureFiles';
import { PERTURBATIONS, type PerturbationKind } from '../benchmark/perturb';
import type { Reliability } from '../benchmark/reliability';
import { alignColumns, formatTable } from '../benchmark/report';
import { drawSheet, SHEET_LEGEND } from '../benchmark/sheet';
import { feedback, FEEDBACK_STEPS } from './benchFeedback';
import {
  list,
  mostImages,
  OPTIONS,
  positive,
  secondsSince,
  withPredictor,
  type Values,
} from './benchOptions';
import { readChoice, readNumber, type NumberKind } from './optionValues';
import { EXIT, UsageError, readOptions, type Command, type Surroundings } from './command';

const HELP = `usage: sampo bench intent --data DIR [options]
       sampo bench nuclei --data DIR [options]

intent: how well a few clicks find all objects of a class. In every image, k centroids of each class with at least
five objects are clicked, and what comes back is scored: a found object is right when its centre lies within 3 µm of
a labelled point, or its IoU with a mask is at least 0.5, each used once. The same input gives the same numbers.

  --data DIR       images/NAME.png with points/NAME.json { mpp, points: [{ x, y, class }] },
                   or with labels/NAME.png (16 bit, one number per object) and
                   labels/NAME.json { mpp, instances: { number: class } }
  --split NAME     only images whose JSON names this split
  --clicks LIST    numbers of clicks (default 1,3,5,10), each alone and with as many negative ones
  --seeds N        draws of clicks per image and class (default 5)
  --methods LIST   of ${Object.keys(METHODS).join(', ')} (default: all;
                   decoder: its own scores, without what the image's other nuclei add)
  --ablate         also the answer without each of its parts
  --ceilings       also what would be with the best threshold for each question, without false nuclei, with perfect typing
  --perturb LIST   also on changed images: ${PERTURBATIONS.join(', ')}
  --sheets DIR     writes a picture sheet per image: clicks, result, truth, errors
  --max-images N   only the first N images
  --out FILE       writes the report as JSON

intent --rounds N: what judging adds. After the clicks (--clicks, one number, default 3), a simulated user judges the
objects that the review offers, the intent is refined, and everything is scored again, N times: on the judged image and
on images of the same set where nobody clicked.

  --judgements N   objects judged in each round (default 10)
  --wrong SHARE    share of the judgements that are wrong (default 0)
  --unseen N       images where nobody clicked, per image, class and seed (default 2)
  --methods LIST   of ${FEEDBACK_METHODS.join(', ')} (default: sampo,pixel-loss); all learn from the judgements
                   that the first one asks for
  --steps N        steps of a refinement (default ${FEEDBACK_STEPS}); repeatable, unlike
  --seconds N      seconds of a refinement

nuclei: Dice, AJI and F1 at IoU 0.5 of all nuclei, whatever their class, beside a classical baseline (colour
deconvolution, Otsu, watershed).

  --data DIR       images/NAME.* with instances/NAME.png (16 bit, one number per object)
  --mpp N          µm per pixel of the images (default 0.5), or unknown: then each image is brought to
                   nuclei of a median width of 15 px
  --names FILE     only the images named there, one per line
  --out FILE       writes the report as JSON

both:
  --model DIR      folder with model.json (default: the one of this package)
  --device NAME    auto, cpu (default), webgpu, cuda, dml or coreml
  --threads N      threads of the engine (default: all cores)
  --over-rpc       (intent) every trial through a server and its protocol, as a viewer would ask

exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted`;

/** `sampo bench` */
export const bench: Command = {
  name: 'bench',
  options: OPTIONS,
  help: HELP,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const [kind = '', ...rest] = positionals;
    const benchmark = new Map([
      ['intent', intent],
      ['nuclei', nuclei],
    ]).get(kind);
    if (benchmark === undefined || rest.length > 0)
      throw new UsageError('say what to measure: intent or nuclei');
    if (values.data === undefined) throw new UsageError('--data is missing');
    const started = Date.now();
    const report = await benchmark({ ...values, data: values.data }, around);
    if (values.out !== undefined) {
      writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
      around.err(`report: ${values.out}\n`);
    }
    around.err(`${secondsSince(started)}\n`);
    return EXIT.ok;
  },
};

async function intent(values: Values, around: Surroundings): Promise<unknown> {
  if (values.rounds !== undefined) return feedback(values, around);
  const clicks = list(values.clicks ?? '1,3,5,10').map((text) => positive('--clicks', text));
  const seeds = positive('--seeds', values.seeds ?? '5');
  const perturb = list(values.perturb ?? '').map(perturbation);
  const all = openDataSet(values.data, values.split);
  const data = { ...all, entries: all.entries.slice(0, mostImages(values)) };
  const { sheets } = values;
  if (sheets !== undefined) mkdirSync(sheets, { recursive: true });
  return withPredictor(values, around, async (predictor) => {
    const { scoreThreshold } = predictor.model;
    const started = Date.now();
    const report = await runIntentBenchmark(predictor, {
      data,
      ...(values.split === undefined ? {} : { split: values.split }),
      clicks,
      seeds,
      methods: list(values.methods ?? defaultMethods(values)),
      perturb,
      ablate: values.ablate === true,
      ceilings: values.ceilings === true,
      signal: around.signal,
      onImage: ({ name, index, count, objects }) =>
        around.err(`image ${index + 1} of ${count}: ${name}, ${objects} nuclei, ${secondsSince(started)}\n`),
      visit: async (image, prepared, judge) => {
        if (sheets === undefined) return;
        const sheet = await drawSheet(image, prepared, judge, { clicks: 5, negatives: 0, scoreThreshold });
        if (sheet !== undefined) await writePng(join(sheets, `${image.name}.png`), sheet);
      },
    });
    around.out(formatTable(report.rows));
    if (report.reliability.length > 0) around.out(`\n${reliabilityTable(report.reliability)}`);
    if (report.robustness !== undefined) around.out(`\n${robustnessTable(report.robustness)}`);
    for (const note of report.notes) around.out(`left out: ${note}\n`);
    if (sheets !== undefined) around.err(`sheets of 5 clicks: ${sheets}\n  ${SHEET_LEGEND}\n`);
    return report;
  });
}

/** µm per px of a set. */
const PIXEL_SIZE: NumberKind = { takes: 'a number above 0, or unknown', fits: (value) => value > 0 };

async function nuclei(values: Values, around: Surroundings): Promise<NucleiReport> {
  const { mpp = '0.5' } = values;
  const micronsPerPixel = mpp === 'unknown' ? undefined : readNumber('--mpp', mpp, PIXEL_SIZE);
  const names =
    values.names === undefined
      ? undefined
      : new Set(readFileSync(values.names, 'utf8').split(/\r?\n/).filter(Boolean));
  return withPredictor(values, around, async (predictor) => {
    const report = await runNucleiBenchmark(predictor, {
      folder: values.data,
      micronsPerPixel,
      ...(names === undefined ? {} : { names }),
      signal: around.signal,
      onImage: ({ name, index, count }) => around.err(`image ${index + 1} of ${count}: ${name}\n`),
    });
    const cells = report.rows.map(({ method, dice, aji, f1, precision, recall }) => [
      method,
      ...[dice, aji, f1, precision, recall].map((value) => value?.toFixed(3) ?? '-'),
    ]);
    around.out(`${alignColumns([['', 'Dice', 'AJI', 'F1', 'precision', 'recall'], ...cells])}\n`);
    return report;
  });
}

/** A server answers as the product does: it has no decoder's scores to tell. */
function defaultMethods(values: Values): string {
  return Object.keys(METHODS)
    .filter((name) => name !== 'decoder' || values['over-rpc'] !== true)
    .join(',');
}

function reliabilityTable(rows: readonly Reliability[]): string {
  const lines = rows.map(({ method, ece, bins }) => {
    const parts = bins.map(({ score, share }) => `${score.toFixed(2)}: ${share.toFixed(2)}`);
    return `  ${method}: calibration error ${ece.toFixed(3)}; ${parts.join(', ')}\n`;
  });
  return `score: share of labelled nuclei that are of the class\n${lines.join('')}`;
}

function robustnessTable(rows: readonly RobustnessRow[]): string {
  const lines = rows.map(({ perturb, method, clicks, negatives, unchanged, variants, spread }) => {
    const title = `${perturb}, ${method}, ${clicks}${negatives > 0 ? ` + ${negatives}` : ''} clicks`;
    const parts = Object.entries(variants).map(([name, f1]) => `${name}: ${f1.toFixed(3)}`);
    return `  ${title}: unchanged ${unchanged.toFixed(3)}; ${parts.join(', ')}; spread ${spread.toFixed(3)}\n`;
  });
  return `F1, mean over classes, on changed images\n${lines.join('')}`;
}

function perturbation(text: string): PerturbationKind {
  return readChoice('--perturb', text, PERTURBATIONS);
}
