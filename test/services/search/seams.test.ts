import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createEngineClient } from '../../../src/engine/engineClient';
import type { Engine } from '../../../src/engine/engine';
import type { LabelImage } from '../../../src/segmentation/components';
import type { Point } from '../../../src/segmentation/geometry';
import { countOverlaps, matchMasks } from '../../../src/segmentation/matching';
import { fillOutline } from '../../../src/segmentation/rasterize';
import type { FoundObject } from '../../../src/segmentation/stitch';
import { EmbeddingCache } from '../../../src/services/embeddings/embeddingCache';
import { decodeBytes } from '../../../src/services/images/imageDecoder';
import { NucleusModel } from '../../../src/services/models/nucleusModel';
import type { RgbPixels } from '../../../src/services/images/pixels';
import { Search } from '../../../src/services/search/search';
import type { SearchExtent } from '../../../src/services/search/searchRequest';
import { TILE_OVERLAP } from '../../../src/services/search/searchPlan';
import { memoryImage } from '../../../src/services/search/tilePixels';
import { MODEL_FOLDER } from '../fakeEngine';
import { TEST_DEVICE } from '../../support/testDevice';

const DEMO = resolve(__dirname, '../../../models/demo');
const TILE_SIDE = 465;
/** Of the mirrored picture. */
const SIDE = 600;
/** Crops take away up to this, px. */
const MOST = 64;
/** Objects nearer to a crop's border are not compared: their surroundings are gone. */
const BORDER = 48;
/** The network halves its input five times: shifts by this look the same to it. */
const STEP = 32;
const TILE_SIZE = 256;
const CLICKS = [
  { x: 289, y: 260 },
  { x: 397, y: 247 },
  { x: 141, y: 200 },
];

let engine: Engine;
let picture: RgbPixels;
beforeAll(async () => {
  engine = await createEngineClient({ device: TEST_DEVICE, threads: 2 });
  const file = readFileSync(join(DEMO, 'breast.png'));
  const tile = await decodeBytes(file, { width: TILE_SIDE, height: TILE_SIDE });
  // Mirrored at its edges, the bundled tile goes on without a seam of its own.
  const at = (i: number) => (i < TILE_SIDE ? i : 2 * TILE_SIDE - 1 - i);
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const from = (at(y) * TILE_SIDE + at(x)) * 3;
      data.set(tile.data.subarray(from, from + 3), (y * SIDE + x) * 3);
    }
  picture = { width: SIDE, height: SIDE, channels: 3, data };
});
afterAll(() => engine.close());

/** All objects of the picture without its first columns and rows, which moves every tile; in px of the whole picture. */
async function search({ x: dx, y: dy }: Point, extent: SearchExtent = { type: 'image' }) {
  const [width, height] = [SIDE - dx, SIDE - dy];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((y + dy) * SIDE + dx) * 3;
    data.set(picture.data.subarray(from, from + 3 * width), 3 * y * width);
  }
  const image = memoryImage({ width, height, data }, { uri: 'picture', pixelSizeMicrons: 0.5 });
  const { result, tiles } = await new Search(
    new NucleusModel(engine, MODEL_FOLDER),
    new EmbeddingCache(),
  ).run({
    image,
    prompts: [
      {
        intent: { intentId: 'i', classification: { name: 'i', color: [0, 0, 0] }, exemplars: [], round: 0 },
        clicks: CLICKS.map(({ x, y }) => ({ x: x - dx, y: y - dy, positive: true })),
        boxes: [],
        objects: [],
      },
    ],
    extent,
  });
  return { objects: result.objects, tiles: tiles.total, dx, dy };
}

type Painted = ReturnType<typeof paint>;

/** Objects as a label image, those near the border left out. */
function paint({ objects, dx, dy }: Awaited<ReturnType<typeof search>>) {
  const frame = { x: -dx, y: -dy, width: SIDE, height: SIDE };
  const labels = new Int32Array(SIDE * SIDE);
  const kept: FoundObject[] = [];
  let pixels = 0;
  for (const object of objects) {
    const corners = object.outline.flat(2);
    const inside = corners.every((value, i) => {
      const at = value + (i % 2 === 0 ? dx : dy);
      return at >= MOST + BORDER && at <= SIDE - BORDER;
    });
    if (!inside) continue;
    kept.push(object);
    fillOutline(object.outline, frame, labels, kept.length);
    pixels += object.area;
  }
  const image: LabelImage = { width: SIDE, height: SIDE, labels, count: kept.length };
  // Pixels that two objects claim.
  return { image, kept, shared: pixels - labels.filter((label) => label > 0).length };
}

/** How much of what either found the other found too, at an IoU. */
const agreement = (a: Painted, b: Painted, iou: number) =>
  (2 * matchMasks(countOverlaps(a.image, b.image), iou).length) / (a.image.count + b.image.count);

let whole: Awaited<ReturnType<typeof search>>;
let first: Painted;
beforeAll(async () => {
  whole = await search({ x: 0, y: 0 });
  first = paint(whole);
});

test('tiles belong to the image: a nucleus has one outline, wherever the extent lies, and hardly another score', async () => {
  const extent = { x: 30, y: 131, width: 150, height: 203 };
  const part = await search({ x: 0, y: 0 }, { type: 'rectangle', ...extent });
  expect(part.tiles).toBeLessThan(whole.tiles);
  const found = ({ objects }: typeof part) =>
    objects
      .filter(({ anchor: { x, y } }) => x > extent.x && y > extent.y && x < 180 && y < 334)
      .map(({ anchor, outline, scores }) => ({ anchor, outline, scores }))
      .sort((a, b) => a.anchor.y - b.anchor.y || a.anchor.x - b.anchor.x);
  expect(found(part).length).toBeGreaterThan(30);
  const outlines = (objects: ReturnType<typeof found>) =>
    objects.map(({ anchor, outline }) => ({ anchor, outline }));
  expect(outlines(found(part))).toEqual(outlines(found(whole)));
  // The decoder's score is the same to the last bit; what the other nuclei add depends on which of them are known.
  const other = found(whole);
  const turned = found(part).filter(({ scores }, i) => scores[0]! >= 0.5 !== other[i]!.scores[0]! >= 0.5);
  expect(turned.length / other.length).toBeLessThan(0.06);
});

test('tiles that lie elsewhere by whole steps of the network find the same nuclei: seams leave no trace', async () => {
  const moved = paint(await search({ x: STEP, y: STEP }));
  expect(first.image.count).toBeGreaterThan(250);
  // 0.996, 0.990 and 0.91 when this was written.
  expect(agreement(first, moved, 0.5)).toBeGreaterThan(0.98);
  expect(agreement(first, moved, 0.8)).toBeGreaterThan(0.96);
  expect(sameVerdict(first, moved)).toBeGreaterThan(0.86);
  expect([first.shared, moved.shared]).toEqual([0, 0]);
});

test('tiles that lie anywhere: the network sees other pixels together, and at the seams it is no worse than elsewhere', async () => {
  const offset = { x: 37, y: 61 };
  const moved = paint(await search(offset));
  // 0.958, 0.82 and 0.88 when this was written.
  expect(agreement(first, moved, 0.5)).toBeGreaterThan(0.92);
  expect(agreement(first, moved, 0.8)).toBeGreaterThan(0.75);
  expect(sameVerdict(first, moved)).toBeGreaterThan(0.82);
  expect(moved.shared).toBe(0);

  const matches = matchMasks(countOverlaps(moved.image, first.image), 0.5);
  const matched = new Set(matches.map(({ object }) => object - 1));
  const share = (found: readonly number[]) => found.filter((i) => matched.has(i)).length / found.length;
  const all = [...moved.kept.keys()];
  const atSeams = all.filter((i) => isAtSeam(moved.kept[i]!.anchor, offset));
  expect(atSeams.length).toBeGreaterThan(40);
  expect(atSeams.length).toBeLessThan(0.8 * all.length);
  expect(share(atSeams)).toBeGreaterThan(share(all) - 0.04);
});

/** Share of the nuclei of both that both count to the type, or both do not. */
function sameVerdict(a: Painted, b: Painted): number {
  const matches = matchMasks(countOverlaps(a.image, b.image), 0.5);
  const isType = ({ scores }: FoundObject) => scores[0]! >= 0.5;
  const same = matches.filter(
    ({ object, label }) => isType(a.kept[object - 1]!) === isType(b.kept[label - 1]!),
  );
  return same.length / matches.length;
}

/** Whether a place of a moved search lies where its own tiles meet, or those of the search that was not moved. */
function isAtSeam(at: Point, offset: Point): boolean {
  const step = TILE_SIZE - TILE_OVERLAP;
  const near = (value: number) => {
    const past = (value - TILE_OVERLAP / 2 + step) % step;
    return Math.min(past, step - past) < 14 && value > TILE_OVERLAP;
  };
  return near(at.x) || near(at.y) || near(at.x + offset.x) || near(at.y + offset.y);
}
