import { GraphBuilder } from '../../src/autodiff/builder';
import { Value } from '../../src/autodiff/value';
import { judgedPixels } from '../../src/sampo/judgedPixels';
import type { ObjectiveSettings } from '../../src/sampo/lossPart';
import { mineIntraPrompt, rateAnswer } from '../../src/sampo/mining';
import { lossFeeds, sampoObjective } from '../../src/sampo/objective';
import { float32Tensor } from '../../src/tensor';
import { load } from '../autodiff/runtime';

const PAIRS = 4;
const SIZES = { pairs: PAIRS, height: 2, width: 4 };
const OFF = { beta: 1, lambdaDpo: 0, lambdaRank: 0, lambdaSegment: 0, lambdaScore: 0 };

// Two masks of eight pixels: the first claims the unwanted object as well, the second is right.
const logits = Float32Array.of(2, 2, 2, 2, -2, -2, -2, -2, 2, 2, -2, -2, -2, -2, -2, -2);
const judged = judgedPixels(
  {
    labels: Int32Array.of(1, 1, 2, 2, 0, 0, 0, 0),
    verdicts: new Map([
      [1, true],
      [2, false],
    ]),
  },
  0.25,
);
const answer = rateAnswer({ masks: logits, scores: Float32Array.of(0.9, 0.2) }, judged);
const pairs = mineIntraPrompt(answer, 0, judged, 0.05);
const step = { answer, reference: answer, pairs, judged };

/** The objective on a decoder that answers what is fed to it, and the runner's outputs. */
async function run(settings: ObjectiveSettings) {
  const builder = new GraphBuilder();
  builder.input('masks', 'float32', [1, 2, 2, 4]);
  builder.input('scores', 'float32', [1, 2]);
  const objective = sampoObjective(settings, { masks: 'masks', scores: 'scores' }, PAIRS);
  const { loss, metrics } = objective({ builder, value: (name) => new Value(builder, name) });
  builder.output('loss', loss.name);
  for (const [name, metric] of Object.entries(metrics)) builder.output(name, metric.name);
  const graph = builder.build();
  const runner = await load(graph);
  const feeds = lossFeeds(step, settings, SIZES);
  const outputs = await runner.run({
    masks: float32Tensor([1, 2, 2, 4], logits),
    scores: float32Tensor([1, 2], answer.scores),
    ...feeds,
  });
  await runner.release();
  const declared = graph.inputs.filter(({ name }) => name !== 'masks' && name !== 'scores');
  const numberOf = (name: string): number => Number(outputs[name]?.data[0]);
  return { declared, feeds, metrics: Object.keys(metrics), numberOf };
}

describe.each([
  ['lambdaDpo', ['margins', 'lossDpo']],
  ['lambdaRank', ['lossRank']],
  ['lambdaSegment', ['lossSegment']],
  ['lambdaScore', ['lossScore']],
] as const)('with %s alone', (lambda, reported) => {
  it('a step fills just the inputs that the graph declares, in their shapes', async () => {
    const { declared, feeds, metrics } = await run({ ...OFF, [lambda]: 1 });
    expect(declared.length).toBeGreaterThan(0);
    expect(Object.entries(feeds).map(([name, { dims }]) => [name, dims])).toEqual(
      declared.map(({ name, dims }) => [name, dims]),
    );
    expect(metrics).toEqual(reported);
  });
});

it('is the sum of its parts, each times its weight', async () => {
  const { numberOf } = await run({ beta: 1, lambdaDpo: 2, lambdaRank: 3, lambdaSegment: 5, lambdaScore: 7 });
  const parts = ['lossDpo', 'lossRank', 'lossSegment', 'lossScore'].map(numberOf);
  expect(parts.every((part) => part > 0)).toBe(true);
  const sum = [2, 3, 5, 7].reduce((total, weight, i) => total + weight * parts[i]!, 0);
  expect(numberOf('loss')).toBeCloseTo(sum, 4);
});

it('margins are zero while the decoder answers as the reference does', async () => {
  const { numberOf } = await run({ ...OFF, lambdaDpo: 1 });
  expect(numberOf('margins')).toBeCloseTo(0, 6);
  expect(numberOf('lossDpo')).toBeCloseTo(Math.LN2, 5);
});

it('the right mask is to score higher: the rank loss is more than ln 2 while the wrong one does', async () => {
  const { numberOf } = await run({ ...OFF, lambdaRank: 1 });
  // −log σ(0.2 − 0.9)
  expect(numberOf('lossRank')).toBeCloseTo(1.103186, 5);
});

it('drops pairs that have no row, and unused rows weigh nothing', () => {
  const settings = { ...OFF, lambdaDpo: 1 };
  const weightsFor = (rows: number) => [
    ...lossFeeds(step, settings, { ...SIZES, pairs: rows })['pairWeights']!.data,
  ];
  expect(pairs).toHaveLength(2);
  expect(weightsFor(1)).toEqual([1]);
  expect(weightsFor(4)).toEqual([1, 1, 0, 0]);
});
