import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeModel } from '../../src/autodiff/onnxCodec';
import { adamWStep, type AdamWState } from '../../src/autodiff/optimizers';
import { buildForwardGraph, buildTrainingGraph } from '../../src/autodiff/trainingGraph';
import { judgedPixels, verdictDirections } from '../../src/sampo/judgedPixels';
import { lossFeeds, marginMetrics } from '../../src/sampo/lossFeeds';
import {
  headLogits,
  mineInterPrompt,
  mineIntraPrompt,
  rateAnswer,
  strongestPairs,
  type Answer,
  type PreferencePair,
} from '../../src/sampo/mining';
import { sampoObjective } from '../../src/sampo/objective';
import { synthesizePrompts, type SynthesizedPrompt } from '../../src/sampo/promptSynthesis';
import { normal, seededRandom } from '../../src/sampo/random';
import { PIXEL_LOSS_DEFAULTS, SAMPO_DEFAULTS, type RefineSettings } from '../../src/sampo/settings';
import { isTrainable } from '../../src/sampo/trainableSets';
import { float32Tensor, type Tensor } from '../../src/tensor';
import { load } from '../autodiff/runtime';

// A decoder as somebody else would export it (SAM's architecture, opset 17, random weights): embedding [1, 16, 8, 8] of a
// 128 px tile, masks [1, 4, 32, 32].
const model = decodeModel(readFileSync(join(__dirname, '../fixtures/autodiff/samDecoder.onnx')));
const SLOTS = 6;
/** Higher than the default: sixteen channels of random weights have far to go. */
const LEARNING_RATE = 1e-2;
const OUTPUTS = { masks: 'masks', scores: 'iou_predictions' };

/** A tile of 16 objects, one embedding cell (16 px, 4 x 4 mask pixels) each, of two kinds that differ in the embedding. */
function tile() {
  const random = seededRandom(9);
  const kinds = [0, 1].map(() => Float32Array.from({ length: 16 }, () => normal(random) * 1.5));
  const embedding = Float32Array.from({ length: 16 * 64 }, () => normal(random) * 0.3);
  const labels = new Int32Array(32 * 32);
  const objects = Array.from({ length: 16 }, (_, i) => {
    const [column, row] = [(i % 4) * 2, Math.floor(i / 4) * 2];
    const wanted = random() < 0.5;
    const feature = kinds[Number(wanted)]!.map((value) => value + normal(random) * 0.3);
    feature.forEach((value, c) => (embedding[c * 64 + row * 8 + column] = value));
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 4; x++) labels[(row * 4 + y) * 32 + column * 4 + x] = i + 1;
    return { x: column * 16 + 8, y: row * 16 + 8, radius: 6, feature, wanted };
  });
  return { embedding: float32Tensor([1, 16, 8, 8], embedding), labels, objects };
}

function promptFeeds({ clicks }: SynthesizedPrompt): Record<string, Tensor> {
  const coords = new Float32Array(SLOTS * 2);
  const labels = new Float32Array(SLOTS).fill(-1);
  clicks.forEach(({ x, y, label }, i) => {
    coords.set([x, y], 2 * i);
    labels[i] = label;
  });
  return {
    point_coords: float32Tensor([1, SLOTS, 2], coords),
    point_labels: float32Tensor([1, SLOTS], labels),
  };
}

/** Thirty steps of the refinement, as a trainer does them; hold-out error before and after, and the steps' metrics. */
async function refine(settings: RefineSettings) {
  const { embedding, labels, objects } = tile();
  const judged = objects.slice(0, 10);
  const heldOut = objects.slice(10);
  const isParameter = isTrainable(settings.trainable);
  const training = buildTrainingGraph(model, {
    isParameter,
    loss: sampoObjective(settings.objective, OUTPUTS, settings.pairs),
  });
  const forward = await load(buildForwardGraph(model, { isParameter, outputs: Object.values(OUTPUTS) }));
  const stepper = await load(training.graph);
  const values = new Map(
    [...training.parameters].map(([name, { dims, data }]) => [
      name,
      float32Tensor(dims, Float32Array.from(data as Float32Array)),
    ]),
  );
  const prompts = synthesizePrompts(judged, SLOTS, seededRandom(settings.seed));
  const answerTo = async (prompt: SynthesizedPrompt): Promise<Answer> => {
    const feeds = { image_embeddings: embedding, ...promptFeeds(prompt), ...Object.fromEntries(values) };
    const { masks, iou_predictions: scores } = await forward.run(feeds);
    return { masks: masks!.data as Float32Array, scores: scores!.data as Float32Array };
  };
  const verdicts = new Map(judged.map(({ wanted }, i) => [i + 1, wanted]));
  const known = { labels, verdicts };
  const pixels = judgedPixels(known, settings.backgroundWeight);
  const references = await Promise.all(prompts.map(answerTo));

  const heldOutError = async (): Promise<number> => {
    const answer = rateAnswer(await answerTo(prompts[0]!), pixels);
    const logits = headLogits(answer, answer.shown);
    const errors = heldOut.map(({ wanted }, i) => {
      const inside = [...logits].filter((_, at) => labels[at] === i + 11);
      const score = inside.reduce((sum, z) => sum + 1 / (1 + Math.exp(-z)), 0) / inside.length;
      return Math.abs(score - Number(wanted));
    });
    return errors.reduce((sum, error) => sum + error, 0) / errors.length;
  };

  const before = await heldOutError();
  const state: AdamWState = new Map();
  const margins: number[] = [];
  for (let step = 0; step < 30; step++) {
    const answers = (await Promise.all(prompts.map(answerTo))).map((answer) => rateAnswer(answer, pixels));
    const prompt = step % prompts.length;
    const answer = answers[prompt]!;
    const verdictPairs = verdictDirections(known).map(({ direction }): PreferencePair => ({
      source: 'verdict',
      prompt,
      head: answer.shown,
      direction,
      gap: 1,
    }));
    const mined = [
      ...mineInterPrompt(answers, pixels, settings.utilityThreshold).filter((pair) => pair.prompt === prompt),
      ...mineIntraPrompt(answer, prompt, pixels, settings.utilityThreshold),
    ];
    const pairs = strongestPairs([...verdictPairs, ...mined], settings.pairs);
    const supervision = { answer, reference: references[prompt]!, pairs, judged: pixels };
    const result = await stepper.run({
      image_embeddings: embedding,
      ...promptFeeds(prompts[prompt]!),
      ...Object.fromEntries(values),
      ...lossFeeds(supervision, settings.objective, settings.pairs, 32, 32),
    });
    const updates = [...training.gradients].map(([name, gradient]) => ({
      name,
      value: values.get(name)!.data as Float32Array,
      gradient: result[gradient]!.data as Float32Array,
      decays: values.get(name)!.dims.length > 1,
    }));
    adamWStep(updates, state, { ...settings.optimizer, learningRate: LEARNING_RATE });
    if (result['margins'])
      margins.push(marginMetrics(result['margins'].data as Float32Array, pairs.length).meanMargin);
  }
  const after = await heldOutError();
  await forward.release();
  await stepper.release();
  const untouched = [...training.parameters].filter(([name, { data }]) =>
    (data as Float32Array).every((value, i) => value === values.get(name)!.data[i]),
  );
  return { before, after, margins, untouched: untouched.map(([name]) => name) };
}

describe.each([
  ['sampo', SAMPO_DEFAULTS],
  ['pixel loss', PIXEL_LOSS_DEFAULTS],
] as const)("thirty steps on somebody else's decoder with the %s objective", (name, settings) => {
  let run: Awaited<ReturnType<typeof refine>>;
  beforeAll(async () => {
    run = await refine(settings);
  });

  it('lower the error on objects that were held out', () => {
    expect(run.after).toBeLessThan(run.before * 0.8);
  });

  it('leave keys’ biases alone, whose true gradient is zero', () => {
    expect(run.untouched).toEqual(
      expect.arrayContaining(['layers.0.self_attn.k_proj.bias', 'layers.1.self_attn.k_proj.bias']),
    );
    expect(run.untouched.length).toBeLessThan(15);
  });

  it('raise the margin from zero, where there are preferences', () => {
    if (name === 'pixel loss') expect(run.margins).toEqual([]);
    else {
      expect(Math.abs(run.margins[0]!)).toBeLessThan(1e-4);
      expect(run.margins.at(-1)).toBeGreaterThan(0.3);
    }
  });
});
