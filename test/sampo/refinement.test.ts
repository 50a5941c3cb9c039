import fc from 'fast-check';
import { autoPrompt, type EmbeddingGrid } from '../../src/sampo/autoPrompt';
import {
  calibratedThreshold,
  holdOutGain,
  holdOutResult,
  isWorse,
  splitHoldOut,
} from '../../src/sampo/holdOut';
import { judgedPixels } from '../../src/sampo/judgedPixels';
import { marginMetrics } from '../../src/sampo/margin';
import { synthesizePrompts, type ConfirmedObject } from '../../src/sampo/promptSynthesis';
import { seededRandom } from '../../src/sampo/random';
import { isTrainable } from '../../src/sampo/trainableSets';
import { float32Tensor } from '../../src/tensor';

describe('the hold-out', () => {
  const judged = (kinds: readonly boolean[]) => kinds.map((wanted, id) => ({ id, wanted }));

  it('takes the fourth of each kind, then one in five', () => {
    const { train, holdOut } = splitHoldOut(judged(Array.from({ length: 20 }, (_, i) => i % 2 === 0)), 0.2);
    expect(holdOut.map(({ id }) => id)).toEqual([6, 7, 16, 17]);
    expect(train).toHaveLength(16);
  });

  it('never loses or doubles a judgement, and never moves one when others follow', () => {
    const kinds = fc.array(fc.boolean(), { maxLength: 40 });
    fc.assert(
      fc.property(kinds, kinds, (first, later) => {
        const ids = (part: readonly { id: number }[]): number[] => part.map(({ id }) => id);
        const before = splitHoldOut(judged(first), 0.2);
        const after = splitHoldOut(judged([...first, ...later]), 0.2);
        expect([...ids(after.train), ...ids(after.holdOut)]).toHaveLength(first.length + later.length);
        expect(new Set([...ids(after.train), ...ids(after.holdOut)]).size).toBe(first.length + later.length);
        expect(ids(after.holdOut)).toEqual(expect.arrayContaining(ids(before.holdOut)));
        expect(ids(after.train)).toEqual(expect.arrayContaining(ids(before.train)));
        expect(after.train.length).toBeGreaterThanOrEqual(after.holdOut.length);
      }),
    );
  });

  const state = (wanted: readonly number[], unwanted: readonly number[], threshold = 0.5) => ({
    threshold,
    scores: [
      ...wanted.map((score) => ({ wanted: true, score })),
      ...unwanted.map((score) => ({ wanted: false, score })),
    ],
  });
  const times = (count: number, score: number): number[] => new Array<number>(count).fill(score);

  it('a refinement is worse when kept-back objects lose, without any of them changing sides', () => {
    const before = state(times(4, 0.9), times(4, 0.1));
    const lost = holdOutGain(before, state(times(4, 0.6), times(4, 0.4)));
    expect(lost.mean).toBeLessThan(-0.3);
    expect(isWorse(lost)).toBe(true);
    const won = holdOutGain(state(times(4, 0.6), times(4, 0.4)), before);
    expect(won.mean).toBeCloseTo(-lost.mean, 10);
    expect(isWorse(won)).toBe(false);
  });

  it('the same loss counts with many objects, and is chance with two', () => {
    const gain = (count: number) =>
      holdOutGain(state(times(count, 0.6), times(count, 0.4)), state(times(count, 0.55), times(count, 0.45)));
    expect(gain(1).mean).toBeCloseTo(gain(20).mean, 10);
    expect(gain(1).error).toBeGreaterThan(3 * gain(20).error);
    expect([isWorse(gain(1)), isWorse(gain(20))]).toEqual([false, true]);
  });

  it('one judgement cannot say more than its chance of being wrong lets it', () => {
    const { mean } = holdOutGain(state([1], []), state([0], []));
    expect(mean).toBeCloseTo(-Math.log(9), 3);
  });

  it('a score is read against the threshold it is shown at; both kinds weigh the same', () => {
    expect(holdOutGain(state([0.6], [0.6]), state([0.6], [0.6], 0.7)).mean).toBeCloseTo(0.02, 1);
    expect(holdOutGain(state([0.6], []), state([0.6], [], 0.7)).mean).toBeLessThan(-0.2);
    const one = holdOutGain(state([0.5], [0.5]), state([0.4], [0.4])).mean;
    expect(holdOutGain(state([0.5], times(9, 0.5)), state([0.4], times(9, 0.4))).mean).toBeCloseTo(one, 10);
  });

  it('nothing kept back says nothing', () => {
    expect(isWorse(holdOutGain(state([], []), state([], [])))).toBe(false);
    expect(holdOutResult([], 0.5)).toEqual({ accuracy: 1, count: 0 });
  });
});

describe('a calibrated threshold', () => {
  const judged = (wanted: readonly number[], unwanted: readonly number[]) => [
    ...wanted.map((score) => ({ wanted: true, score })),
    ...unwanted.map((score) => ({ wanted: false, score })),
  ];

  it('goes between the kinds, the further the more objects speak', () => {
    const few = calibratedThreshold(judged([0.8], [0.6]), 0.5);
    const many = calibratedThreshold(
      judged(new Array<number>(20).fill(0.8), new Array<number>(20).fill(0.6)),
      0.5,
    );
    expect(few).toBeGreaterThan(0.5);
    expect(few).toBeLessThan(0.56);
    expect(many).toBeGreaterThan(0.62);
    expect(many).toBeLessThan(0.72);
  });

  it('weighs both kinds alike: many rejections alone do not raise it above what is wanted', () => {
    const one = calibratedThreshold(judged([0.55, 0.55], new Array<number>(30).fill(0.5)), 0.5);
    expect(one).toBeGreaterThan(0.5);
    expect(one).toBeLessThan(0.55);
  });

  it('stays when one kind is missing', () => {
    expect(calibratedThreshold(judged([0.9, 0.8], []), 0.5)).toBe(0.5);
    expect(calibratedThreshold(judged([], [0.9]), 0.5)).toBe(0.5);
    expect(calibratedThreshold([], 0.4)).toBe(0.4);
  });
});

describe('judged pixels', () => {
  const labels = Int32Array.of(1, 2, 2, 2, 0, 0);
  const verdicts = new Map([
    [1, true],
    [2, false],
  ]);

  it('weigh wanted and unwanted objects alike in sum', () => {
    const { weights } = judgedPixels({ labels, verdicts }, 0.1);
    expect(weights[0]).toBeCloseTo(weights[1]! + weights[2]! + weights[3]!, 5);
  });

  it('keep nuclei that nobody judged as they were, the more certain the more', () => {
    const anchor = {
      probabilities: Float32Array.of(1, 1, 1, 1, 0.95, 0.27),
      nuclei: new Uint8Array(6).fill(1),
      weight: 0.5,
    };
    const { target, weights, judged } = judgedPixels({ labels, verdicts }, 0.1, anchor);
    expect([...target.slice(4)]).toEqual([1, 0]);
    expect(weights[4]).toBeGreaterThan(weights[5]!);
    expect(weights[4]).toBeLessThan(0.5);
    expect([...target.slice(0, 4)]).toEqual([1, 0, 0, 0]);
    expect([...judged.slice(4)]).toEqual([0, 0]);
  });
});

describe('synthesized prompts', () => {
  const object = (i: number, wanted: boolean): ConfirmedObject => ({
    x: 10 * i,
    y: 5,
    radius: 4,
    feature: Float32Array.of(i),
    wanted,
  });
  const confirmed = [1, 2, 3, 4, 5, 6].map((i) => object(i, i <= 4));

  it('say more from level to level, within the limit', () => {
    const prompts = synthesizePrompts(confirmed, 16, seededRandom(3));
    expect(prompts.map(({ clicks }) => clicks.length)).toEqual([1, 3, 5, 6]);
    const full = prompts[3]!.clicks;
    expect(full.filter(({ label }) => label === 1)).toHaveLength(4);
    for (const prompt of synthesizePrompts(confirmed, 4, seededRandom(3)))
      expect(prompt.clicks.length).toBeLessThanOrEqual(4);
  });

  it('are the same for the same seed, and others for another', () => {
    const make = (seed: number) => synthesizePrompts(confirmed, 16, seededRandom(seed));
    expect(make(3)).toEqual(make(3));
    expect(make(3)).not.toEqual(make(4));
  });

  it('sometimes hold one click with the wrong label, never more', () => {
    const wrong = Array.from({ length: 40 }, (_, seed) =>
      synthesizePrompts(confirmed, 16, seededRandom(seed)).map(
        ({ clicks }) => clicks.filter(({ label, feature }) => label === 1 && feature[0]! > 4).length,
      ),
    );
    expect(wrong.flat().every((count) => count <= 1)).toBe(true);
    expect(wrong.some((levels) => levels[1] === 1)).toBe(true);
    expect(wrong.every((levels) => levels[3] === 0)).toBe(true);
  });

  it('need a wanted object', () => {
    expect(synthesizePrompts([object(1, false)], 16, seededRandom(1))).toEqual([]);
  });
});

describe('auto-prompting', () => {
  const grid: EmbeddingGrid = { data: new Float32Array(2 * 64), channels: 2, side: 8, stride: 4 };
  grid.data.fill(0.1, 0, 64);
  const put = (column: number, row: number, feature: readonly [number, number]): void => {
    grid.data[row * 8 + column] = feature[0];
    grid.data[64 + row * 8 + column] = feature[1];
  };
  put(1, 1, [0, 1]);
  put(6, 5, [0.1, 1]);
  put(6, 1, [1, -0.2]);
  const exemplars = [
    { feature: Float32Array.of(0, 2), label: 1 as const },
    { feature: Float32Array.of(1, -0.2), label: 0 as const },
  ];

  it('clicks where the embedding looks like the exemplars, spaced apart', () => {
    const points = autoPrompt(grid, exemplars, { positives: 2, negatives: 1, spacing: 6 });
    expect(points.map(({ x, y, label }) => [x, y, label])).toEqual([
      [6, 6, 1],
      [26, 22, 1],
      [26, 6, 0],
    ]);
  });

  it('clicks only where it may', () => {
    const where = new Uint8Array(64);
    where[5 * 8 + 6] = 1;
    const points = autoPrompt(grid, exemplars, { positives: 2, negatives: 0, spacing: 6, where });
    expect(points.map(({ x, y }) => [x, y])).toEqual([[26, 22]]);
  });
});

describe('what is trained', () => {
  const tensor = float32Tensor([4, 4]);
  it.each([
    ['decoder', 'layers.0.mlp.0.weight', true],
    ['decoder', 'onnx::MatMul_2310', true],
    ['decoder', 'fourier', false],
    ['heads', 'layers.0.mlp.0.weight', false],
    ['heads', 'hypernetworks.0.0.weight', true],
    ['heads', 'mask_decoder.output_hypernetworks_mlps.2.layers.0.bias', true],
    ['tokens', 'hypernetworks.0.0.weight', false],
  ] as const)('%s: %s %s', (set, name, trained) => {
    expect(isTrainable(set)(name, tensor)).toBe(trained);
  });

  it('leaves positional maps alone, whatever they are called', () => {
    expect(isTrainable('decoder')('onnx::Add_77', float32Tensor([1, 4, 64, 64]))).toBe(false);
  });
});

it('reports the mean margin and the reward accuracy over the pairs in use', () => {
  expect(marginMetrics(Float32Array.of(1, -0.5, 2, 99), 3)).toEqual({
    meanMargin: 2.5 / 3,
    rewardAccuracy: 2 / 3,
  });
});
