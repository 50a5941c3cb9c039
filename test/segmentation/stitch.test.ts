import fc from 'fast-check';
import type { BlockMemo, BlockNuclei } from '../../src/segmentation/blockNuclei';
import { planTiles, orderTiles, type Tile, type TilePlan } from '../../src/segmentation/coordinates';
import type { LabelImage } from '../../src/segmentation/components';
import { countOverlaps, matchMasks } from '../../src/segmentation/matching';
import { fillOutline, rasterizeOutline } from '../../src/segmentation/rasterize';
import { segmentInstances } from '../../src/segmentation/instances';
import { Stitcher, type FoundObject } from '../../src/segmentation/stitch';
import { makeTissue, seeded, seenThroughTile, type Tissue } from './tissue';

const SIZE = { width: 560, height: 500 };
const TISSUE = makeTissue(SIZE, 11);
const WHOLE = segmentInstances(TISSUE.nucleusLogits, TISSUE.distanceMap, SIZE.width, SIZE.height);

interface Setting {
  readonly tileSize: number;
  readonly overlap: number;
  readonly blockSize?: number;
  readonly error?: number;
  readonly order?: (plan: TilePlan) => readonly Tile[];
}

function stitch(
  tissue: Tissue,
  { tileSize, overlap, blockSize = 192, error = 0, order = (p) => p.tiles }: Setting,
): FoundObject[] {
  const plan = planTiles({ modelSize: tissue, tileSize, overlap });
  const stitcher = new Stitcher({ plan, intents: 1, blockSize });
  return order(plan).flatMap((tile) => stitcher.add(tile, seenThroughTile(tissue, tile, tileSize, error)));
}

/** Found objects as a label image; fails when two share a pixel. */
function paint(found: readonly FoundObject[], frame = { x: 0, y: 0, ...SIZE }): LabelImage {
  const labels = new Int32Array(frame.width * frame.height);
  let painted = 0;
  found.forEach(({ outline, area }, i) => {
    fillOutline(outline, frame, labels, i + 1);
    painted += area;
  });
  expect(labels.filter((label) => label > 0)).toHaveLength(painted);
  return { width: frame.width, height: frame.height, labels, count: found.length };
}

/** Share of the objects of both results that have a partner of IoU >= threshold in the other. */
function agreement(a: LabelImage, b: LabelImage, threshold: number): number {
  return (2 * matchMasks(countOverlaps(a, b), threshold).length) / (a.count + b.count);
}

test.each<[string, Setting]>([
  ['one tile', { tileSize: 560, overlap: 0 }],
  ['large tiles', { tileSize: 256, overlap: 64 }],
  ['small tiles', { tileSize: 128, overlap: 24 }],
  ['no overlap', { tileSize: 200, overlap: 0 }],
  ['small blocks', { tileSize: 256, overlap: 64, blockSize: 96 }],
  ['blocks that share no border with tiles', { tileSize: 256, overlap: 40, blockSize: 150 }],
])(
  'maps that do not depend on the tile give the objects of the undivided image, pixel for pixel: %s',
  (_, setting) => {
    const found = paint(stitch(TISSUE, setting));
    expect(found.count).toBe(WHOLE.count);
    expect(matchMasks(countOverlaps(found, WHOLE), 1)).toHaveLength(WHOLE.count);
  },
);

test('the same for any tissue, tile size, overlap, block size and order of arrival', () => {
  const settings = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    width: fc.integer({ min: 120, max: 330 }),
    height: fc.integer({ min: 120, max: 330 }),
    tileSize: fc.integer({ min: 64, max: 200 }),
    overlap: fc.integer({ min: 0, max: 48 }),
    blockSize: fc.integer({ min: 72, max: 220 }),
  });
  fc.assert(
    fc.property(settings, ({ seed, width, height, tileSize, overlap, blockSize }) => {
      const tissue = makeTissue({ width, height }, seed);
      const whole = segmentInstances(tissue.nucleusLogits, tissue.distanceMap, width, height);
      const random = seeded(seed);
      const order = (plan: TilePlan) =>
        plan.tiles
          .map((tile) => ({ tile, at: random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ tile }) => tile);
      const found = stitch(tissue, { tileSize, overlap, blockSize, order });
      const painted = paint(found, { x: 0, y: 0, width, height });
      expect(painted.count).toBe(whole.count);
      expect(matchMasks(countOverlaps(painted, whole), 1)).toHaveLength(whole.count);
    }),
    { numRuns: 15 },
  );
});

test('the order of arrival does not change the result', () => {
  const setting = { tileSize: 256, overlap: 64, error: 0.3 };
  const name = ({ anchor, area, scores }: FoundObject): string =>
    `${anchor.x},${anchor.y},${area},${scores[0]!.toFixed(3)}`;
  const random = seeded(3);
  const shuffled = (plan: TilePlan): Tile[] =>
    plan.tiles
      .map((tile) => ({ tile, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ tile }) => tile);
  const plain = stitch(TISSUE, setting).map(name).sort();
  expect(plain.length).toBeGreaterThan(120);
  expect(
    stitch(TISSUE, { ...setting, order: shuffled })
      .map(name)
      .sort(),
  ).toEqual(plain);
  expect(
    stitch(TISSUE, { ...setting, order: (plan) => orderTiles(plan, [{ x: 550, y: 490 }]) })
      .map(name)
      .sort(),
  ).toEqual(plain);
});

test('with maps that are wrong toward the seams, tile size and offset change next to nothing, and no object is doubled', () => {
  const error = 1.5;
  const results = [
    { tileSize: 256, overlap: 64 },
    { tileSize: 192, overlap: 48 },
    { tileSize: 320, overlap: 64 },
  ].map((setting) => paint(stitch(TISSUE, { ...setting, error })));
  for (const a of results) {
    expect(agreement(a, WHOLE, 0.9)).toBeGreaterThan(0.99);
    for (const b of results) expect(agreement(a, b, 0.9)).toBeGreaterThan(0.99);
  }
  // Without overlap the same errors do show.
  expect(agreement(paint(stitch(TISSUE, { tileSize: 192, overlap: 0, error })), WHOLE, 0.9)).toBeLessThan(
    0.95,
  );
});

test('objects come as soon as their surroundings are complete, and memory is given back', () => {
  const tissue = makeTissue({ width: 1100, height: 1100 }, 2, 0.001);
  const plan = planTiles({ modelSize: tissue, tileSize: 256, overlap: 64 });
  const stitcher = new Stitcher({ plan, intents: 1 });
  const order = orderTiles(plan, [{ x: 500, y: 500 }]);
  let count = 0;
  let first = 0;
  order.forEach((tile, i) => {
    count += stitcher.add(tile, seenThroughTile(tissue, tile, 256, 0)).length;
    if (count > 0 && first === 0) first = i + 1;
  });
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThanOrEqual(16);
  expect(stitcher.pending).toHaveLength(0);
  expect(stitcher.bytesHeld).toBe(0);
  const whole = segmentInstances(tissue.nucleusLogits, tissue.distanceMap, 1100, 1100);
  expect(count).toBe(whole.count);
});

test('neighbouring extents share the objects out: none twice, none lost', () => {
  const extents = [
    { x: 0, y: 0, width: 333, height: 500 },
    { x: 333, y: 0, width: 227, height: 300 },
    { x: 333, y: 300, width: 227, height: 200 },
  ];
  const found = extents.flatMap((extent) => {
    const plan = planTiles({ modelSize: SIZE, tileSize: 256, overlap: 64, extent, context: 32 });
    const stitcher = new Stitcher({ plan, intents: 1 });
    return plan.tiles.flatMap((tile) => stitcher.add(tile, seenThroughTile(TISSUE, tile, 256, 0)));
  });
  const image = paint(found);
  expect(matchMasks(countOverlaps(image, WHOLE), 1)).toHaveLength(WHOLE.count);
  expect(image.count).toBe(WHOLE.count);
});

test('a tile that failed leaves out what it alone saw, cuts nothing', () => {
  const plan = planTiles({ modelSize: SIZE, tileSize: 200, overlap: 20 });
  const stitcher = new Stitcher({ plan, intents: 1 });
  const lost = plan.tiles[4]!;
  const found = plan.tiles.flatMap((tile) =>
    tile === lost ? stitcher.skip(tile) : stitcher.add(tile, seenThroughTile(TISSUE, tile, 200, 0)),
  );
  const image = paint(found);
  expect(image.count).toBeGreaterThan(WHOLE.count / 2);
  expect(image.count).toBeLessThan(WHOLE.count);
  expect(matchMasks(countOverlaps(image, WHOLE), 1)).toHaveLength(image.count);
  expect(() => stitcher.add(lost, seenThroughTile(TISSUE, lost, 200, 0))).toThrow(RangeError);
});

test('a polygon keeps the objects anchored in it; scores are the mean inside', () => {
  const within = [[[100, 100, 400, 100, 100, 400]]];
  const plan = planTiles({ modelSize: SIZE, tileSize: 256, overlap: 64, within, context: 32 });
  const stitcher = new Stitcher({ plan, intents: 1, within });
  const found = plan.tiles.flatMap((tile) => stitcher.add(tile, seenThroughTile(TISSUE, tile, 256, 0)));
  expect(found.length).toBeGreaterThan(20);
  for (const { anchor, outline, scores } of found) {
    expect(anchor.x + anchor.y).toBeLessThan(500);
    const mask = rasterizeOutline(outline, { x: 0, y: 0, ...SIZE });
    const inside = Array.from(TISSUE.intent).filter((_, i) => mask[i] === 1);
    expect(scores[0]).toBeCloseTo(inside.reduce((sum, value) => sum + value, 0) / inside.length, 4);
  }
});

test('in steps: block by block what comes at once otherwise', () => {
  const plan = planTiles({ modelSize: SIZE, tileSize: 256, overlap: 64 });
  const atOnce = new Stitcher({ plan, intents: 1 });
  const inSteps = new Stitcher({ plan, intents: 1 });
  let most = 0;
  for (const tile of plan.tiles) {
    const maps = seenThroughTile(TISSUE, tile, 256, 0);
    const parts = [...inSteps.addInSteps(tile, maps)];
    most = Math.max(most, parts.length);
    expect(parts.flat()).toEqual(atOnce.add(tile, maps));
  }
  expect(most).toBeGreaterThan(1);
  expect(inSteps.bytesHeld).toBe(0);
});

test('an image smaller than a tile', () => {
  const tissue = makeTissue({ width: 90, height: 70 }, 4, 0.004);
  const found = stitch(tissue, { tileSize: 200, overlap: 20 });
  expect(found.length).toBe(segmentInstances(tissue.nucleusLogits, tissue.distanceMap, 90, 70).count);
});

test('what was found in a block is kept for the next search over the same maps, which finds the same objects', () => {
  const plan = planTiles({ modelSize: TISSUE, tileSize: 256, overlap: 64 });
  const kept = new Map<string, BlockNuclei>();
  let known = 0;
  const memo: BlockMemo = {
    get: (key) => {
      const nuclei = kept.get(key);
      if (nuclei !== undefined) known++;
      return nuclei;
    },
    set: (key, nuclei) => void kept.set(key, nuclei),
  };
  const search = (order: readonly Tile[], error: number, use?: BlockMemo): FoundObject[] => {
    const stitcher = new Stitcher({ plan, intents: 1, ...(use && { memo: use }) });
    return order
      .flatMap((tile) =>
        stitcher.add(tile, { ...seenThroughTile(TISSUE, tile, 256, error), id: `${tile.key} of ${error}` }),
      )
      .sort((a, b) => a.anchor.y - b.anchor.y || a.anchor.x - b.anchor.x);
  };
  const plain = search(plan.tiles, 0.3);
  expect(plain.length).toBeGreaterThan(120);
  expect(search(plan.tiles, 0.3, memo)).toEqual(plain);
  expect(known).toBe(0);
  const blocks = kept.size;
  // Clicks elsewhere bring the tiles in another order.
  expect(search(orderTiles(plan, [{ x: 550, y: 490 }]), 0.3, memo)).toEqual(plain);
  expect(known).toBe(blocks);
  // Other maps are looked at anew.
  expect(search(plan.tiles, 0.9, memo)).toEqual(search(plan.tiles, 0.9));
  expect(known).toBe(blocks);
});
