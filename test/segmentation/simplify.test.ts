import fc from 'fast-check';
import { roundOutline, toGeometry } from '../../src/segmentation/features';
import type { Outline } from '../../src/segmentation/geometry';
import { traceMask } from '../../src/segmentation/outlines';
import { simplifyOutline } from '../../src/segmentation/simplify';
import { isStrictlyValid } from '../../src/segmentation/validity';
import { masks } from './generators';
import { jtsFault } from './jstsValidity';

function distanceToBorder(outline: Outline, x: number, y: number): number {
  let best = Infinity;
  for (const ring of outline.flat())
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [ax, ay, dx, dy] = [ring[j]!, ring[j + 1]!, ring[i]! - ring[j]!, ring[i + 1]! - ring[j + 1]!];
      const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
      best = Math.min(best, Math.hypot(x - ax - t * dx, y - ay - t * dy));
    }
  return best;
}

test('a simplified outline stays within its tolerance, is valid after rounding, and has no more vertices', () => {
  const spaces = fc.record({
    tolerance: fc.double({ min: 0.1, max: 3, noNaN: true }),
    scale: fc.double({ min: 0.3, max: 4, noNaN: true }),
    offset: fc.double({ min: 0, max: 9999, noNaN: true }),
  });
  let simpler = 0;
  fc.assert(
    fc.property(masks(12), spaces, ({ mask, width, height }, { tolerance, scale, offset }) => {
      const exact = traceMask(mask, width, height);
      if (exact.length === 0) return;
      const simple = simplifyOutline(exact, tolerance);
      for (const ring of exact.flat())
        for (let i = 0; i < ring.length; i += 2)
          expect(distanceToBorder(simple, ring[i]!, ring[i + 1]!)).toBeLessThanOrEqual(tolerance + 1e-9);
      expect(simple.flat(2).length).toBeLessThanOrEqual(exact.flat(2).length);
      if (simple.flat(2).length < exact.flat(2).length) simpler++;
      const finished = simplifyOutline(exact, tolerance, (outline) =>
        roundOutline(outline, scale, offset, offset),
      );
      expect(jtsFault(toGeometry(finished))).toBeUndefined();
    }),
    { numRuns: 500 },
  );
  expect(simpler).toBeGreaterThan(20);
});

test('exact outlines stay valid when scaled and rounded to two decimals', () => {
  fc.assert(
    fc.property(masks(10), fc.double({ min: 0.1, max: 7, noNaN: true }), ({ mask, width, height }, scale) => {
      const outline = roundOutline(traceMask(mask, width, height), scale, 12345.678, 0.005);
      if (outline.length > 0) expect(jtsFault(toGeometry(outline))).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

const SQUARE = [0, 0, 4, 0, 4, 4, 0, 4];
test.each<[string, Outline, boolean]>([
  ['a square', [[SQUARE]], true],
  ['a square walked the wrong way', [[[0, 0, 0, 4, 4, 4, 4, 0]]], false],
  ['a bow tie', [[[0, 0, 4, 0, 0, 4, 5, 5]]], false],
  ['a spike', [[[0, 0, 4, 0, 4, 4, 4, 0, 2, 3]]], false],
  ['a hole inside', [[SQUARE, [1, 1, 1, 2, 2, 2, 2, 1]]], true],
  ['a hole outside', [[SQUARE, [6, 1, 6, 2, 7, 2, 7, 1]]], false],
  ['a hole on the border', [[SQUARE, [0, 1, 0, 2, 2, 2, 2, 1]]], false],
  ['nested parts', [[SQUARE], [[1, 1, 2, 1, 2, 2, 1, 2]]], false],
  ['parts apart', [[SQUARE], [[5, 5, 6, 5, 6, 6, 5, 6]]], true],
])('validity: %s', (_, outline, valid) => {
  expect(isStrictlyValid(outline)).toBe(valid);
  if (valid) expect(jtsFault(toGeometry(outline))).toBeUndefined();
});
