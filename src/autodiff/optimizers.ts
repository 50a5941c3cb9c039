/** Settings of AdamW (Loshchilov and Hutter 2019, algorithm 2). */
export interface AdamWSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled decay, applied to parameters of two or more dimensions only. */
  readonly weightDecay: number;
  /** Gradients are scaled down to this Euclidean norm, taken over all parameters; 0 turns it off. */
  readonly clipNorm: number;
  /**
   * A parameter whose gradient's root mean square stays below this share of the largest one is left alone: its true
   * gradient is zero (a key's bias in attention), and Adam would blow its rounding noise up to full steps.
   */
  readonly zeroGradientShare: number;
}

/** PyTorch's defaults with a fine-tuning rate. */
export const ADAMW_DEFAULTS: AdamWSettings = {
  learningRate: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
  zeroGradientShare: 1e-6,
};

/** First and second moments of one parameter, shaped like it, and the updates it has had. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
  updates: number;
}

/** One parameter: its value (changed in place) and its gradient, same length; `decays` for matrices and kernels. */
export interface Update {
  readonly name: string;
  readonly value: Float32Array;
  readonly gradient: Float32Array;
  readonly decays: boolean;
}

/** State of an AdamW run: plain data, so that a snapshot is a copy. */
export type AdamWState = Map<string, Moments>;

/**
 * One AdamW step over parameters that live in JavaScript. Values change in place, so run it only after the graph's
 * run has ended: its inputs are read without copying. Returns the gradient's norm before clipping.
 */
export function adamWStep(updates: readonly Update[], state: AdamWState, settings: AdamWSettings): number {
  const squares = updates.map(({ gradient }) => sumOfSquares(gradient));
  const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  if (!Number.isFinite(norm)) return norm;
  const clip = settings.clipNorm > 0 && norm > settings.clipNorm ? settings.clipNorm / norm : 1;
  const meanSquares = updates.map(({ gradient }, i) => squares[i]! / Math.max(1, gradient.length));
  const floor = settings.zeroGradientShare ** 2 * Math.max(0, ...meanSquares);
  updates.forEach((update, i) => {
    if (meanSquares[i]! > floor) adamW(update, momentsOf(state, update), settings, clip);
  });
  return norm;
}

function momentsOf(state: AdamWState, { name, value }: Update): Moments {
  let moments = state.get(name);
  if (moments === undefined) {
    moments = {
      first: new Float32Array(value.length),
      second: new Float32Array(value.length),
      updates: 0,
    };
    state.set(name, moments);
  }
  return moments;
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** θ ← θ − η·λ·θ;  m, v ← moving averages of g, g²;  θ ← θ − η · m̂ / (√v̂ + ε), with bias-corrected m̂, v̂. */
function adamW(update: Update, moments: Moments, settings: AdamWSettings, clip: number): void {
  const { value, gradient } = update;
  const { first, second } = moments;
  const { beta1, beta2, epsilon, learningRate } = settings;
  moments.updates++;
  const decay = update.decays ? 1 - learningRate * settings.weightDecay : 1;
  const step = learningRate / (1 - beta1 ** moments.updates);
  const correction = 1 / Math.sqrt(1 - beta2 ** moments.updates);
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]! * clip;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    value[i] = value[i]! * decay - (step * m) / (Math.sqrt(v) * correction + epsilon);
  }
}
