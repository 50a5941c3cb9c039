import { cutFor, f1AtCut, fitCalibration, type CalibrationTrial } from '../../src/benchmark/fitCalibration';
import { sigmoid } from '../../src/segmentation/answering/softLogistic';
import { normal, seededRandom } from '../../src/sampo/random';

/** Questions whose nuclei are of the class with probability σ(slope · (standing − end)), the end lying at half of what the clicked reach. */
function questions(slope: number, seed: number): CalibrationTrial[] {
  const random = seededRandom(seed);
  return Array.from({ length: 80 }, (_, t) => {
    const clicked = -1 + 3 * random();
    const end = 0.5 * clicked;
    const nuclei = Array.from({ length: 120 }, () => {
      const standing = end + 2 * normal(random);
      return { standing, wanted: random() < sigmoid(slope * (standing - end)), known: true };
    });
    const truths = nuclei.filter(({ wanted }) => wanted).length;
    return { image: `${t % 8}`, clicks: 5, clicked, nuclei, truths, shownRight: 0, shownWanted: 0 };
  });
}

test('the end follows what the clicked reach, and the slope makes scores probabilities', () => {
  const trials = questions(2, 1);
  const calibration = fitCalibration(trials);
  const ends = trials.map((trial) => ({ is: cutFor(trial, calibration.cut), wanted: 0.5 * trial.clicked }));
  // F1 is highest a little below even odds, so the end lies a little lower, as much for all.
  const lower = ends.map(({ is, wanted }) => wanted - is);
  expect(Math.max(...lower) - Math.min(...lower)).toBeLessThan(0.5);
  expect(Math.abs(lower.reduce((sum, value) => sum + value, 0) / lower.length)).toBeLessThan(0.6);
  expect(calibration.slope).toBeGreaterThan(1.4);
  expect(calibration.slope).toBeLessThan(2.6);
  const mean = (at: (trial: CalibrationTrial) => number): number =>
    trials.reduce((sum, trial) => sum + f1AtCut(trial, at(trial)), 0) / trials.length;
  const own = mean((trial) => cutFor(trial, calibration.cut));
  for (const fixed of [-0.5, 0, 0.5]) expect(own).toBeGreaterThan(mean(() => fixed));
});

test('F1 at a cut counts what was shown', () => {
  const trial: CalibrationTrial = {
    image: 'a',
    clicks: 2,
    clicked: 1,
    nuclei: [
      { standing: 1, wanted: true, known: true },
      { standing: 0.5, wanted: false, known: true },
      { standing: -1, wanted: true, known: true },
    ],
    truths: 4,
    shownRight: 2,
    shownWanted: 2,
  };
  // Three right of four answered, four true.
  expect(f1AtCut(trial, 0)).toBeCloseTo(6 / 8, 12);
  expect(f1AtCut(trial, 2)).toBeCloseTo(4 / 6, 12);
});
