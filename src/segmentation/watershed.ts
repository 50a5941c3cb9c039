/** Heights are compared on this many steps of [0, 1], so that rounding noise of a runtime cannot change an outcome. */
export const LEVELS = 1023;

/** Map values in 0..1 -> integer levels 0..LEVELS; NaN counts as 0. */
export function toLevels(values: Float32Array): Uint16Array {
  const levels = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
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
  // parent + 1; 0 = not entered yet. A root is its summit's pixel: the highest, first in raster order.
  const parent = new Int32Array(levels.length);
  const find = (at: number): number => {
    let root = at;
    while (parent[root]! - 1 !== root) root = parent[root]! - 1;
    for (let i = at; i !== root;) {
      const next = parent[i]! - 1;
      parent[i] = root + 1;
      i = next;
    }
    return root;
  };
  const higher = (a: number, b: number): boolean =>
    levels[a]! > levels[b]! || (levels[a] === levels[b] && a < b);
  for (const at of order) {
    const x = at % width;
    const around = [
      at >= width ? at - width : -1,
      x > 0 ? at - 1 : -1,
      x < width - 1 ? at + 1 : -1,
      at + width < levels.length ? at + width : -1,
    ];
    const roots: number[] = [];
    for (const next of around) {
      if (next < 0 || parent[next] === 0) continue;
      const root = find(next);
      if (!roots.includes(root)) roots.push(root);
    }
    const top = roots.reduce((best, root) => (best < 0 || higher(root, best) ? root : best), -1);
    parent[at] = (top < 0 ? at : top) + 1;
    for (const root of roots) if (root !== top && levels[root]! - levels[at]! < rise) parent[root] = top + 1;
  }
  const markers = new Int32Array(levels.length);
  for (const at of order) markers[at] = find(at) + 1;
  return markers;
}

/** Masked pixels with a level of at least `least`, highest first, raster order within a level (counting sort). */
function descending(levels: Uint16Array, mask: Uint8Array, least: number): Int32Array {
  const starts = new Int32Array(LEVELS + 2);
  for (let i = 0; i < levels.length; i++)
    if (mask[i] !== 0 && levels[i]! >= least) starts[LEVELS - levels[i]! + 1]!++;
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!;
  const order = new Int32Array(starts[LEVELS + 1]!);
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
  const next = new Int32Array(n);
  const head = new Int32Array(LEVELS + 1).fill(-1);
  const tail = new Int32Array(LEVELS + 1).fill(-1);
  let current = 0;
  const push = (at: number, level: number): void => {
    next[at] = -1;
    if (head[level]! < 0) head[level] = at;
    else next[tail[level]!] = at;
    tail[level] = at;
    if (level > current) current = level;
  };
  for (let i = 0; i < n; i++) if (labels[i] !== 0) push(i, levels[i]!);
  while (current >= 0) {
    const at = head[current]!;
    if (at < 0) {
      current--;
      continue;
    }
    head[current] = next[at]!;
    const label = labels[at]!;
    const level = current;
    const x = at % width;
    const visit = (to: number): void => {
      if (labels[to] !== 0 || mask[to] === 0) return;
      labels[to] = label;
      push(to, Math.min(level, levels[to]!));
    };
    if (at >= width) visit(at - width);
    if (x > 0) visit(at - 1);
    if (x < width - 1) visit(at + 1);
    if (at + width < n) visit(at + width);
  }
}
