import type { Outline } from './geometry';
import { eachEdge, firstVertex, outlineArea } from './geometry';

/** Shape of an object; lengths in px of its outline times `scale`. */
export interface ShapeMeasurements {
  readonly area: number;
  readonly perimeter: number;
  /** 4π area / perimeter²: 1 for a disc. */
  readonly circularity: number;
  /** Axes of the ellipse with the same second moments. */
  readonly majorAxis: number;
  readonly minorAxis: number;
  readonly eccentricity: number;
  /** Area over the area of the convex hull. */
  readonly solidity: number;
}

/**
 * Measures an outline. The perimeter is that of a slightly smoothed border (each vertex replaced by the middles of its edges),
 * because a staircase of pixel edges is up to 27 % too long; a disc comes out 5 % long. @param scale µm per px of the outline, or 1
 */
export function measureShape(outline: Outline, scale = 1): ShapeMeasurements {
  const area = outlineArea(outline);
  const perimeter = smoothedPerimeter(outline);
  const { xx, yy, xy } = secondMoments(outline, area);
  const spread = Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy);
  const major = 4 * Math.sqrt((xx + yy) / 2 + spread);
  const minor = 4 * Math.sqrt(Math.max(0, (xx + yy) / 2 - spread));
  return {
    area: area * scale * scale,
    perimeter: perimeter * scale,
    circularity: Math.min(1, (4 * Math.PI * area) / (perimeter * perimeter)),
    majorAxis: major * scale,
    minorAxis: minor * scale,
    eccentricity: Math.sqrt(Math.max(0, 1 - (minor / major) ** 2)),
    solidity: Math.min(1, area / hullArea(outline)),
  };
}

function smoothedPerimeter(outline: Outline): number {
  let length = 0;
  for (const part of outline)
    for (const ring of part) {
      // Unit steps along the border, then the middles of neighbouring steps: a diagonal staircase becomes a straight line.
      const points: number[] = [];
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
        const dx = ring[i]! - ring[j]!;
        const dy = ring[i + 1]! - ring[j + 1]!;
        const steps = Math.max(1, Math.round(Math.hypot(dx, dy)));
        for (let s = 0; s < steps; s++)
          points.push(ring[j]! + (dx * (s + 0.5)) / steps, ring[j + 1]! + (dy * (s + 0.5)) / steps);
      }
      for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2)
        length += Math.hypot(points[i]! - points[j]!, points[i + 1]! - points[j + 1]!);
    }
  return length;
}

/** Central second moments of the area, px² (Green's theorem over the rings). */
function secondMoments(outline: Outline, area: number): { xx: number; yy: number; xy: number } {
  let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
  eachEdge(outline, firstVertex(outline), (ax, ay, bx, by, cross) => {
    sx += cross * (ax + bx);
    sy += cross * (ay + by);
    sxx += cross * (ax * ax + ax * bx + bx * bx);
    syy += cross * (ay * ay + ay * by + by * by);
    sxy += cross * (2 * ax * ay + ax * by + bx * ay + 2 * bx * by);
  });
  const [mx, my] = [sx / (6 * area), sy / (6 * area)];
  return {
    xx: sxx / (12 * area) - mx * mx,
    yy: syy / (12 * area) - my * my,
    xy: sxy / (24 * area) - mx * my,
  };
}

/** Area of the convex hull of all vertices (Andrew's monotone chain). */
function hullArea(outline: Outline): number {
  const points: [number, number][] = [];
  for (const part of outline) {
    const shell = part[0] ?? [];
    for (let i = 0; i < shell.length; i += 2) points.push([shell[i]!, shell[i + 1]!]);
  }
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const chain = (ordered: readonly [number, number][]): [number, number][] => {
    const hull: [number, number][] = [];
    for (const point of ordered) {
      while (hull.length >= 2 && turn(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
      hull.push(point);
    }
    hull.pop();
    return hull;
  };
  const hull = [...chain(points), ...chain(points.reverse())];
  return outlineArea([[hull.flat()]]);
}

function turn(
  a: readonly [number, number],
  b: readonly [number, number],
  c: readonly [number, number],
): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
