import type { Outline, Ring } from './geometry';
import { outlineContains, ringArea } from './geometry';

/**
 * Whether every ring is simple, no two rings share more than single vertices of both, and shells and holes are oriented and
 * nested as they should be: a sufficient test for OGC validity, stricter than it about rings that touch. O(n²) in vertices.
 */
export function isStrictlyValid(outline: Outline): boolean {
  const rings = outline.flat();
  if (rings.some((ring) => ring.length < 6)) return false;
  for (const part of outline)
    for (const [i, ring] of part.entries())
      if (i === 0 ? ringArea(ring) <= 0 : ringArea(ring) >= 0) return false;
  for (let a = 0; a < rings.length; a++)
    for (let b = a; b < rings.length; b++) if (ringsMeet(rings[a]!, rings[b]!, a === b)) return false;
  // Rings do not meet, so one vertex tells on which side a whole ring lies.
  return outline.every((part, p) => {
    const [shell = [], ...holes] = part;
    const inShell = holes.every((hole) => outlineContains([[shell]], hole[0]!, hole[1]!));
    const apart = holes.every((hole, i) =>
      holes.every((other, j) => i === j || !outlineContains([[other]], hole[0]!, hole[1]!)),
    );
    const alone = outline.every((other, q) => p === q || !outlineContains([other], shell[0]!, shell[1]!));
    return inShell && apart && alone;
  });
}

function ringsMeet(a: Ring, b: Ring, same: boolean): boolean {
  const n = a.length;
  for (let i = 0; i < n; i += 2) {
    const next = i + 2 < n ? i + 2 : 0;
    const ax = a[i]!;
    const ay = a[i + 1]!;
    const bx = a[next]!;
    const by = a[next + 1]!;
    const [left, right] = ax < bx ? [ax, bx] : [bx, ax];
    const [top, bottom] = ay < by ? [ay, by] : [by, ay];
    for (let j = same ? i + 2 : 0; j < b.length; j += 2) {
      const after = j + 2 < b.length ? j + 2 : 0;
      if (same && (j === next || after === i)) {
        // Neighbouring edges share a vertex; they must not fold back on each other.
        const pivot = j === next ? j : i;
        const from = j === next ? i : j;
        const to = j === next ? after : next;
        if (foldsBack(a, from, pivot, to)) return true;
        continue;
      }
      const cx = b[j]!;
      const cy = b[j + 1]!;
      const dx = b[after]!;
      const dy = b[after + 1]!;
      if ((cx < left && dx < left) || (cx > right && dx > right)) continue;
      if ((cy < top && dy < top) || (cy > bottom && dy > bottom)) continue;
      if (
        side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) <= 0 &&
        side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) <= 0
      )
        return true;
    }
  }
  return false;
}

/** On which side of the line p-q the point r lies: -1, 0 or 1. */
function side(px: number, py: number, qx: number, qy: number, rx: number, ry: number): number {
  return Math.sign((qx - px) * (ry - py) - (qy - py) * (rx - px));
}

function foldsBack(ring: Ring, from: number, pivot: number, to: number): boolean {
  const ax = ring[from]! - ring[pivot]!;
  const ay = ring[from + 1]! - ring[pivot + 1]!;
  const bx = ring[to]! - ring[pivot]!;
  const by = ring[to + 1]! - ring[pivot + 1]!;
  return (ax === 0 && ay === 0) || (bx === 0 && by === 0) || (ax * by === ay * bx && ax * bx + ay * by > 0);
}
