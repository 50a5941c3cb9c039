/** A logistic regression: logit = bias + weights · row. */
export interface LogisticHead {
  readonly weights: Float64Array;
  readonly bias: number;
}

/** One row to learn from. */
export interface SoftExample {
  readonly row: Float64Array;
  /** Probability of the wanted kind, 0..1. */
  readonly target: number;
  /** How much it counts. */
  readonly weight: number;
}

const MOST_STEPS = 12;
/** Newton's method ends when no parameter moves farther than this. */
const SMALLEST_STEP = 1e-6;

/**
 * Fits a logistic regression to soft labels by Newton's method: minimizes the weighted cross-entropy plus ridge / 2 · |weights|²
 * (the bias is free). Convex, so the answer does not depend on where it starts. @throws RangeError without examples
 */
export function fitSoftLogistic(examples: readonly SoftExample[], ridge: number): LogisticHead {
  const [first] = examples;
  if (first === undefined) throw new RangeError('a regression needs at least one example');
  const columns = first.row.length;
  const size = columns + 1; // the bias is the last parameter
  const parameters = new Float64Array(size);
  const total = examples.reduce((sum, { weight }) => sum + weight, 0);
  const mean = examples.reduce((sum, { weight, target }) => sum + weight * target, 0) / total;
  parameters[columns] = logit(mean);
  for (let step = 0; step < MOST_STEPS; step++) {
    const gradient = new Float64Array(size);
    const curvature = new Float64Array(size * size); // lower triangle
    for (let c = 0; c < columns; c++) {
      gradient[c] = ridge * parameters[c]!;
      curvature[c * size + c] = ridge;
    }
    for (const { row, target, weight } of examples) {
      const probability = sigmoid(linear(parameters, row));
      const residual = weight * (probability - target);
      const curve = weight * Math.max(1e-9, probability * (1 - probability));
      for (let c = 0; c < columns; c++) {
        const value = row[c]!;
        gradient[c]! += residual * value;
        if (value === 0) continue;
        const scaled = curve * value;
        for (let d = 0; d <= c; d++) curvature[c * size + d]! += scaled * row[d]!;
      }
      gradient[columns]! += residual;
      for (let d = 0; d < columns; d++) curvature[columns * size + d]! += curve * row[d]!;
      curvature[columns * size + columns]! += curve;
    }
    const move = solvePositiveDefinite(curvature, gradient, size);
    let largest = 0;
    // A long step from a poor start is cut: Newton's method may overshoot where the curve is flat.
    const longest = move.reduce((most, value) => Math.max(most, Math.abs(value)));
    const share = Math.min(1, 10 / (longest || 1));
    for (let c = 0; c < size; c++) {
      parameters[c]! -= share * move[c]!;
      largest = Math.max(largest, share * Math.abs(move[c]!));
    }
    if (largest < SMALLEST_STEP) break;
  }
  return { weights: parameters.slice(0, columns), bias: parameters[columns] };
}

/** The logit that a head gives a row. */
export function headLogit({ weights, bias }: LogisticHead, row: ArrayLike<number>): number {
  let sum = bias;
  for (let c = 0; c < weights.length; c++) sum += weights[c]! * row[c]!;
  return sum;
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Log odds of a probability, finite at 0 and 1. */
export function logit(probability: number): number {
  const inside = Math.max(1e-4, Math.min(1 - 1e-4, probability));
  return Math.log(inside / (1 - inside));
}

function linear(parameters: Float64Array, row: Float64Array): number {
  let sum = parameters[row.length]!;
  for (let c = 0; c < row.length; c++) sum += parameters[c]! * row[c]!;
  return sum;
}

/** Solves a x = b by Cholesky's method, in place. @param a [size * size], symmetric, its lower triangle */
function solvePositiveDefinite(a: Float64Array, b: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      a[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * size + j]!;
    }
  const x = b.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= a[i * size + k]! * x[k]!;
    x[i]! /= a[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= a[k * size + i]! * x[k]!;
    x[i]! /= a[i * size + i]!;
  }
  return x;
}
