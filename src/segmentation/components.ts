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
export function fillHoles(image: LabelImage): void {
  const { width, height, labels } = image;
  const background = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) background[i] = labels[i] === 0 ? 1 : 0;
  const holes = connectedComponents(background, width, height, 8);
  const OPEN = -1;
  const steps = [-width, -1, 1, width];
  const owner = new Int32Array(holes.count + 1);
  for (let i = 0, y = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const hole = holes.labels[i]!;
      if (hole === 0 || owner[hole] === OPEN) continue;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) {
        owner[hole] = OPEN;
        continue;
      }
      for (let k = 0; k < steps.length; k++) {
        const label = labels[i + steps[k]!]!;
        if (label === 0 || owner[hole] === label) continue;
        owner[hole] = owner[hole] === 0 ? label : OPEN;
      }
    }
  for (let i = 0; i < labels.length; i++) {
    const by = owner[holes.labels[i]!]!;
    if (labels[i] === 0 && by > 0) labels[i] = by;
  }
}

/** Drops objects under `minArea` px and renumbers the rest in raster order of their first pixel; `labels` is changed in place. */
export function dropSmall(image: LabelImage, minArea: number): LabelImage {
  const areas = labelAreas(image);
  const renumbered = new Int32Array(image.count + 1);
  let count = 0;
  const { labels } = image;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    if (areas[label]! < minArea) labels[i] = 0;
    else labels[i] = renumbered[label]! || (renumbered[label] = ++count);
  }
  return { ...image, count };
}
