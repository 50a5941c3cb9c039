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

const MOST_STEPS = 24;
/** Steps that see the curvature anew; the later ones keep the last. */
const CURVED_STEPS = 4;
/** A step moves no parameter farther than this. */
const LONGEST_STEP = 10;
/** The last step moves no parameter farther than this. */
const SMALLEST_STEP = 1e-3;

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
  let factor: Float64Array = new Float64Array(0);
  for (let step = 0; step < MOST_STEPS; step++) {
    const gradient = new Float64Array(size);
    for (let c = 0; c < columns; c++) gradient[c] = ridge * parameters[c]!;
    // The curvature is most of the work and changes little after a few steps.
    const curvature = step < CURVED_STEPS ? new Float64Array(size * size) : undefined;
    for (const { row, target, weight } of examples) {
      const probability = sigmoid(linear(parameters, row));
      const residual = weight * (probability - target);
      for (let c = 0; c < columns; c++) gradient[c]! += residual * row[c]!;
      gradient[columns]! += residual;
      if (curvature !== undefined) addCurvature(curvature, row, weight * probability * (1 - probability));
    }
    if (curvature !== undefined) {
      for (let c = 0; c < columns; c++) curvature[c * size + c]! += ridge;
      factor = choleskyFactor(curvature, size);
    }
    const move = solve(factor, gradient, size);
    // A long step from a poor start is cut: Newton's method may overshoot where the curve is flat.
    const longest = move.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const share = Math.min(1, LONGEST_STEP / (longest || 1));
    for (let c = 0; c < size; c++) parameters[c]! -= share * move[c]!;
    if (longest < SMALLEST_STEP) break;
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

/** Adds one row's part to the lower triangle of the curvature; the bias is a column of ones behind the others. */
function addCurvature(curvature: Float64Array, row: Float64Array, curve: number): void {
  const columns = row.length;
  const size = columns + 1;
  const weight = Math.max(1e-9, curve);
  for (let c = 0; c < columns; c++) {
    const scaled = weight * row[c]!;
    if (scaled === 0) continue;
    const from = c * size;
    for (let d = 0; d <= c; d++) curvature[from + d]! += scaled * row[d]!;
    curvature[columns * size + c]! += scaled;
  }
  curvature[columns * size + columns]! += weight;
}

/** Cholesky's factor of a symmetric positive definite matrix, in place. @param a [size * size], its lower triangle */
function choleskyFactor(a: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      a[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * size + j]!;
    }
  return a;
}

/** Solves factor · factorᵀ · x = b. */
function solve(factor: Float64Array, b: Float64Array, size: number): Float64Array {
  const x = b.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= factor[i * size + k]! * x[k]!;
    x[i]! /= factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= factor[k * size + i]! * x[k]!;
    x[i]! /= factor[i * size + i]!;
  }
  return x;
}
