import { scratch } from './scratch';

/** A label image: `labels` [height * width], 0 is background, objects are 1..count. */
export interface LabelImage {
  readonly width: number;
  readonly height: number;
  readonly labels: Int32Array;
  readonly count: number;
}

/**
 * Connected components of equal non-zero values, numbered in raster order of their first pixel.
 * @param values [height * width]; pixels of value 0 are background @param connectivity 4 or 8 neighbours
 */
export function connectedComponents(
  values: Int32Array | Uint8Array,
  width: number,
  height: number,
  connectivity: 4 | 8 = 4,
): LabelImage {
  const labels = new Int32Array(width * height);
  const queue = new Int32Array(width * height);
  const steps = [-width, -1, 1, width];
  if (connectivity === 8) steps.push(-width - 1, -width + 1, width - 1, width + 1);
  const lastRow = labels.length - width;
  let count = 0;
  for (let start = 0; start < labels.length; start++) {
    const value = values[start]!;
    if (value === 0 || labels[start] !== 0) continue;
    labels[start] = ++count;
    queue[0] = start;
    for (let head = 0, tail = 1; head < tail; head++) {
      const at = queue[head]!;
      const x = at % width;
      const onEdge = x === 0 || x === width - 1 || at < width || at >= lastRow;
      for (let k = 0; k < steps.length; k++) {
        const next = at + steps[k]!;
        if (onEdge) {
          if (next < 0 || next >= labels.length) continue;
          const dx = (next % width) - x; // a step over the left or right edge lands far away
          if (dx > 1 || dx < -1) continue;
        }
        if (labels[next] !== 0 || values[next] !== value) continue;
        labels[next] = count;
        queue[tail++] = next;
      }
    }
  }
  return { width, height, labels, count };
}

/** Pixels per label: [count + 1], index 0 is background. */
export function labelAreas({ labels, count }: LabelImage): Int32Array {
  const areas = new Int32Array(count + 1);
  for (let i = 0; i < labels.length; i++) areas[labels[i]!]!++;
  return areas;
}

/** Fills, in place, every background region that lies wholly inside one object: off the border and next to that label alone. */
export function fillHoles({ width, height, labels }: LabelImage): void {
  const runs = backgroundRuns(labels, width, height);
  const { count, starts, ends, rows, parent, owner } = runs;
  for (let run = 0; run < count; run++) {
    const root = rootOf(parent, run);
    if (owner[root] === OPEN) continue;
    // A run that is not open has all its neighbours inside the image.
    const from = rows[run]! * width + starts[run]!;
    const to = rows[run]! * width + ends[run]!;
    own(owner, root, labels[from - 1]!);
    own(owner, root, labels[to]!);
    for (let i = from; i < to; i++) {
      own(owner, root, labels[i - width]!);
      own(owner, root, labels[i + width]!);
    }
  }
  for (let run = 0; run < count; run++) {
    const label = owner[rootOf(parent, run)]!;
    if (label > 0) labels.fill(label, rows[run]! * width + starts[run]!, rows[run]! * width + ends[run]!);
  }
}

/** Owner of a region that reaches the border or lies between several objects. */
const OPEN = -1;

/** The rows' runs of background, [start, end) each, joined 8-connected: `owner` of a root is `OPEN` when its region reaches the border. */
interface Runs {
  readonly count: number;
  readonly rows: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly parent: Int32Array;
  readonly owner: Int32Array;
}

const runScratch = {
  rows: scratch(Int32Array),
  starts: scratch(Int32Array),
  ends: scratch(Int32Array),
  parent: scratch(Int32Array),
  owner: scratch(Int32Array),
};

function backgroundRuns(labels: Int32Array, width: number, height: number): Runs {
  const most = height * ((width >> 1) + 1);
  const rows = runScratch.rows(most);
  const starts = runScratch.starts(most);
  const ends = runScratch.ends(most);
  const parent = runScratch.parent(most);
  const owner = runScratch.owner(most);
  let count = 0;
  let above = 0;
  for (let y = 0; y < height; y++) {
    const rowStart = count;
    let seen = above; // of the runs above, the first that may still touch
    for (let x = 0, row = y * width; x < width; x++) {
      if (labels[row + x] !== 0) continue;
      const start = x;
      while (x < width && labels[row + x] === 0) x++;
      const border = y === 0 || y === height - 1 || start === 0 || x === width;
      rows[count] = y;
      starts[count] = start;
      ends[count] = x;
      parent[count] = count;
      owner[count] = border ? OPEN : 0;
      while (seen < rowStart && ends[seen]! < start) seen++;
      for (let run = seen; run < rowStart && starts[run]! <= x; run++) join(parent, owner, run, count);
      count++;
    }
    above = rowStart;
  }
  return { count, rows, starts, ends, parent, owner };
}

function rootOf(parent: Int32Array, run: number): number {
  let root = run;
  while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!;
  return root;
}

function join(parent: Int32Array, owner: Int32Array, a: number, b: number): void {
  const first = rootOf(parent, a);
  const second = rootOf(parent, b);
  if (first === second) return;
  parent[second] = first;
  if (owner[second] === OPEN) owner[first] = OPEN;
}

function own(owner: Int32Array, root: number, label: number): void {
  if (label === 0 || owner[root] === label) return;
  owner[root] = owner[root] === 0 ? label : OPEN;
}

const areaScratch = scratch(Int32Array);
const numberScratch = scratch(Int32Array);

/** Drops objects under `minArea` px and renumbers the rest in raster order of their first pixel; `labels` is changed in place. */
export function dropSmall(image: LabelImage, minArea: number): LabelImage {
  const areas = areaScratch(image.count + 1).fill(0);
  const renumbered = numberScratch(image.count + 1).fill(0);
  let count = 0;
  const { labels } = image;
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) areas[labels[i]!]!++;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    if (areas[label]! < minArea) labels[i] = 0;
    else labels[i] = renumbered[label]! || (renumbered[label] = ++count);
  }
  return { ...image, count };
}
