import fc from 'fast-check';
import { toGeometry } from '../../src/segmentation/features';
import { outlineArea, outlineBounds, type Outline } from '../../src/segmentation/geometry';
import { labelBounds, traceLabel, traceMask } from '../../src/segmentation/outlines';
import { rasterizeOutline } from '../../src/segmentation/rasterize';
import { drawn, masks, type GeneratedMask } from './generators';
import { jtsFault } from './jstsValidity';

const filled = (outline: Outline, { width, height }: GeneratedMask): number[] =>
  Array.from(rasterizeOutline(outline, { x: 0, y: 0, width, height }));

const CASES: [string, GeneratedMask, number, number][] = [
  // name, mask, parts, rings
  ['one pixel that fills the image', drawn('#'), 1, 1],
  ['one pixel', drawn('...', '.#.', '...'), 1, 1],
  ['a hole', drawn('###', '#.#', '###'), 1, 2],
  ['two holes that touch in a corner', drawn('####', '#.##', '##.#', '####'), 1, 3],
  ['two parts that touch in a corner', drawn('#.', '.#'), 2, 2],
  ['a ring closed by a corner only', drawn('####', '#..#', '#.#.', '####'), 1, 2],
  ['an island in a hole', drawn('#####', '#...#', '#.#.#', '#...#', '#####'), 2, 3],
  ['a hole that reaches the corner of its ring', drawn('.###', '#.##', '####'), 1, 2],
  ['the whole image', drawn('####', '####'), 1, 1],
  ['nothing', drawn('...', '...'), 0, 0],
];

test.each(CASES)('%s: filled outline is the mask, rings are valid', (_, mask, parts, rings) => {
  const outline = traceMask(mask.mask, mask.width, mask.height);
  expect(filled(outline, mask)).toEqual(Array.from(mask.mask));
  expect(outline).toHaveLength(parts);
  expect(outline.flat()).toHaveLength(rings);
  if (parts > 0) expect(jtsFault(toGeometry(outline))).toBeUndefined();
});

test('any mask: filling its outline gives it back, area and bounds agree, JTS finds it valid, no vertex is collinear', () => {
  fc.assert(
    fc.property(masks(), (mask) => {
      const outline = traceMask(mask.mask, mask.width, mask.height);
      expect(filled(outline, mask)).toEqual(Array.from(mask.mask));
      expect(outlineArea(outline)).toBe(mask.mask.reduce((sum, value) => sum + value, 0));
      if (outline.length === 0) return;
      expect(jtsFault(toGeometry(outline))).toBeUndefined();
      for (const ring of outline.flat())
        for (let i = 0; i < ring.length; i += 2) {
          const at = (k: number): number => ring[(i + k) % ring.length]!;
          // Edges alternate between horizontal and vertical: nothing lies in the middle of a straight line.
          expect((at(0) === at(2)) !== (at(2) === at(4))).toBe(true);
        }
      const { x, y, width, height } = outlineBounds(outline);
      expect(x >= 0 && y >= 0 && x + width <= mask.width && y + height <= mask.height).toBe(true);
    }),
    { numRuns: 800 },
  );
});

test('every label of an image gets its own pixels back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 144 }),
      (width, values) => {
        const height = Math.floor(values.length / width);
        const labels = Int32Array.from(values.slice(0, width * height));
        const image = { width, height, labels, count: 3 };
        const bounds = labelBounds(image);
        for (const asked of new Set(labels.filter((label) => label > 0))) {
          const outline = traceLabel(image, asked, bounds[asked]!);
          const mask = rasterizeOutline(outline, { x: 0, y: 0, width, height });
          expect(Array.from(mask)).toEqual(Array.from(labels, (label) => (label === asked ? 1 : 0)));
        }
      },
    ),
    { numRuns: 300 },
  );
});
