import type { LabelImage } from '../../segmentation/components';
import type { Tile } from '../../segmentation/coordinates';
import {
  outlineArea,
  outlineCentroid,
  outlineContains,
  mapOutline,
  type Outline,
  type Point,
} from '../../segmentation/geometry';
import { labelBounds, traceLabel } from '../../segmentation/outlines';
import { scoreObjects } from '../../segmentation/scoring';
import type { FoundObject } from '../../segmentation/stitch';
import type { EncodedImage } from './encodedImage';
import type { ExampleTile } from './promptEmbedding';
import type { SearchPlan } from './searchPlan';

/** Outlines of a tile's nuclei by label, model px, while the tile lives: what they look like is then known as well. */
const TRACED = new WeakMap<LabelImage, readonly (Outline | undefined)[]>();

/** Whether a tile shows anything beside what a search covers. */
export function reachesBeside(
  { x, y, width, height }: Tile,
  { plan: { extent }, within }: SearchPlan,
): boolean {
  return (
    within !== undefined ||
    x < extent.x ||
    y < extent.y ||
    x + width > extent.x + extent.width ||
    y + height > extent.y + extent.height
  );
}

/**
 * The nuclei that a click's tile shows whole beside the extent, so that a click there is known as a nucleus and a small extent is
 * not measured by itself alone. A nucleus counts in the one tile in which it lies most centrally.
 * @param answers each intent's probabilities in the tile, [side, side]
 */
export function besideNuclei(
  { tile, nuclei }: ExampleTile,
  answers: readonly Float32Array[],
  encoded: EncodedImage,
  where: SearchPlan,
): FoundObject[] {
  const { tileSize } = encoded.parts.model.manifest;
  const { modelSize } = encoded.spaces;
  const scores = answers.map((probabilities) => scoreObjects(nuclei, probabilities, tileSize));
  const boxes = labelBounds(nuclei);
  const outlines = outlinesOf(nuclei, tile);
  const found: FoundObject[] = [];
  for (let label = 1; label <= nuclei.count; label++) {
    const box = boxes[label]!;
    const whole =
      (box.x > 0 || tile.x === 0) &&
      (box.y > 0 || tile.y === 0) &&
      (box.x + box.width < tile.width || tile.x + tile.width >= modelSize.width) &&
      (box.y + box.height < tile.height || tile.y + tile.height >= modelSize.height);
    if (!whole) continue;
    const outline = outlines[label]!;
    const centroid = outlineCentroid(outline);
    if (covers(where, centroid) || encoded.homeTile(centroid).key !== tile.key) continue;
    found.push({
      outline,
      area: outlineArea(outline),
      centroid,
      anchor: centroid,
      scores: scores.map((list) => list[label]!),
      nucleusScore: 1,
    });
  }
  return found;
}

function outlinesOf(nuclei: LabelImage, tile: Tile): readonly (Outline | undefined)[] {
  let outlines = TRACED.get(nuclei);
  if (outlines === undefined) {
    outlines = labelBounds(nuclei).map((box, label) =>
      box === undefined || label === 0
        ? undefined
        : mapOutline(traceLabel(nuclei, label, box), 1, tile.x, tile.y),
    );
    TRACED.set(nuclei, outlines);
  }
  return outlines;
}

function covers({ plan: { extent }, within }: SearchPlan, at: Point): boolean {
  const { x, y, width, height } = extent;
  const inside = at.x >= x && at.y >= y && at.x < x + width && at.y < y + height;
  return inside && (within === undefined || outlineContains(within, at.x, at.y));
}
