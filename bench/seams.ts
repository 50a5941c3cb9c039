/**
 * How far tile offset and overlap change the objects of a real image through a real encoder: the image is cropped by a few pixels
 * more, which moves every tile, and cut with other overlaps; objects of the common area are matched by IoU with those of the first
 * setting. `node -r ./scripts/swcRegister.cjs bench/seams.ts [--model DIR] IMAGE...`; prints the record.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import type { LabelImage } from '../src/segmentation/components';
import { planTiles } from '../src/segmentation/coordinates';
import { countOverlaps, matchMasks } from '../src/segmentation/matching';
import { normalizeRgb, padTile, type Normalization } from '../src/segmentation/preprocess';
import { fillOutline } from '../src/segmentation/rasterize';
import { Stitcher } from '../src/segmentation/stitch';

const { values, positionals: images } = parseArgs({
  options: { model: { type: 'string', default: join(__dirname, '../models/sampo-tiny') } },
  allowPositionals: true,
});
const MODEL = values.model;
const manifest = JSON.parse(readFileSync(join(MODEL, 'model.json'), 'utf8')) as {
  normalization: Normalization;
  tileSize: number;
  trained: unknown;
};
/** The common area keeps off the image's border, where a crop takes context away. */
const BORDER = 64;
const SETTINGS = [
  { offset: 0, overlap: 64 },
  { offset: 32, overlap: 64 }, // a whole step of the network
  { offset: 37, overlap: 64 },
  { offset: 0, overlap: 32 },
  { offset: 0, overlap: 16 },
  { offset: 37, overlap: 0 },
];

async function segment(
  path: string,
  session: ort.InferenceSession,
  offset: number,
  overlap: number,
): Promise<LabelImage> {
  const { tileSize } = manifest;
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = { width: info.width - offset, height: info.height - offset };
  const plan = planTiles({ modelSize: size, tileSize, overlap });
  const stitcher = new Stitcher({ plan, intents: 0 });
  const labels = new Int32Array(info.width * info.height);
  let count = 0;
  for (const tile of plan.tiles) {
    const pixels = new Uint8Array(tile.width * tile.height * 3);
    for (let y = 0; y < tile.height; y++) {
      const from = ((tile.y + offset + y) * info.width + tile.x + offset) * 3;
      pixels.set(data.subarray(from, from + tile.width * 3), y * tile.width * 3);
    }
    const input = normalizeRgb(
      padTile({ width: tile.width, height: tile.height, data: pixels }, tileSize),
      manifest.normalization,
    );
    const out = await session.run({
      image: new ort.Tensor('float32', input.data as Float32Array, [...input.dims]),
    });
    const found = stitcher.add(tile, {
      nucleusLogits: out['nucleus_logits']!.data as Float32Array,
      distanceMap: out['distance_map']!.data as Float32Array,
      intents: [],
    });
    const frame = { x: -offset, y: -offset, width: info.width, height: info.height };
    for (const { outline } of found) fillOutline(outline, frame, labels, ++count);
  }
  return { width: info.width, height: info.height, labels, count };
}

/** Only objects that lie wholly in the common area, renumbered. */
function inCommon({ width, height, labels, count }: LabelImage): LabelImage {
  const out = new Set<number>();
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x < BORDER || y < BORDER || x >= width - BORDER || y >= height - BORDER) out.add(labels[i]!);
  }
  return { width, height, count, labels: labels.map((label) => (out.has(label) ? 0 : label)) };
}

const present = ({ labels }: LabelImage): number => new Set(labels.filter((label) => label > 0)).size;

async function main(): Promise<void> {
  const session = await ort.InferenceSession.create(join(MODEL, 'encoder.onnx'), { intraOpNumThreads: 2 });
  const rows = SETTINGS.map((setting) => ({ ...setting, objects: 0, first: 0, at05: 0, at08: 0 }));
  for (const path of images) {
    const results: LabelImage[] = [];
    for (const { offset, overlap } of SETTINGS)
      results.push(inCommon(await segment(path, session, offset, overlap)));
    rows.forEach((row, i) => {
      const overlaps = countOverlaps(results[i]!, results[0]!);
      row.objects += present(results[i]!);
      row.first += present(results[0]!);
      row.at05 += matchMasks(overlaps, 0.5).length;
      row.at08 += matchMasks(overlaps, 0.8).length;
    });
  }
  const share = (matched: number, row: { objects: number; first: number }): number =>
    (2 * matched) / (row.objects + row.first);
  const record = {
    benchmark: 'seams',
    command: 'node -r ./scripts/swcRegister.cjs bench/seams.ts IMAGE...',
    images: images.map((path) => basename(path)),
    model: manifest.trained,
    rows: rows.map((row) => ({
      offset: row.offset,
      overlap: row.overlap,
      objects: row.objects,
      sameAtIou05: share(row.at05, row),
      sameAtIou08: share(row.at08, row),
    })),
  };
  process.stdout.write(JSON.stringify(record, null, 2) + '\n');
}

void main();
