import fc from 'fast-check';
import {
  orderTiles,
  planTiles,
  relateSpaces,
  tileContains,
  toModelSpace,
} from '../../src/segmentation/coordinates';
import { normalizeRgb, padTile } from '../../src/segmentation/preprocess';

const lengths = fc.integer({ min: 1, max: 900 });

test('tiles of any plan cover the extent, overlap as asked, stay inside the image, and do not depend on the extent', () => {
  fc.assert(
    fc.property(
      lengths,
      lengths,
      fc.integer({ min: 40, max: 256 }),
      fc.double({ min: 0, max: 0.6, noNaN: true }),
      fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 0.99, noNaN: true }))),
      (width, height, tileSize, share, [fx, fy, fw, fh]) => {
        const modelSize = { width, height };
        const overlap = Math.floor(share * tileSize);
        const extent = { x: fx! * width, y: fy! * height, width: 1 + fw! * width, height: 1 + fh! * height };
        const plan = planTiles({ modelSize, tileSize, overlap, extent });
        const all = planTiles({ modelSize, tileSize, overlap });
        const byKey = new Map(all.tiles.map((tile) => [tile.key, tile]));
        for (const tile of plan.tiles) {
          expect(byKey.get(tile.key)).toEqual(tile);
          expect(
            tile.x >= 0 && tile.y >= 0 && tile.x + tile.width <= width && tile.y + tile.height <= height,
          ).toBe(true);
        }
        for (let i = 0; i < 12; i++) {
          const x = Math.min(width - 1e-6, extent.x + (extent.width * i) / 12);
          const y = Math.min(height - 1e-6, extent.y + (extent.height * ((i * 5) % 12)) / 12);
          expect(plan.tiles.some((tile) => tileContains(tile, { x, y }))).toBe(true);
        }
        const columns = all.tiles.filter(({ row }) => row === 0);
        columns.slice(1).forEach((tile, i) => {
          const previous = columns[i]!;
          expect(previous.x + tileSize - tile.x).toBeGreaterThanOrEqual(overlap);
        });
      },
    ),
    { numRuns: 150 },
  );
});

test('a polygon leaves out the tiles it does not touch', () => {
  const modelSize = { width: 1024, height: 1024 };
  const within = [[[10, 10, 60, 10, 10, 1000]]];
  const plan = planTiles({ modelSize, tileSize: 256, overlap: 0, within });
  expect(plan.tiles.map(({ key }) => key)).toEqual(['0,0', '0,1', '0,2', '0,3']);
  const inner = planTiles({
    modelSize,
    tileSize: 256,
    overlap: 0,
    within: [[[0, 0, 1024, 0, 1024, 1024, 0, 1024]]],
  });
  expect(inner.tiles).toHaveLength(16);
});

test('clicked tiles come first, their neighbours next', () => {
  const plan = planTiles({ modelSize: { width: 1280, height: 1280 }, tileSize: 256, overlap: 0 });
  const order = orderTiles(plan, [{ x: 600, y: 600 }]).map(({ key }) => key);
  expect(order.slice(0, 9).sort()).toEqual(['1,1', '1,2', '1,3', '2,1', '2,2', '2,3', '3,1', '3,2', '3,3']);
  expect(order[0]).toBe('2,2');
  expect(new Set(order).size).toBe(25);
});

test('bad plans are refused', () => {
  const modelSize = { width: 100, height: 100 };
  expect(() => planTiles({ modelSize, tileSize: 64, overlap: 64 })).toThrow(RangeError);
  const extent = { x: 200, y: 0, width: 10, height: 10 };
  expect(() => planTiles({ modelSize, tileSize: 64, overlap: 8, extent })).toThrow(RangeError);
  expect(() => relateSpaces(modelSize, 0, 0.5)).toThrow(RangeError);
});

test('image space and model space', () => {
  const spaces = relateSpaces({ width: 4001, height: 1 }, 0.25, 0.5);
  expect(spaces.modelSize).toEqual({ width: 2001, height: 1 });
  expect(toModelSpace(spaces, { x: 10, y: 20 })).toEqual({ x: 5, y: 10 });
});

test('pixels are normalised per channel, channels first', () => {
  const tensor = normalizeRgb(
    { width: 2, height: 1, data: Uint8Array.from([0, 51, 102, 255, 204, 153]) },
    { scale: 1 / 255, mean: [0, 0.5, 0], std: [1, 0.5, 0.1] },
  );
  expect(tensor.dims).toEqual([1, 3, 1, 2]);
  [0, 1, -0.6, 0.6, 4, 6].forEach((value, i) => expect(tensor.data[i]).toBeCloseTo(value, 5));
  expect(() =>
    normalizeRgb({ width: 2, height: 2, data: new Uint8Array(4) }, { scale: 1, mean: [], std: [] }),
  ).toThrow(RangeError);
});

test('small images are padded with their mirror image or with white', () => {
  const image = { width: 3, height: 1, data: Uint8Array.from([1, 1, 1, 2, 2, 2, 3, 3, 3]) };
  const reds = (data: Uint8Array): number[] => Array.from(data).filter((_, i) => i % 3 === 0);
  expect(reds(padTile(image, 7).data).slice(0, 14)).toEqual([1, 2, 3, 2, 1, 2, 3, 1, 2, 3, 2, 1, 2, 3]);
  expect(reds(padTile(image, 4, 'white').data).slice(0, 8)).toEqual([1, 2, 3, 255, 255, 255, 255, 255]);
  expect(() => padTile(image, 2)).toThrow(RangeError);
});
