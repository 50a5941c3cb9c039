import type { LabelImage } from './components';
import type { Point } from './geometry';

/** One object and the label it was matched to, by index; `value` is their IoU or their distance in px. */
export interface Match {
  readonly object: number;
  readonly label: number;
  readonly value: number;
}

/** How far two label images overlap: pixels per pair "object,label", and pixels per object and per label. */
export interface Overlaps {
  readonly pairs: readonly { readonly object: number; readonly label: number; readonly pixels: number }[];
  readonly objectAreas: Int32Array;
  readonly labelAreas: Int32Array;
}

/** Counts the overlaps of found objects with true labels, both 1..count. @throws RangeError when sizes differ */
export function countOverlaps(found: LabelImage, truth: LabelImage): Overlaps {
  if (found.width !== truth.width || found.height !== truth.height)
    throw new RangeError('label images must have one size');
  const objectAreas = new Int32Array(found.count + 1);
  const labelAreas = new Int32Array(truth.count + 1);
  const counts = new Map<number, number>();
  for (let i = 0; i < found.labels.length; i++) {
    const object = found.labels[i]!;
    const label = truth.labels[i]!;
    if (object > 0) objectAreas[object]!++;
    if (label > 0) labelAreas[label]!++;
    if (object === 0 || label === 0) continue;
    const key = object * (truth.count + 1) + label;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const pairs = [...counts].map(([key, pixels]) => ({
    object: Math.floor(key / (truth.count + 1)),
    label: key % (truth.count + 1),
    pixels,
  }));
  return { pairs, objectAreas, labelAreas };
}

/**
 * Matches objects to labels by mask: IoU >= `threshold`, each used once, greedily from the highest IoU (ties: lower object, then
 * lower label). Above 0.5 at most one partner exists, so the order only matters at exactly 0.5. Numbers are labels 1..count.
 */
export function matchMasks({ pairs, objectAreas, labelAreas }: Overlaps, threshold = 0.5): Match[] {
  const candidates = pairs.flatMap(({ object, label, pixels }) => {
    const value = pixels / (objectAreas[object]! + labelAreas[label]! - pixels);
    return value >= threshold ? [{ object, label, value }] : [];
  });
  return takeGreedily(
    candidates.sort((a, b) => b.value - a.value || a.object - b.object || a.label - b.label),
  );
}

/**
 * Matches object centres to labelled points: distance <= `radius` px (3 µm in the benchmark), each used once, greedily from the
 * nearest pair (ties: lower object, then lower label). Numbers are indices from 0.
 */
export function matchPoints(objects: readonly Point[], labels: readonly Point[], radius: number): Match[] {
  const candidates: Match[] = [];
  objects.forEach((a, object) =>
    labels.forEach((b, label) => {
      const value = Math.hypot(a.x - b.x, a.y - b.y);
      if (value <= radius) candidates.push({ object, label, value });
    }),
  );
  return takeGreedily(
    candidates.sort((a, b) => a.value - b.value || a.object - b.object || a.label - b.label),
  );
}

function takeGreedily(candidates: readonly Match[]): Match[] {
  const objects = new Set<number>();
  const labels = new Set<number>();
  return candidates.filter(({ object, label }) => {
    if (objects.has(object) || labels.has(label)) return false;
    objects.add(object);
    labels.add(label);
    return true;
  });
}
