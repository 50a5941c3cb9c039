import { appendGradients } from '../../src/autodiff/backward';
import { GraphBuilder } from '../../src/autodiff/builder';
import { Value } from '../../src/autodiff/value';
import { diceLoss, dpoLoss, focalLoss, rankLoss, scoreLoss } from '../../src/sampo/losses';
import { logRatio, logRatios, preferenceDirection } from '../../src/sampo/margin';
import { float32Tensor, type Tensor } from '../../src/tensor';
import { load } from '../autodiff/runtime';

// Every expected number is a known value of the formula, worked out on paper: with x = ln 3, σ(x) is 3/4.
const LN_2 = 0.693147;
const LN_3 = Math.log(3);
/** −log σ(ln 3) = ln(4/3). */
const LN_4_THIRDS = 0.287682;
/** −log σ(−ln 3) = ln 4. */
const LN_4 = 1.386294;
/** σ(±CERTAIN) is 1 or 0 in float32. */
const CERTAIN = 60;

type Inputs = Readonly<Record<string, Tensor>>;

const row = (...values: number[]): Tensor => float32Tensor([values.length], Float32Array.from(values));
const matrix = (...rows: number[][]): Tensor =>
  float32Tensor([rows.length, rows[0]!.length], Float32Array.from(rows.flat()));
/** One plane of pixels in a row, [1, 1, 1, W]. */
const pixels = (...values: number[]): Tensor =>
  float32Tensor([1, 1, 1, values.length], Float32Array.from(values));
/** Logits of K masks, [1, K, 1, W]. */
const masks = (...planes: number[][]): Tensor =>
  float32Tensor([1, planes.length, 1, planes[0]!.length], Float32Array.from(planes.flat()));

/** Value of a loss, and its gradient by one of the inputs. */
async function evaluate(
  inputs: Inputs,
  write: (input: (name: string) => Value) => Value,
  by?: string,
): Promise<{ value: number[]; gradient: number[] }> {
  const builder = new GraphBuilder();
  for (const [name, { dims }] of Object.entries(inputs)) builder.input(name, 'float32', dims);
  const loss = write((name) => new Value(builder, name));
  builder.output('loss', loss.name);
  if (by !== undefined) builder.output('gradient', appendGradients(builder, loss.name, [by]).get(by)!);
  const runner = await load(builder.build());
  const outputs = await runner.run(inputs);
  await runner.release();
  const numbers = (name: string): number[] => Array.from((outputs[name]?.data ?? []) as Float32Array);
  return { value: numbers('loss'), gradient: numbers('gradient') };
}

describe('the preference loss', () => {
  interface Case {
    readonly policy: number[];
    readonly reference?: number[];
    readonly weights?: number[];
    readonly beta?: number;
    readonly labelSmoothing?: number;
  }
  const dpo = async (given: Case) => {
    const { policy, beta = 1, labelSmoothing } = given;
    const inputs = {
      policy: row(...policy),
      reference: row(...(given.reference ?? policy.map(() => 0))),
      weights: row(...(given.weights ?? policy.map(() => 1))),
    };
    const { value, gradient } = await evaluate(
      inputs,
      (input) =>
        dpoLoss(
          {
            policyLogRatios: input('policy'),
            referenceLogRatios: input('reference'),
            weights: input('weights'),
          },
          beta,
          labelSmoothing,
        ).loss,
      'policy',
    );
    return { loss: value[0]!, gradient };
  };

  it.each<[string, Case, number]>([
    ['is ln 2 where policy and reference agree', { policy: [5], reference: [5], beta: 8 }, LN_2],
    [
      'falls where the policy prefers the chosen one more than the reference does',
      { policy: [LN_3] },
      LN_4_THIRDS,
    ],
    ['rises where it prefers the rejected one', { policy: [-LN_3] }, LN_4],
    [
      'sees the difference to the reference, not the policy alone',
      { policy: [2], reference: [2 + LN_3] },
      LN_4,
    ],
    ['is as steep as β', { policy: [LN_3 / 2], beta: 2 }, LN_4_THIRDS],
    ['leaves rows out that weigh nothing', { policy: [LN_3, -LN_3], weights: [1, 0] }, LN_4_THIRDS],
    ['is a mean by weight', { policy: [LN_3, -LN_3], weights: [3, 1] }, (3 * LN_4_THIRDS + LN_4) / 4],
    ['is 0, not NaN, without any pair', { policy: [LN_3], weights: [0] }, 0],
    // Cross entropy of a preference that is wrong once in four: ¾·ln(4/3) + ¼·ln 4, and ¼·ln(4/3) + ¾·ln 4.
    ['with label smoothing counts both ways round', { policy: [LN_3], labelSmoothing: 0.25 }, 0.562335],
    [
      'with label smoothing, of a pair answered the wrong way',
      { policy: [-LN_3], labelSmoothing: 0.25 },
      1.111641,
    ],
  ])('%s', async (_, given, expected) => {
    expect((await dpo(given)).loss).toBeCloseTo(expected, 5);
  });

  it('pulls toward the chosen one: half of β where nothing is preferred yet, all of it where everything is wrong', async () => {
    expect((await dpo({ policy: [0], beta: 4 })).gradient[0]).toBeCloseTo(-2, 5);
    const hopeless = await dpo({ policy: [-200] });
    expect(hopeless.loss).toBeCloseTo(200, 3);
    expect(hopeless.gradient[0]).toBeCloseTo(-1, 5);
  });

  it('with label smoothing ends its pull at log((1 − ε)/ε)/β, and pulls back beyond', async () => {
    const at = async (policy: number) =>
      (await dpo({ policy: [policy], beta: 2, labelSmoothing: 0.25 })).gradient[0]!;
    expect(await at(LN_3 / 2)).toBeCloseTo(0, 5);
    expect(await at(LN_3 / 2 - 0.1)).toBeLessThan(-0.01);
    expect(await at(LN_3 / 2 + 0.1)).toBeGreaterThan(0.01);
  });
});

describe('log-ratios', () => {
  // Two masks that differ at the first and the third of four pixels.
  const direction = preferenceDirection(Uint8Array.of(1, 1, 0, 0), Uint8Array.of(0, 1, 1, 0))!;
  const logits = masks([4, 9, -2, 9], [1, 7, 7, 7]);

  it('are means over the pixels where chosen and rejected differ', () => {
    expect(direction.disagreeing).toBe(2);
    expect([...direction.weights]).toEqual([0.5, 0, -0.5, 0]);
    expect(logRatio(direction, Float32Array.of(4, 9, -2, 9))).toBeCloseTo(3, 6);
  });

  it.each([
    ['the first mask', [1, 0], 3],
    ['the second mask', [0, 1], -3],
    ['the mean of both', [0.5, 0.5], 0],
  ])('are read from the head that answers: %s', async (_, heads, expected) => {
    const inputs = { logits, directions: matrix([...direction.weights]), heads: matrix(heads) };
    const { value } = await evaluate(inputs, (input) =>
      logRatios(input('logits'), input('directions'), input('heads')),
    );
    expect(value).toHaveLength(1);
    expect(value[0]).toBeCloseTo(expected, 5);
  });

  it('masks that agree on all judged pixels are not a pair', () => {
    const [chosen, rejected] = [Uint8Array.of(1, 0), Uint8Array.of(0, 0)];
    expect(preferenceDirection(chosen, chosen)).toBeUndefined();
    expect(preferenceDirection(chosen, rejected, Uint8Array.of(0, 1))).toBeUndefined();
    expect(preferenceDirection(chosen, rejected, Uint8Array.of(1, 0))).toBeDefined();
  });
});

it.each([
  ['ln 2 where both masks score alike', [0.5, 0.5], [1, -1], [1], LN_2],
  ['less where the chosen mask scores higher', [LN_3, 0], [1, -1], [1], LN_4_THIRDS],
  ['more where the rejected mask scores higher', [LN_3, 0], [-1, 1], [1], LN_4],
  ['0 without any pair', [LN_3, 0], [0, 0], [0], 0],
])('the rank loss is %s', async (_, scores, ranks, weights, expected) => {
  const inputs = { scores: matrix(scores), ranks: matrix(ranks), weights: row(...weights) };
  const { value } = await evaluate(inputs, (input) =>
    rankLoss(input('scores'), input('ranks'), input('weights')),
  );
  expect(value[0]).toBeCloseTo(expected, 5);
});

describe('the pixel losses', () => {
  const YES = CERTAIN;
  const NO = -CERTAIN;
  interface Case {
    readonly logits: number[][];
    readonly target: number[];
    readonly pixelWeights?: number[];
    readonly headWeights?: number[];
  }
  const of = async (loss: typeof diceLoss, given: Case): Promise<number> => {
    const { logits, target } = given;
    const inputs = {
      logits: masks(...logits),
      target: pixels(...target),
      pixelWeights: pixels(...(given.pixelWeights ?? target.map(() => 1))),
      headWeights: matrix(given.headWeights ?? logits.map(() => 1)),
    };
    const { value } = await evaluate(inputs, (input) =>
      loss({
        logits: input('logits'),
        target: input('target'),
        pixelWeights: input('pixelWeights'),
        headWeights: input('headWeights'),
      }),
    );
    return value[0]!;
  };

  it.each<[string, Case, number]>([
    ['0 for the very mask', { logits: [[YES, NO, YES]], target: [1, 0, 1] }, 0],
    ['0 where nothing is wanted and nothing claimed', { logits: [[NO, NO]], target: [0, 0] }, 0],
    [
      '1 − (2·1 + 1)/(2 + 2 + 1) at half of each',
      { logits: [[YES, YES, NO, NO]], target: [1, 0, 1, 0] },
      0.4,
    ],
    ['1 − (2·1 + 1)/(1 + 2 + 1) of an undecided mask', { logits: [[0, 0]], target: [1, 1] }, 0.25],
    [
      'blind to pixels that weigh nothing',
      { logits: [[YES, YES, NO, NO]], target: [1, 0, 1, 0], pixelWeights: [1, 0, 0, 1] },
      0,
    ],
    [
      'a mean by weight over masks',
      {
        logits: [
          [YES, NO],
          [0, NO],
        ],
        target: [1, 0],
        headWeights: [1, 3],
      },
      0.15,
    ],
  ])('Dice is %s', async (_, given, expected) => {
    expect(await of(diceLoss, given)).toBeCloseTo(expected, 5);
  });

  it.each<[string, Case, number]>([
    ['(1/2)² · ln 2 of an undecided pixel', { logits: [[0]], target: [1] }, 0.25 * LN_2],
    ['(1/4)² · ln(4/3) of one that is right by 3 to 1', { logits: [[LN_3]], target: [1] }, LN_4_THIRDS / 16],
    ['(3/4)² · ln 4 of one that is wrong by 3 to 1', { logits: [[LN_3]], target: [0] }, 0.5625 * LN_4],
    ['as long as the logit where it is wrong for sure', { logits: [[-CERTAIN]], target: [1] }, CERTAIN],
    ['a mean over pixels', { logits: [[0, CERTAIN]], target: [1, 1] }, 0.125 * LN_2],
    [
      'blind to pixels that weigh nothing',
      { logits: [[0, CERTAIN]], target: [1, 0], pixelWeights: [1, 0] },
      0.25 * LN_2,
    ],
    [
      'a mean by weight over masks',
      { logits: [[0], [CERTAIN]], target: [1], headWeights: [1, 3] },
      0.0625 * LN_2,
    ],
  ])('focal is %s', async (_, given, expected) => {
    expect(await of(focalLoss, given)).toBeCloseTo(expected, 5);
  });
});

it.each([
  ['is the squared error', [0.9, 0.5], [0.4, 0.5], [1, 0], 0.25],
  ['is a mean by weight over masks', [0.9, 0.5], [0.4, 0.4], [1, 3], 0.07],
])('the score loss %s', async (_, scores, targets, weights, expected) => {
  const inputs = { scores: matrix(scores), targets: matrix(targets), weights: matrix(weights) };
  const { value } = await evaluate(inputs, (input) =>
    scoreLoss(input('scores'), input('targets'), input('weights')),
  );
  expect(value[0]).toBeCloseTo(expected, 5);
});
