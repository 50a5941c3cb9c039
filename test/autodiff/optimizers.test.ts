import { ADAMW_DEFAULTS, adamWStep, type AdamWState } from '../../src/autodiff/optimizers';

const SETTINGS = { ...ADAMW_DEFAULTS, learningRate: 0.1, weightDecay: 0.5, clipNorm: 0 };

/** AdamW in double precision, straight from the paper. */
function reference(value: number, gradients: readonly number[], decays: boolean): number {
  let [m, v] = [0, 0];
  gradients.forEach((g, i) => {
    const t = i + 1;
    if (decays) value -= 0.1 * 0.5 * value;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    value -= (0.1 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  });
  return value;
}

it.each([true, false])('follows the paper step by step, decay %s', (decays) => {
  const value = Float32Array.of(1, -2);
  const state: AdamWState = new Map();
  const gradients = [
    [0.3, -1],
    [-0.1, -1],
    [0.7, 4],
  ];
  for (const gradient of gradients)
    adamWStep([{ name: 'w', value, gradient: Float32Array.from(gradient), decays }], state, SETTINGS);
  [1, -2].forEach((start, i) =>
    expect(value[i]).toBeCloseTo(
      reference(
        start,
        gradients.map((g) => g[i]!),
        decays,
      ),
      5,
    ),
  );
});

it('leaves a parameter alone whose gradient is rounding noise', () => {
  const bias = Float32Array.of(0.25, 0.5);
  const weight = Float32Array.of(1);
  const state: AdamWState = new Map();
  for (let step = 0; step < 5; step++)
    adamWStep(
      [
        { name: 'k_proj.bias', value: bias, gradient: Float32Array.of(1e-9, -2e-9), decays: true },
        { name: 'weight', value: weight, gradient: Float32Array.of(0.5), decays: true },
      ],
      state,
      SETTINGS,
    );
  expect([...bias]).toEqual([0.25, 0.5]);
  expect(weight[0]).toBeLessThan(0.9);
});

it('does nothing when the gradient is not finite, and says so', () => {
  const value = Float32Array.of(1);
  const update = { name: 'w', value, gradient: Float32Array.of(NaN), decays: false };
  expect(adamWStep([update], new Map(), SETTINGS)).toBeNaN();
  expect(value[0]).toBe(1);
});

it('clips by the norm over all parameters', () => {
  const state: AdamWState = new Map();
  const updates = [3, 4].map((g, i) => ({
    name: `w${i}`,
    value: Float32Array.of(0),
    gradient: Float32Array.of(g),
    decays: false,
  }));
  expect(adamWStep(updates, state, { ...SETTINGS, clipNorm: 1 })).toBe(5);
  expect(state.get('w0')!.first[0]).toBeCloseTo(0.06, 6);
  expect(state.get('w1')!.first[0]).toBeCloseTo(0.08, 6);
});
