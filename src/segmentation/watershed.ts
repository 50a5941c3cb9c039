import { scratch } from './scratch';

/** Heights are compared on this many steps of [0, 1], so that rounding noise of a runtime cannot change an outcome. */
export const LEVELS = 1023;

const levelScratch = scratch(Uint16Array);

/** Map values in 0..1 -> integer levels 0..LEVELS, 0 outside `mask`; NaN counts as 0. Valid until the next call. */
export function toLevels(values: Float32Array, mask: Uint8Array): Uint16Array {
  const levels = levelScratch(values.length).fill(0);
  for (let i = 0; i < values.length; i++) {
    if (mask[i] === 0) continue;
    const value = values[i]!;
    levels[i] = value > 0 ? Math.round(Math.min(1, value) * LEVELS) : 0;
  }
  return levels;
}

/**
 * Markers: the summits of `levels` at or above `threshold` that rise at least `dynamics` over the saddle to a higher
 * neighbour (h-maxima), each with the ground above `threshold` that drains to it. Pixels enter from the highest down; where
 * two summits meet, the lower one joins the higher if it rises too little (union-find). Ties fall to raster order.
 * @param mask [n] non-zero where markers may be @param threshold, dynamics in 0..1 @returns labels [n], 0 or a summit's pixel + 1
 */
export function findMarkers(
  levels: Uint16Array,
  mask: Uint8Array,
  width: number,
  threshold: number,
  dynamics: number,
): Int32Array {
  const least = Math.max(1, Math.ceil(threshold * LEVELS));
  const rise = dynamics * LEVELS;
  const order = descending(levels, mask, least);
  const n = levels.length;
  // parent + 1; 0 = not entered yet. A root is its summit's pixel: the highest, first in raster order.
  const parent = new Int32Array(n);
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!;
    const x = at % width;
    const up = at >= width && parent[at - width] !== 0 ? rootOf(parent, at - width) : -1;
    const left = x > 0 && parent[at - 1] !== 0 ? rootOf(parent, at - 1) : -1;
    const right = x < width - 1 && parent[at + 1] !== 0 ? rootOf(parent, at + 1) : -1;
    const down = at + width < n && parent[at + width] !== 0 ? rootOf(parent, at + width) : -1;
    const top = higher(levels, higher(levels, up, left), higher(levels, right, down));
    parent[at] = (top < 0 ? at : top) + 1;
    if (top < 0) continue;
    const saddle = levels[at]!;
    if (up >= 0 && up !== top && levels[up]! - saddle < rise) parent[up] = top + 1;
    if (left >= 0 && left !== top && levels[left]! - saddle < rise) parent[left] = top + 1;
    if (right >= 0 && right !== top && levels[right]! - saddle < rise) parent[right] = top + 1;
    if (down >= 0 && down !== top && levels[down]! - saddle < rise) parent[down] = top + 1;
  }
  for (let i = 0; i < order.length; i++) parent[order[i]!] = rootOf(parent, order[i]!) + 1;
  return parent;
}

/** The root of a pixel's tree; shortens the way to it. */
function rootOf(parent: Int32Array, at: number): number {
  let root = at;
  while (parent[root]! - 1 !== root) root = parent[root]! - 1;
  for (let i = at; i !== root;) {
    const next = parent[i]! - 1;
    parent[i] = root + 1;
    i = next;
  }
  return root;
}

/** The higher of two summits, the first in raster order of equal ones; -1 is none. */
function higher(levels: Uint16Array, a: number, b: number): number {
  if (a < 0) return b;
  if (b < 0) return a;
  if (levels[a] === levels[b]) return a < b ? a : b;
  return levels[a]! > levels[b]! ? a : b;
}

const orderScratch = scratch(Int32Array);

/** Masked pixels with a level of at least `least`, highest first, raster order within a level (counting sort). */
function descending(levels: Uint16Array, mask: Uint8Array, least: number): Int32Array {
  const starts = new Int32Array(LEVELS + 2);
  for (let i = 0; i < levels.length; i++)
    if (mask[i] !== 0 && levels[i]! >= least) starts[LEVELS - levels[i]! + 1]!++;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const order = orderScratch(starts[LEVELS + 1]!);
  for (let i = 0; i < levels.length; i++)
    if (mask[i] !== 0 && levels[i]! >= least) order[starts[LEVELS - levels[i]!]!++] = i;
  return order;
}

/**
 * Marker-controlled watershed by flooding from the top (Meyer 1994, priority queue of buckets, first in first out): every
 * masked pixel that a marker reaches through 4-neighbours takes its label; there are no lines between basins.
 * @param labels [n] markers > 0; completed in place @param mask [n] non-zero where the flood may go
 */
export function flood(labels: Int32Array, levels: Uint16Array, mask: Uint8Array, width: number): void {
  const n = labels.length;
  const queues = { head: heads.fill(-1), tail: tails, next: nextScratch(n) };
  let current = 0;
  for (let i = 0; i < n; i++) {
    if (labels[i] === 0) continue;
    push(queues, i, levels[i]!);
    if (levels[i]! > current) current = levels[i]!;
  }
  while (current >= 0) {
    const at = heads[current]!;
    if (at < 0) {
      current--;
      continue;
    }
    heads[current] = queues.next[at]!;
    const label = labels[at]!;
    const x = at % width;
    for (let side = 0; side < 4; side++) {
      if (side === 0 ? at < width : side === 1 ? x === 0 : side === 2 ? x === width - 1 : at + width >= n)
        continue;
      const to = side === 0 ? at - width : side === 1 ? at - 1 : side === 2 ? at + 1 : at + width;
      if (labels[to] !== 0 || mask[to] === 0) continue;
      labels[to] = label;
      push(queues, to, levels[to]! < current ? levels[to]! : current);
    }
  }
}

/** First in, first out: one list of pixels per level. */
interface Queues {
  readonly head: Int32Array;
  readonly tail: Int32Array;
  readonly next: Int32Array;
}

const heads = new Int32Array(LEVELS + 1);
const tails = new Int32Array(LEVELS + 1);
const nextScratch = scratch(Int32Array);

function push({ head, tail, next }: Queues, at: number, level: number): void {
  next[at] = -1;
  if (head[level]! < 0) head[level] = at;
  else next[tail[level]!] = at;
  tail[level] = at;
}
