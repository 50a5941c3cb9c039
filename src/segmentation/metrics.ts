import type { LabelImage } from './components';
import { countOverlaps, matchMasks, type Overlaps } from './matching';

/** Counts and rates of found against true objects. */
export interface DetectionScores {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Rates from counts: matched pairs, found objects, true objects. With nothing found precision is 0; with nothing to find and nothing found all are 1. */
export function detectionScores(matched: number, found: number, truth: number): DetectionScores {
  const empty = found === 0 && truth === 0;
  return {
    truePositives: matched,
    falsePositives: found - matched,
    falseNegatives: truth - matched,
    precision: found === 0 ? Number(empty) : matched / found,
    recall: truth === 0 ? Number(empty) : matched / truth,
    f1: empty ? 1 : (2 * matched) / (found + truth),
  };
}

/** Dice of the unions of all objects: 2 |A ∩ B| / (|A| + |B|); 1 when both are empty. @param found, truth [n], non-zero inside */
export function diceOfUnions(found: ArrayLike<number>, truth: ArrayLike<number>): number {
  let both = 0;
  let sum = 0;
  for (let i = 0; i < found.length; i++) {
    const a = found[i] !== 0 ? 1 : 0;
    const b = truth[i] !== 0 ? 1 : 0;
    both += a & b;
    sum += a + b;
  }
  return sum === 0 ? 1 : (2 * both) / sum;
}

/**
 * Aggregated Jaccard index (Kumar et al., IEEE TMI 2017): each true nucleus takes the unused object of highest IoU; intersections
 * over unions, with unused objects added to the unions. In label order; 1 when both images are empty.
 */
export function aggregatedJaccard(found: LabelImage, truth: LabelImage): number {
  const { pairs, objectAreas, labelAreas } = countOverlaps(found, truth);
  const byLabel = new Map<number, { object: number; pixels: number; iou: number }[]>();
  for (const { object, label, pixels } of pairs) {
    const iou = pixels / (objectAreas[object]! + labelAreas[label]! - pixels);
    byLabel.set(label, [...(byLabel.get(label) ?? []), { object, pixels, iou }]);
  }
  const used = new Set<number>();
  let intersections = 0;
  let unions = 0;
  for (let label = 1; label < labelAreas.length; label++) {
    const free = (byLabel.get(label) ?? []).filter(({ object }) => !used.has(object));
    const best = free.sort((a, b) => b.iou - a.iou || a.object - b.object)[0];
    unions += labelAreas[label]!;
    if (best === undefined) continue;
    used.add(best.object);
    intersections += best.pixels;
    unions += objectAreas[best.object]! - best.pixels;
  }
  for (let object = 1; object < objectAreas.length; object++)
    if (!used.has(object)) unions += objectAreas[object]!;
  return unions === 0 ? 1 : intersections / unions;
}

/** Panoptic quality and its factors: PQ = DQ * SQ. */
export interface PanopticScores {
  readonly detectionQuality: number;
  readonly segmentationQuality: number;
  readonly panopticQuality: number;
}

/** Panoptic quality (Kirillov et al. 2019) of one class, matches at IoU > 0.5; 1 when both images are empty. */
export function panopticQuality(found: LabelImage, truth: LabelImage): PanopticScores {
  const overlaps = countOverlaps(found, truth);
  const matches = matchMasks(overlaps).filter(({ value }) => value > 0.5);
  const { f1 } = detectionScores(matches.length, present(overlaps.objectAreas), present(overlaps.labelAreas));
  const sum = matches.reduce((total, { value }) => total + value, 0);
  const segmentationQuality = matches.length === 0 ? f1 : sum / matches.length;
  return { detectionQuality: f1, segmentationQuality, panopticQuality: f1 * segmentationQuality };
}

/** Every score that label images allow, by the matching rule of the intent benchmark. */
export interface MaskScores extends DetectionScores, PanopticScores {
  readonly dice: number;
  readonly aji: number;
}

/** Scores found objects against true ones; labels without a pixel do not count. */
export function scoreMasks(found: LabelImage, truth: LabelImage): MaskScores {
  const overlaps: Overlaps = countOverlaps(found, truth);
  const matches = matchMasks(overlaps);
  return {
    ...detectionScores(matches.length, present(overlaps.objectAreas), present(overlaps.labelAreas)),
    ...panopticQuality(found, truth),
    dice: diceOfUnions(found.labels, truth.labels),
    aji: aggregatedJaccard(found, truth),
  };
}

function present(areas: Int32Array): number {
  let count = 0;
  for (let i = 1; i < areas.length; i++) if (areas[i]! > 0) count++;
  return count;
}
