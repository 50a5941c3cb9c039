import { GraphBuilder } from '../../src/autodiff/builder';
import { diceLoss, dpoLoss, focalLoss, rankLoss, scoreLoss } from '../../src/sampo/losses';
import { directedLogits, margins, preferenceDirection } from '../../src/sampo/margin';
import { float32Tensor, type Tensor } from '../../src/tensor';
import { seededRandom } from '../../src/sampo/random';
import { load } from '../autodiff/runtime';

const K = 2;
const H = 3;
const W = 4;
const PIXELS = H * W;
const P = 3;
const random = seededRandom(5);
const draw = (count: number, low: number, high: number): Float32Array =>
  Float32Array.from({ length: count }, () => low + random() * (high - low));
const bits = (count: number, share: number): Float32Array =>
  Float32Array.from({ length: count }, () => (random() < share ? 1 : 0));

const feeds: Record<string, Tensor> = {
  logits: float32Tensor([1, K, H, W], draw(K * PIXELS, -30, 30)),
  scores: float32Tensor([1, K], draw(K, 0, 1)),
  directions: float32Tensor([P, PIXELS], draw(P * PIXELS, -0.2, 0.2)),
  heads: float32Tensor([P, K], Float32Array.of(1, 0, 0, 1, 1, 0)),
  references: float32Tensor([P], draw(P, -1, 1)),
  weights: float32Tensor([P], Float32Array.of(1, 0.5, 0)),
  ranks: float32Tensor([P, K], Float32Array.of(1, -1, -1, 1, 0, 0)),
  target: float32Tensor([1, 1, H, W], bits(PIXELS, 0.4)),
  judged: float32Tensor([1, 1, H, W], bits(PIXELS, 0.6)),
  headWeights: float32Tensor([1, K], Float32Array.of(1, 0.3)),
  scoreTargets: float32Tensor([1, K], draw(K, 0, 1)),
};
const numbers = (name: string): number[] => Array.from(feeds[name]!.data as Float32Array);

async function valuesOf(write: (b: GraphBuilder) => string): Promise<Float32Array> {
  const b = new GraphBuilder();
  for (const [name, tensor] of Object.entries(feeds)) b.input(name, 'float32', tensor.dims);
  b.output('result', write(b));
  const runner = await load(b.build());
  const { result } = await runner.run(feeds);
  await runner.release();
  return result!.data as Float32Array;
}

// The same formulas in double precision, written from sampo.md.
const logSigmoid = (x: number): number => (x > 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const mean = (values: number[], weights: number[]): number =>
  values.reduce((s, v, i) => s + v * weights[i]!, 0) / weights.reduce((s, w) => s + w, 0);
const plane = (k: number): number[] => numbers('logits').slice(k * PIXELS, (k + 1) * PIXELS);
const pairRow = (name: string, p: number, size: number): number[] =>
  numbers(name).slice(p * size, (p + 1) * size);
const marginsByHand = [0, 1, 2].map((p) => {
  const head = pairRow('heads', p, K).indexOf(1);
  const direction = pairRow('directions', p, PIXELS);
  return direction.reduce((s, d, i) => s + d * plane(head)[i]!, 0) - numbers('references')[p]!;
});

it('margins are inner products less the reference', async () => {
  const got = await valuesOf((b) => margins(b, 'logits', 'directions', 'heads', 'references'));
  marginsByHand.forEach((margin, p) => expect(got[p]).toBeCloseTo(margin, 4));
});

it('the margin of identical policies is 0, whatever the masks', () => {
  const chosen = Uint8Array.of(1, 1, 0, 0);
  const rejected = Uint8Array.of(0, 1, 1, 0);
  const direction = preferenceDirection(chosen, rejected)!;
  expect(direction.disagreeing).toBe(2);
  expect([...direction.weights]).toEqual([0.5, 0, -0.5, 0]);
  expect(directedLogits(direction, Float32Array.of(4, 9, -2, 9))).toBeCloseTo(3, 6);
});

it('masks that agree on all judged pixels are not a pair', () => {
  const chosen = Uint8Array.of(1, 0);
  const rejected = Uint8Array.of(0, 0);
  expect(preferenceDirection(chosen, chosen)).toBeUndefined();
  expect(preferenceDirection(chosen, rejected, Uint8Array.of(0, 1))).toBeUndefined();
});

it.each([0.1, 1, 8])('L_dpo is the mean of −log σ(β · margin), β = %d', async (beta) => {
  const [got] = await valuesOf((b) =>
    dpoLoss(b, margins(b, 'logits', 'directions', 'heads', 'references'), 'weights', beta),
  );
  const wanted = mean(
    marginsByHand.map((margin) => -logSigmoid(beta * margin)),
    numbers('weights'),
  );
  expect(got).toBeCloseTo(wanted, 4);
});

it('with a share of wrong preferences, L_dpo is the mean of both ways round', async () => {
  const [beta, wrong] = [0.7, 0.2];
  const [got] = await valuesOf((b) =>
    dpoLoss(b, margins(b, 'logits', 'directions', 'heads', 'references'), 'weights', beta, wrong),
  );
  const each = marginsByHand.map(
    (margin) => -(1 - wrong) * logSigmoid(beta * margin) - wrong * logSigmoid(-beta * margin),
  );
  expect(got).toBeCloseTo(mean(each, numbers('weights')), 4);
});

it('L_dpo stays finite, and its slope alive, at margins no probability could express', async () => {
  const b = new GraphBuilder();
  b.input('margins', 'float32', [2]);
  b.output('loss', dpoLoss(b, 'margins', b.constant(float32Tensor([2], Float32Array.of(1, 1))), 1));
  const runner = await load(b.build());
  const { loss } = await runner.run({ margins: float32Tensor([2], Float32Array.of(-200, 200)) });
  await runner.release();
  expect(loss!.data[0]).toBeCloseTo(100, 3);
});

it('L_rank is −log σ(s_w − s_l)', async () => {
  const [got] = await valuesOf((b) => rankLoss(b, 'scores', 'ranks', 'weights'));
  const scores = numbers('scores');
  const each = [0, 1, 2].map((p) => {
    const [a = 0, c = 0] = pairRow('ranks', p, K);
    return -logSigmoid(a * scores[0]! + c * scores[1]!);
  });
  expect(got).toBeCloseTo(mean(each, numbers('weights')), 5);
});

it('Dice looks at judged pixels only', async () => {
  const [got] = await valuesOf((b) => diceLoss(b, 'logits', 'target', 'judged', 'headWeights'));
  const [target, judged] = [numbers('target'), numbers('judged')];
  const each = [0, 1].map((k) => {
    const p = plane(k).map((z, i) => sigmoid(z) * judged[i]!);
    const overlap = p.reduce((s, v, i) => s + v * target[i]!, 0);
    const claimed = p.reduce((s, v) => s + v, 0);
    const wanted = target.reduce((s, t, i) => s + t * judged[i]!, 0);
    return 1 - (2 * overlap + 1) / (claimed + wanted + 1);
  });
  expect(got).toBeCloseTo(mean(each, numbers('headWeights')), 5);
});

it('focal is −(1 − p_t)² log p_t on judged pixels', async () => {
  const [got] = await valuesOf((b) => focalLoss(b, 'logits', 'target', 'judged', 'headWeights'));
  const [target, judged] = [numbers('target'), numbers('judged')];
  const each = [0, 1].map((k) => {
    const terms = plane(k).map((z, i) => {
      const towards = target[i] === 1 ? z : -z;
      return judged[i]! * sigmoid(-towards) ** 2 * -logSigmoid(towards);
    });
    return terms.reduce((s, v) => s + v, 0) / judged.reduce((s, v) => s + v, 0);
  });
  expect(got).toBeCloseTo(mean(each, numbers('headWeights')), 4);
});

it('score regression is (s − IoU)²', async () => {
  const [got] = await valuesOf((b) => scoreLoss(b, 'scores', 'scoreTargets', 'headWeights'));
  const each = numbers('scores').map((s, k) => (s - numbers('scoreTargets')[k]!) ** 2);
  expect(got).toBeCloseTo(mean(each, numbers('headWeights')), 6);
});

it('parts with nothing in use are 0, not NaN', async () => {
  feeds['none'] = float32Tensor([P]);
  const [got] = await valuesOf((b) => rankLoss(b, 'scores', 'ranks', 'none'));
  expect(got).toBe(0);
});
