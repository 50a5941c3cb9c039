/**
 * How far the score of a nucleus depends on where tiles lie, and what of the ways to ask and to choose a mask does about it: every
 * image is cropped by a few pixels, which moves every tile, and the *same* nuclei are scored for the same clicks. Reports the share
 * that changes side of the threshold, the mean change of the score, and F1 on the uncropped image.
 * `node -r ./scripts/swcRegister.cjs bench/offsets.ts --data DIR --split val [--max-images N] [--threads N]`; prints the record.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngineClient } from '../src/engine/engineClient';
import { planTiles, relateSpaces, type Tile } from '../src/segmentation/coordinates';
import type { RgbImage } from '../src/segmentation/preprocess';
import { buildPromptFeeds, type PointPrompt, type PromptSet } from '../src/segmentation/prompts';
import { fillOutline } from '../src/segmentation/rasterize';
import { bestMask, maskProbabilities } from '../src/segmentation/scoring';
import { Stitcher, type FoundObject } from '../src/segmentation/stitch';
import { drawClicks, type Click } from '../src/benchmark/clicks';
import { classesOf, loadEntry, openDataSet } from '../src/services/labelled/dataset';
import { Judge, labelObjects } from '../src/benchmark/judge';
import { NucleusModel } from '../src/services/models/nucleusModel';
import type { DecodedMasks } from '../src/services/models/promptableModel';
import { crop } from '../src/services/images/pixels';
import { exampleTile, homeTile, placeClick, type ExampleTile } from '../src/services/search/promptEmbedding';
import { TILE_OVERLAP } from '../src/services/search/searchPlan';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    split: { type: 'string', default: 'val' },
    model: { type: 'string', default: join(__dirname, '../models/sampo-tiny') },
    'max-images': { type: 'string', default: '100' },
    threads: { type: 'string', default: '1' },
    clicks: { type: 'string', default: '3' },
    overlap: { type: 'string', default: String(TILE_OVERLAP) },
  },
});
const OVERLAP = Number(values.overlap);
/** The first is where nothing is moved; the second moves by whole steps of the network. */
const OFFSETS = [
  { x: 0, y: 0 },
  { x: 32, y: 32 },
  { x: 37, y: 61 },
];
/** Nuclei nearer to the crop's border are not compared: their surroundings are gone. */
const BORDER = 64 + 48;

/** How clicks are put: as points where they lie and exemplars everywhere, as exemplars alone, and those with the unmoved features. */
const ASKS = ['points', 'exemplars', 'exemplars, unmoved features'] as const;
/** Which of the K masks counts. */
const MASKS = ['best of tile', 'best of search', 'mean'] as const;

interface Grid {
  readonly tiles: readonly ExampleTile[];
  readonly place: (clicks: readonly Click[]) => PointPrompt[];
  /** Per tile: mean weight and cell of every object pixel. */
  readonly shares: readonly { object: number; cell: number; weight: number }[][];
}

async function main(): Promise<void> {
  if (values.data === undefined) throw new Error('--data DIR');
  const engine = await createEngineClient({ device: 'cpu', threads: Number(values.threads) });
  const model = new NucleusModel(engine, values.model);
  await model.load();
  const { tileSize, micronsPerPixel, limits, postprocess } = model.manifest;
  const side = tileSize / limits.maskStride;
  const { scoreThreshold } = postprocess;

  const encode = async (image: RgbImage, at: { x: number; y: number }, objects?: readonly FoundObject[]) => {
    const size = { width: image.width - at.x, height: image.height - at.y };
    const spaces = relateSpaces(size, micronsPerPixel, micronsPerPixel);
    const plan = planTiles({ modelSize: size, tileSize, overlap: OVERLAP });
    const stitcher = new Stitcher({ plan, intents: 0, instances: model.instances });
    const tiles: ExampleTile[] = [];
    const found: FoundObject[] = [];
    for (const tile of plan.tiles) {
      const pixels = crop(
        { ...image, channels: 3 },
        { x: tile.x + at.x, y: tile.y + at.y, width: tile.width, height: tile.height },
      );
      const encoded = await model.encode(pixels);
      tiles.push(exampleTile(tile, encoded, tileSize, model.instances));
      if (objects === undefined) found.push(...stitcher.add(tile, { ...encoded, intents: [] }));
    }
    const kept = objects ?? found;
    const labels = new Int32Array(size.width * size.height);
    kept.forEach(({ outline }, i) => fillOutline(outline, { x: at.x, y: at.y, ...size }, labels, i + 1));
    const place = (clicks: readonly Click[]): PointPrompt[] =>
      clicks.map(({ x, y, label }) => {
        const point = { x: x - at.x, y: y - at.y };
        const home = homeTile(spaces, tileSize, OVERLAP, point);
        const example = tiles.find(({ tile }) => tile.key === home.key)!;
        const { feature } = placeClick(example, spaces, point, true);
        return { ...point, feature, label };
      });
    const grid: Grid = { tiles, place, shares: sharesOf(labels, size, plan.tiles) };
    return { grid, objects: kept };
  };

  function sharesOf(labels: Int32Array, size: { width: number }, tiles: readonly Tile[]): Grid['shares'] {
    const ramp = (i: number): number => Math.min(1, (Math.min(i, tileSize - 1 - i) + 0.5) / OVERLAP);
    const totals = new Float32Array(labels.length);
    const areas = new Map<number, number>();
    for (const label of labels) areas.set(label, (areas.get(label) ?? 0) + 1);
    const visit = (tile: Tile, each: (at: number, weight: number, cell: number) => void): void => {
      for (let y = 0; y < tile.height; y++)
        for (let x = 0; x < tile.width; x++) {
          const at = (tile.y + y) * size.width + tile.x + x;
          if (labels[at] === 0) continue;
          const cell = (axis: number): number => Math.floor((axis * side) / tileSize);
          each(at, ramp(x) * ramp(y), cell(y) * side + cell(x));
        }
    };
    for (const tile of tiles) visit(tile, (at, weight) => (totals[at]! += weight));
    return tiles.map((tile) => {
      const out: { object: number; cell: number; weight: number }[] = [];
      visit(tile, (at, weight, cell) => {
        const label = labels[at]!;
        out.push({ object: label - 1, cell, weight: weight / totals[at]! / areas.get(label)! });
      });
      return out;
    });
  }

  /** Scores of all objects, one list per way to choose the mask, and how often tiles chose another mask than the search. */
  const score = async (grid: Grid, prompts: PromptSet, count: number) => {
    const decoded: DecodedMasks[] = [];
    for (const { tile, encoded } of grid.tiles)
      decoded.push(
        await model.decode(encoded.embedding, buildPromptFeeds(tile, prompts, model.promptLimits)),
      );
    const total = new Float32Array(decoded[0]!.scores.length);
    for (const { scores } of decoded) scores.forEach((value, k) => (total[k]! += value));
    const common = bestMask(total);
    const others = decoded.filter(({ scores }) => bestMask(scores) !== common).length / decoded.length;
    const lists = MASKS.map((way) => {
      const sums = new Float32Array(count);
      decoded.forEach(({ masks, scores }, t) => {
        const weights = Array.from(scores, (_, k) => {
          if (way === 'mean') return 1 / scores.length;
          return k === (way === 'best of tile' ? bestMask(scores) : common) ? 1 : 0;
        });
        const mixed = new Float32Array(side * side);
        weights.forEach((weight, k) => {
          if (weight === 0) return;
          const one = maskProbabilities(masks, k, side);
          for (let i = 0; i < mixed.length; i++) mixed[i]! += weight * one[i]!;
        });
        for (const { object, cell, weight } of grid.shares[t]!) sums[object]! += weight * mixed[cell]!;
      });
      return sums;
    });
    return { lists, others };
  };

  const rows = ASKS.flatMap((ask) =>
    MASKS.map((mask) => ({
      ask,
      mask,
      f1: [] as number[],
      clicked: [] as number[],
      moved: OFFSETS.slice(1).map(() => ({ n: 0, flips: 0, change: 0 })),
    })),
  );
  const others: number[] = [];
  const entries = openDataSet(values.data, values.split).entries.slice(0, Number(values['max-images']));
  for (const entry of entries) {
    const image = await loadEntry(entry, micronsPerPixel);
    const first = await encode(image.image, OFFSETS[0]!);
    const { objects } = first;
    const labels = labelObjects(objects, image.image);
    const judge = new Judge(image, { objects, labels });
    const grids = [first.grid];
    for (const offset of OFFSETS.slice(1)) grids.push((await encode(image.image, offset, objects)).grid);
    const { width, height } = image.image;
    const inner = objects.map(
      ({ centroid: { x, y } }) => x > BORDER && y > BORDER && x < width - 48 && y < height - 48,
    );
    for (const asked of classesOf(image))
      for (const k of values.clicks.split(',').map(Number))
        for (const negatives of [0, k]) {
          const drawn = drawClicks(image, asked, k, negatives, 0);
          // Clicks that a crop would cut away are not asked with.
          const clicks = drawn?.filter(({ x, y }) => x >= 64 && y >= 64);
          if (clicks === undefined || !clicks.some(({ label }) => label === 1)) continue;
          const unmoved = first.grid.place(clicks);
          for (const [a, ask] of ASKS.entries()) {
            let before: Float32Array[] | undefined;
            for (const [g, grid] of grids.entries()) {
              const points = a === 2 ? unmoved : grid.place(clicks);
              const prompts = a === 0 ? { points } : { points: [], exemplars: points };
              if (a === 2 && g === 0) {
                before = (await score(grid, prompts, objects.length)).lists;
                continue;
              }
              const { lists, others: share } = await score(grid, prompts, objects.length);
              if (a === 0) others.push(share);
              if (g === 0) before = lists;
              lists.forEach((list, m) => {
                const row = rows.find((one) => one.ask === ask && one.mask === MASKS[m])!;
                if (g === 0) {
                  const chosen = [...list.keys()].filter((i) => list[i]! >= scoreThreshold);
                  row.f1.push(judge.score(chosen, asked).f1);
                  for (const { x, y, label } of clicks) {
                    const at = labels.labels[Math.floor(y) * width + Math.floor(x)]!;
                    if (at > 0) row.clicked.push(Number(list[at - 1]! >= scoreThreshold === (label === 1)));
                  }
                  return;
                }
                const sum = row.moved[g - 1]!;
                list.forEach((value, i) => {
                  if (!inner[i]) return;
                  const was = before![m]![i]!;
                  sum.n++;
                  sum.change += Math.abs(value - was);
                  if (value >= scoreThreshold !== was >= scoreThreshold) sum.flips++;
                });
              });
            }
          }
        }
    process.stderr.write(`${entry.name}: ${objects.length} nuclei\n`);
  }
  const { name, version, files } = model.manifest;
  const record = {
    benchmark: 'offsets',
    command: `node -r ./scripts/swcRegister.cjs bench/offsets.ts --data brca_m2c --split ${values.split} --clicks ${values.clicks}`,
    images: entries.length,
    model: {
      name,
      version,
      encoder: files.encoder.sha256.slice(0, 12),
      decoder: files.decoder.sha256.slice(0, 12),
    },
    overlap: OVERLAP,
    offsets: OFFSETS.slice(1),
    tilesOfAnotherMask: mean(others),
    rows: rows.map(({ ask, mask, f1, clicked, moved }) => ({
      ask,
      mask,
      f1: mean(f1),
      clicksHonoured: mean(clicked),
      comparisons: moved[0]!.n,
      turned: moved.map(({ n, flips }) => rounded(flips / n)),
      change: moved.map(({ n, change }) => rounded(change / n)),
    })),
  };
  process.stdout.write(JSON.stringify(record, null, 2) + '\n');
  await engine.close();
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Rounded; null of nothing. */
function mean(list: readonly number[]): number | null {
  return list.length === 0 ? null : rounded(list.reduce((sum, value) => sum + value, 0) / list.length);
}

void main();
