/** A position in pixels; the origin is the top-left corner of the top-left pixel, x to the right, y down. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An axis-parallel rectangle in pixels: x <= X < x + width. */
export interface Rectangle extends Point, Size {}

/** An open ring as flat coordinates [x0, y0, x1, y1, ...]; shells have positive `ringArea`, holes negative. */
export type Ring = readonly number[];

/** One or more disjoint parts; each part is its shell followed by its holes. */
export type Outline = readonly (readonly Ring[])[];

/** Shoelace area of a ring, px²; positive when the interior lies to the right of the walk (y down), as shells are. */
export function ringArea(ring: Ring): number {
  let twice = 0;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2)
    twice += ring[j]! * ring[i + 1]! - ring[i]! * ring[j + 1]!;
  return twice / 2;
}

/** Area of an outline, px², holes subtracted. */
export function outlineArea(outline: Outline): number {
  return outline.reduce((sum, part) => sum + part.reduce((inner, ring) => inner + ringArea(ring), 0), 0);
}

/** Bounding rectangle of an outline, px. @throws RangeError when the outline has no part. */
export function outlineBounds(outline: Outline): Rectangle {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const part of outline) {
    const shell = part[0] ?? [];
    for (let i = 0; i < shell.length; i += 2) {
      left = Math.min(left, shell[i]!);
      right = Math.max(right, shell[i]!);
      top = Math.min(top, shell[i + 1]!);
      bottom = Math.max(bottom, shell[i + 1]!);
    }
  }
  if (left > right) throw new RangeError('an outline needs at least one part');
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Centroid of an outline's area, holes subtracted, px (Bourke 1988). */
export function outlineCentroid(outline: Outline): Point {
  let twice = 0;
  let x = 0;
  let y = 0;
  const origin = firstVertex(outline);
  eachEdge(outline, origin, (ax, ay, bx, by, cross) => {
    twice += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  });
  return { x: origin.x + x / (3 * twice), y: origin.y + y / (3 * twice) };
}

/** The first vertex of an outline: an origin near it keeps the sums of Green's theorem small. (0, 0) when it is empty. */
export function firstVertex(outline: Outline): Point {
  return { x: outline[0]?.[0]?.[0] ?? 0, y: outline[0]?.[0]?.[1] ?? 0 };
}

/** Every edge a -> b of every ring, relative to `origin`, with the cross product ax by - bx ay. */
export function eachEdge(
  outline: Outline,
  origin: Point,
  visit: (ax: number, ay: number, bx: number, by: number, cross: number) => void,
): void {
  for (const part of outline)
    for (const ring of part)
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
        const ax = ring[j]! - origin.x;
        const ay = ring[j + 1]! - origin.y;
        const bx = ring[i]! - origin.x;
        const by = ring[i + 1]! - origin.y;
        visit(ax, ay, bx, by, ax * by - bx * ay);
      }
}

/** The outline with every vertex moved to `(x, y) * scale + (dx, dy)`, px. */
export function mapOutline(outline: Outline, scale: number, dx: number, dy: number): Outline {
  return outline.map((part) =>
    part.map((ring) => ring.map((value, i) => value * scale + (i % 2 === 0 ? dx : dy))),
  );
}

/** Whether a point lies inside a part of an outline (even-odd rule over the part's rings; its own border is half-open). */
export function outlineContains(outline: Outline, x: number, y: number): boolean {
  return outline.some((part) => partContains(part, x, y));
}

function partContains(part: readonly Ring[], x: number, y: number): boolean {
  let inside = false;
  for (const ring of part)
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const ay = ring[j + 1]!;
      const by = ring[i + 1]!;
      if (ay > y === by > y) continue;
      const crossing = ring[j]! + ((y - ay) / (by - ay)) * (ring[i]! - ring[j]!);
      if (x < crossing) inside = !inside;
    }
  return inside;
}

/** The rectangle as an outline of one part, clockwise on screen like every shell here. */
export function rectangleOutline({ x, y, width, height }: Rectangle): Outline {
  return [[[x, y, x + width, y, x + width, y + height, x, y + height]]];
}

/** Whether two rectangles share area. */
export function rectanglesOverlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
