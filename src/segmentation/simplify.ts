import type { Outline, Ring } from './geometry';
import { isStrictlyValid } from './validity';

/**
 * An outline with fewer vertices, none of the dropped ones farther than `tolerance` px from the new border (Douglas and Peucker
 * 1973 on each ring). When the result would not be valid, with coordinates as `finish` leaves them, the exact outline comes back.
 * @param finish how coordinates are transformed and rounded afterwards; validity is judged on its result
 */
export function simplifyOutline(
  outline: Outline,
  tolerance: number,
  finish: (outline: Outline) => Outline = (same) => same,
): Outline {
  if (!(tolerance > 0)) return finish(outline);
  const simple = outline.map((part) => part.map((ring) => simplifyRing(ring, tolerance)));
  const finished = finish(simple);
  return isStrictlyValid(finished) ? finished : finish(outline);
}

/** Douglas-Peucker on a closed ring, split at its first vertex and the one farthest from it. */
function simplifyRing(ring: Ring, tolerance: number): Ring {
  const n = ring.length / 2;
  if (n <= 4) return ring;
  let far = 0;
  let best = -1;
  for (let i = 1; i < n; i++) {
    const distance = (ring[2 * i]! - ring[0]!) ** 2 + (ring[2 * i + 1]! - ring[1]!) ** 2;
    if (distance > best) {
      best = distance;
      far = i;
    }
  }
  const keep = new Uint8Array(n);
  keep[0] = keep[far] = 1;
  const stack = [0, far, far, n];
  while (stack.length > 0) {
    const to = stack.pop()!;
    const from = stack.pop()!;
    let worst = tolerance * tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const distance = squaredDistance(ring, i, from, to % n);
      if (distance > worst) {
        worst = distance;
        at = i;
      }
    }
    if (at < 0) continue;
    keep[at] = 1;
    stack.push(from, at, at, to);
  }
  return ring.filter((_, i) => keep[i >> 1] !== 0);
}

/** Squared distance of vertex `i` from the segment between vertices `a` and `b`, px². */
function squaredDistance(ring: Ring, i: number, a: number, b: number): number {
  const ax = ring[2 * a]!;
  const ay = ring[2 * a + 1]!;
  const dx = ring[2 * b]! - ax;
  const dy = ring[2 * b + 1]! - ay;
  const px = ring[2 * i]! - ax;
  const py = ring[2 * i + 1]! - ay;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
  return (px - t * dx) ** 2 + (py - t * dy) ** 2;
}
