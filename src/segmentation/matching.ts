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
 * Matches object centres to labelled points: distance <= `radius` px (3 µm in the benchmark), each used once, as many pairs as
 * there can be. Numbers are indices from 0. -> nearest pair first
 */
export function matchPoints(objects: readonly Point[], labels: readonly Point[], radius: number): Match[] {
  return matchMost(nearPairs(objects, labels, radius));
}

/** Every object and label within `radius` px of each other, nearest first (ties: lower object, then lower label). */
export function nearPairs(objects: readonly Point[], labels: readonly Point[], radius: number): Match[] {
  const pairs: Match[] = [];
  objects.forEach((a, object) =>
    labels.forEach((b, label) => {
      if (Math.abs(a.x - b.x) > radius) return;
      const value = Math.hypot(a.x - b.x, a.y - b.y);
      if (value <= radius) pairs.push({ object, label, value });
    }),
  );
  return pairs.sort((a, b) => a.value - b.value || a.object - b.object || a.label - b.label);
}

/**
 * A one-to-one choice of as many pairs as possible: greedily in their order, then along augmenting paths (Kuhn 1955), so that
 * where two objects compete for a label nobody goes without who could have had another. -> in the order of `pairs`
 */
export function matchMost(pairs: readonly Match[]): Match[] {
  const byObject = new Map<number, Match[]>();
  for (const pair of pairs) {
    const own = byObject.get(pair.object);
    if (own === undefined) byObject.set(pair.object, [pair]);
    else own.push(pair);
  }
  const taken = new Map(takeGreedily(pairs).map((pair) => [pair.label, pair]));
  const matched = new Set([...taken.values()].map(({ object }) => object));
  const place = (object: number, visited: Set<number>): boolean => {
    for (const pair of byObject.get(object)!) {
      if (visited.has(pair.label)) continue;
      visited.add(pair.label);
      const holder = taken.get(pair.label);
      if (holder !== undefined && !place(holder.object, visited)) continue;
      taken.set(pair.label, pair);
      return true;
    }
    return false;
  };
  for (const object of byObject.keys()) if (!matched.has(object)) place(object, new Set());
  return pairs.filter((pair) => taken.get(pair.label) === pair);
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
