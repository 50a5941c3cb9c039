import type { LabelImage } from './components';
import type { Outline, Rectangle, Ring } from './geometry';
import { outlineContains, ringArea } from './geometry';

// Headings clockwise on screen: east, south, west, north.
const STEP_X = [1, 0, -1, 0] as const;
const STEP_Y = [0, 1, 0, -1] as const;

/**
 * Bounding rectangles of all labels, px: index label, `undefined` for index 0 and labels without a pixel.
 */
export function labelBounds({ width, height, labels, count }: LabelImage): (Rectangle | undefined)[] {
  const left = new Int32Array(count + 1).fill(width);
  const right = new Int32Array(count + 1).fill(-1);
  const top = new Int32Array(count + 1).fill(height);
  const bottom = new Int32Array(count + 1).fill(-1);
  for (let i = 0, y = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const label = labels[i]!;
      if (label === 0) continue;
      if (x < left[label]!) left[label] = x;
      if (x > right[label]!) right[label] = x;
      if (y < top[label]!) top[label] = y;
      bottom[label] = y;
    }
  return Array.from({ length: count + 1 }, (_, label) =>
    label === 0 || right[label]! < 0
      ? undefined
      : {
          x: left[label]!,
          y: top[label]!,
          width: right[label]! - left[label]! + 1,
          height: bottom[label]! - top[label]! + 1,
        },
  );
}

/**
 * The outline of one label along its pixels' edges: filling it returns exactly its pixels. Only corners are kept. A part is a
 * 4-connected region; rings never cross and visit no vertex twice, they may touch in single vertices (OGC-valid).
 * @param bounds bounding rectangle of the label; searched for rings @returns no part when the label has no pixel there
 */
export function traceLabel(image: LabelImage, label: number, bounds: Rectangle): Outline {
  const { width, height, labels } = image;
  const inside = (x: number, y: number): boolean =>
    x >= 0 && x < width && y >= 0 && y < height && labels[y * width + x] === label;
  const seen = new Uint8Array(bounds.width * bounds.height); // top edges already walked
  const rings: Ring[] = [];
  for (let y = bounds.y; y < bounds.y + bounds.height; y++)
    for (let x = bounds.x; x < bounds.x + bounds.width; x++) {
      if (!inside(x, y) || inside(x, y - 1)) continue;
      if (seen[(y - bounds.y) * bounds.width + x - bounds.x] !== 0) continue;
      const { ring, pinched } = walk(inside, x, y, bounds, seen);
      if (pinched) rings.push(...splitAtPinches(ring));
      else rings.push(ring);
    }
  return gatherParts(rings);
}

/** The outline of a mask [height * width], non-zero inside. */
export function traceMask(mask: Uint8Array, width: number, height: number): Outline {
  const labels = Int32Array.from(mask, (value) => (value !== 0 ? 1 : 0));
  return traceLabel({ width, height, labels, count: 1 }, 1, { x: 0, y: 0, width, height });
}

/**
 * Follows the cracks between pixels from the top edge of (startX, startY), the object on the right, until back. Where two of
 * its pixels meet in a corner only, the walk stays with its pixel: objects are 4-connected.
 */
function walk(
  inside: (x: number, y: number) => boolean,
  startX: number,
  startY: number,
  bounds: Rectangle,
  seen: Uint8Array,
): { ring: number[]; pinched: boolean } {
  const ring: number[] = [];
  let pinched = false;
  let x = startX;
  let y = startY;
  let heading = 0;
  do {
    if (heading === 0) seen[(y - bounds.y) * bounds.width + x - bounds.x] = 1;
    x += STEP_X[heading]!;
    y += STEP_Y[heading]!;
    // The pixels ahead of vertex (x, y): right and left of the heading.
    const right = inside(x - (heading === 1 || heading === 2 ? 1 : 0), y - (heading >= 2 ? 1 : 0));
    const left = inside(
      x - (heading === 2 || heading === 3 ? 1 : 0),
      y - (heading === 0 || heading === 3 ? 1 : 0),
    );
    let turn = 0;
    if (!right) {
      turn = 1;
      if (left) pinched = true;
    } else if (left) turn = 3;
    if (turn !== 0) ring.push(x, y);
    heading = (heading + turn) % 4;
  } while (x !== startX || y !== startY || heading !== 0);
  return { ring, pinched };
}

/** Cuts a ring that meets itself in vertices into rings that do not. */
function splitAtPinches(ring: readonly number[]): Ring[] {
  const rings: Ring[] = [];
  let path: number[] = [];
  const at = new Map<string, number>();
  for (let i = 0; i < ring.length; i += 2) {
    const key = `${ring[i]},${ring[i + 1]}`;
    const first = at.get(key);
    if (first === undefined) {
      at.set(key, path.length);
      path.push(ring[i]!, ring[i + 1]!);
      continue;
    }
    const loop = path.slice(first);
    for (let j = 2; j < loop.length; j += 2) at.delete(`${loop[j]},${loop[j + 1]}`);
    path = path.slice(0, first + 2);
    rings.push(loop);
  }
  rings.push(path);
  // A cut can leave a vertex in the middle of a straight edge.
  return rings.map(withoutCollinear);
}

function withoutCollinear(ring: Ring): Ring {
  const kept: number[] = [];
  const n = ring.length;
  for (let i = 0; i < n; i += 2) {
    const ax = ring[(i + n - 2) % n]!;
    const ay = ring[(i + n - 1) % n]!;
    const bx = ring[(i + 2) % n]!;
    const by = ring[(i + 3) % n]!;
    const x = ring[i]!;
    const y = ring[i + 1]!;
    if ((x - ax) * (by - y) !== (y - ay) * (bx - x)) kept.push(x, y);
  }
  return kept;
}

/** Sorts rings into parts: each hole goes to the smallest shell around the pixel on its object side. */
function gatherParts(rings: readonly Ring[]): Outline {
  const shells: { ring: Ring; area: number; part: Ring[] }[] = [];
  const holes: Ring[] = [];
  for (const ring of rings) {
    const area = ringArea(ring);
    if (area > 0) shells.push({ ring, area, part: [ring] });
    else holes.push(ring);
  }
  if (shells.length > 1 && holes.length > 0) shells.sort((a, b) => a.area - b.area);
  for (const hole of holes) {
    // Half a pixel to the right of the first edge lies a pixel of the object.
    const dx = Math.sign(hole[2]! - hole[0]!);
    const dy = Math.sign(hole[3]! - hole[1]!);
    const x = hole[0]! + (dx - dy) / 2;
    const y = hole[1]! + (dx + dy) / 2;
    const shell =
      shells.length === 1 ? shells[0] : shells.find(({ ring }) => outlineContains([[ring]], x, y));
    shell?.part.push(hole);
  }
  return shells.map(({ part }) => part);
}
