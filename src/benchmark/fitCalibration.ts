import type { AnswerCalibration } from '../segmentation/answering/answerScores';
import { sigmoid } from '../segmentation/answering/softLogistic';
import { mean } from './report';

/** One question with what is true about it. */
export interface CalibrationTrial {
  readonly image: string;
  /** Wanted examples. */
  readonly clicks: number;
  /** Mean logit of the wanted nuclei. */
  readonly clicked: number;
  /** Every found nucleus that the user has not shown. */
  readonly nuclei: readonly {
    /** `Standing.of`. */
    readonly standing: number;
    /** Matched to a true object of the class. */
    readonly wanted: boolean;
    /** Matched to a true object whose class is known. */
    readonly known: boolean;
  }[];
  /** True objects of the class, and those among them that were shown and found. */
  readonly truths: number;
  readonly shownRight: number;
  /** Nuclei that were shown as wanted. */
  readonly shownWanted: number;
}

/** Cuts at which F1 is known, logits. */
const GRID = Array.from({ length: 46 }, (_, i) => -2 + 0.1 * i);
/** Pulls the numbers of the cut toward 0: a few images tell little. */
const PULL = 0.002;

/** The calibration of the highest mean F1, and the slope at which scores are probabilities. */
export function fitCalibration(trials: readonly CalibrationTrial[]): AnswerCalibration {
  const curves = trials.map(f1Curve);
  const rows = trials.map(({ clicks, clicked }) => [1, 1 / clicks, clicked]);
  const value = (numbers: readonly number[]): number =>
    mean(curves.map((curve, i) => at(curve, dot(rows[i]!, numbers)))) -
    PULL * (numbers[1]! ** 2 + numbers[2]! ** 2);
  let best = [0, 0, 0];
  let most = value(best);
  const steps = [0.3, 0.3, 0.3];
  for (let round = 0; round < 14; round++)
    for (let j = 0; j < 3; j++) {
      const better = [steps[j]!, -steps[j]!]
        .map((step) => best.map((number, n) => (n === j ? number + step : number)))
        .find((numbers) => value(numbers) > most);
      if (better === undefined) steps[j]! /= 2;
      else {
        best = better;
        most = value(better);
      }
    }
  const [base = 0, oneClick = 0, clicked = 0] = best.map(hundredths);
  const cut = { base, oneClick, clicked };
  return { cut, slope: hundredths(fitSlope(trials, cut)) };
}

/** F1 of a question, as its cut would have it. */
export function f1AtCut({ nuclei, truths, shownRight, shownWanted }: CalibrationTrial, cut: number): number {
  let selected = shownWanted;
  let right = shownRight;
  for (const { standing, wanted } of nuclei) {
    if (standing < cut) continue;
    selected++;
    if (wanted) right++;
  }
  return selected + truths === 0 ? 0 : (2 * right) / (selected + truths);
}

/** Where the answer to a question ends. */
export function cutFor(
  { clicks, clicked }: Pick<CalibrationTrial, 'clicks' | 'clicked'>,
  cut: AnswerCalibration['cut'],
): number {
  return Math.max(-1, Math.min(1, cut.base + cut.oneClick / clicks + cut.clicked * clicked));
}

/** Slope of the highest likelihood of the known classes, by Newton's method; each question weighs the same. */
function fitSlope(trials: readonly CalibrationTrial[], cut: AnswerCalibration['cut']): number {
  let slope = 1;
  for (let step = 0; step < 30; step++) {
    let gradient = 0;
    let curvature = 1e-9;
    for (const trial of trials) {
      const end = cutFor(trial, cut);
      for (const { standing, wanted, known } of trial.nuclei) {
        if (!known) continue;
        const x = standing - end;
        const p = sigmoid(slope * x);
        gradient += ((p - Number(wanted)) * x) / trial.nuclei.length;
        curvature += (p * (1 - p) * x * x) / trial.nuclei.length;
      }
    }
    slope -= gradient / curvature;
  }
  return slope;
}

function f1Curve(trial: CalibrationTrial): number[] {
  return GRID.map((cut) => f1AtCut(trial, cut));
}

/** A curve over the grid, linearly between its points. */
function at(curve: readonly number[], cut: number): number {
  const place = Math.max(0, Math.min(GRID.length - 1.001, (cut - GRID[0]!) / 0.1));
  const below = Math.floor(place);
  return curve[below]! + (place - below) * (curve[below + 1]! - curve[below]!);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
