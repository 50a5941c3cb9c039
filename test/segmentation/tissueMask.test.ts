import type { RgbImage } from '../../src/segmentation/preprocess';
import { findTissue, tissueShare } from '../../src/segmentation/tissue';
import { unitGrid } from '../../src/segmentation/unitGrid';

/** White glass with noise, and stained rectangles on it. @param pieces x, y, width, height */
function slide(pieces: readonly (readonly [number, number, number, number])[], glass = 240): RgbImage {
  const [width, height] = [300, 200];
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const inside = pieces.some(([px, py, w, h]) => x >= px && x < px + w && y >= py && y < py + h);
    const noise = ((i * 7919) % 5) - 2;
    const [red, green, blue] = inside ? [0.85, 0.6, 0.8] : [1, 1, 1];
    data.set(
      [red, green, blue].map((share) => Math.round(glass * share) + noise),
      3 * i,
    );
  }
  return { width, height, data };
}

test.each([240, 200])('tissue is found on glass of brightness %s, dust and holes are not', (glass) => {
  const mask = findTissue(slide([[50, 40, 120, 100], [250, 150, 3, 3]], glass), 10); // prettier-ignore
  expect(tissueShare(mask)).toBeCloseTo((120 * 100) / (300 * 200), 1);
  expect(mask.data[90 * 300 + 100]).toBe(1);
  expect(mask.data[151 * 300 + 251]).toBe(0);
  expect(mask.data[10 * 300 + 10]).toBe(0);
});

test('a picture of tissue alone is tissue, one of glass alone is none', () => {
  expect(tissueShare(findTissue(slide([[0, 0, 300, 200]]), 10))).toBe(1);
  expect(tissueShare(findTissue(slide([]), 10))).toBe(0);
});

test('units without tissue are left out, the others are trimmed to it, and together they hold all of it', () => {
  const mask = findTissue(slide([[50, 40, 120, 100], [250, 10, 40, 40]]), 10); // prettier-ignore
  const image = { width: 3000, height: 2000 };
  const units = unitGrid(image, { x: 0, y: 0, ...image }, 500, mask);
  expect(units.map(({ index }) => index)).toEqual(units.map((_, i) => i));
  expect(units.length).toBeLessThan(24);
  const covered = (x: number, y: number): number =>
    units.filter((u) => x >= u.x && x < u.x + u.width && y >= u.y && y < u.y + u.height).length;
  mask.data.forEach((inside, i) => {
    const count = covered(10 * (i % 300) + 5, 10 * Math.floor(i / 300) + 5);
    expect(count).toBeLessThanOrEqual(1);
    if (inside === 1) expect(count).toBe(1);
  });
  const area = units.reduce((sum, { width, height }) => sum + width * height, 0);
  expect(area).toBeLessThan(0.45 * image.width * image.height);
});
