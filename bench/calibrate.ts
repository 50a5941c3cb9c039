// Fits a model's answer calibration on a validation split, and says how it does on images it was not fitted to.
// node -r ./scripts/swcRegister.cjs bench/calibrate.ts --data DIR [--split val] [--model DIR] [--seeds 3] [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawClicks } from '../src/benchmark/clicks';
import { cutFor, f1AtCut, fitCalibration, type CalibrationTrial } from '../src/benchmark/fitCalibration';
import { Judge } from '../src/benchmark/judge';
import { reliabilityOf, type JudgedScore } from '../src/benchmark/reliability';
import { groupBy, mean, round } from '../src/benchmark/report';
import { openTinyPredictor } from '../src/benchmark/tinyPredictor';
import { bundledFolder } from '../src/bundledModels';
import { createEngineClient } from '../src/engine/engineClient';
import { fitStanding } from '../src/segmentation/answering/answerScores';
import { sigmoid } from '../src/segmentation/answering/softLogistic';
import { classesOf, loadEntry, openDataSet } from '../src/services/labelled/dataset';

interface NamedTrial extends CalibrationTrial {
  readonly class: string;
  readonly group: string;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '' },
      split: { type: 'string', default: 'val' },
      model: { type: 'string', default: bundledFolder() },
      seeds: { type: 'string', default: '3' },
      write: { type: 'boolean', default: false },
    },
  });
  const engine = await createEngineClient({ device: 'cpu', log: () => undefined });
  const predictor = await openTinyPredictor(engine, values.model);
  const trials: NamedTrial[] = [];
  for (const entry of openDataSet(values.data, values.split).entries) {
    const image = await loadEntry(entry, predictor.model.micronsPerPixel);
    const prepared = await predictor.prepare(image.image);
    const judge = new Judge(image, prepared);
    const known = judge.classes();
    for (const asked of classesOf(image)) {
      const own = new Set(judge.matches([...prepared.objects.keys()], asked).map(({ object }) => object));
      for (const k of [1, 3, 5, 10])
        for (const negatives of [0, k])
          for (let seed = 0; seed < Number(values.seeds); seed++) {
            const clicks = drawClicks(image, asked, k, negatives, seed);
            if (clicks === undefined) continue;
            const evidence = await prepared.evidence!(clicks);
            const standing = fitStanding(evidence);
            if (standing === undefined) continue;
            const { shown, nuclei, decoder } = evidence;
            const wanted = [...shown].filter(([, label]) => label === 1).map(([i]) => i);
            trials.push({
              image: image.name,
              class: asked,
              group: negatives === 0 ? `${k}` : `${k} + ${k}`,
              clicks: standing.clicks,
              clicked: standing.clicked,
              nuclei: nuclei.flatMap((looks, i) =>
                shown.has(i)
                  ? []
                  : [{ standing: standing.of(looks, decoder[i]!), wanted: own.has(i), known: known.has(i) }],
              ),
              truths: judge.count(asked),
              shownRight: wanted.filter((i) => own.has(i)).length,
              shownWanted: wanted.length,
            });
          }
    }
    await prepared.release();
    process.stderr.write(`${entry.name}: ${prepared.objects.length} nuclei\n`);
  }
  await engine.close();
  const calibration = fitCalibration(trials);
  // Each image by the numbers that the others gave.
  const scored = new Map<string, JudgedScore[]>();
  const f1 = new Map<string, Map<string, number[]>>();
  for (const [name, own] of groupBy(trials, ({ image }) => image)) {
    const { cut, slope } = fitCalibration(trials.filter(({ image }) => image !== name));
    for (const trial of own) {
      const end = cutFor(trial, cut);
      const scores = scored.get(trial.group) ?? [];
      scored.set(trial.group, scores);
      for (const { standing, wanted, known } of trial.nuclei)
        if (known) scores.push({ score: sigmoid(slope * (standing - end)), wanted });
      const byClass = f1.get(trial.group) ?? new Map<string, number[]>();
      f1.set(trial.group, byClass);
      byClass.set(trial.class, [...(byClass.get(trial.class) ?? []), f1AtCut(trial, end)]);
    }
  }
  const { name, version, sha256 } = predictor.model;
  const record = {
    benchmark: 'calibration',
    model: { name, version, encoder: sha256.encoder.slice(0, 12), decoder: sha256.decoder.slice(0, 12) },
    split: values.split,
    trials: trials.length,
    calibration,
    leaveOneImageOut: {
      f1: Object.fromEntries(
        [...f1].map(([group, byClass]) => [group, round(mean([...byClass.values()].map(mean)))]),
      ),
      reliability: reliabilityOf('sampo', scored),
    },
  };
  process.stdout.write(`${JSON.stringify(record, null, 1)}\n`);
  if (!values.write) return;
  const path = join(values.model, 'model.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { postprocess: Record<string, unknown> };
  manifest.postprocess['calibration'] = calibration;
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

void main();
