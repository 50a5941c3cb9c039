import { autoPrompt, evidenceMap } from '../../../sampo/autoPrompt';
import type { Tile } from '../../../segmentation/coordinates';
import { rectanglesOverlap, type Point } from '../../../segmentation/geometry';
import type { PromptSet } from '../../../segmentation/prompts';
import type { EncodedTile } from '../promptableModel';
import type { PromptMasks, PromptPoint } from './feeds';
import type { SamForm } from './forms';
import type { SamManifest } from './manifest';

/** A mask larger than this share of a tile is no nucleus: of 128 µm tiles it is a square of 32 µm. */
const OBJECT_SHARE = 1 / 16;
/** Negative points that go with one positive: the nearest. */
const NEAREST_NEGATIVES = 2;
/** Logit where no object is. */
const NOWHERE = -20;

type Settings = Pick<SamManifest, 'tileSize' | 'autoPrompt'> & {
  readonly form: Pick<SamForm, 'negatives' | 'boxCorners'>;
};

/**
 * What a decoder that knows no exemplars is asked about in one tile: one prompt per object, tile px. Clicks and boxes that lie in
 * the tile, then places on detected nuclei whose embedding is like the wanted examples, and liker to them than to the unwanted.
 */
export function intentPrompts(
  tile: Tile,
  { embedding, nucleusLogits }: EncodedTile,
  prompts: PromptSet,
  { tileSize, autoPrompt: settings, form }: Settings,
): PromptPoint[][] {
  const inside = ({ x, y }: Point): boolean =>
    x >= tile.x && y >= tile.y && x < tile.x + tile.width && y < tile.y + tile.height;
  const clicked = prompts.points
    .filter(inside)
    .map(({ x, y, label }): PromptPoint => ({ x: x - tile.x, y: y - tile.y, label }));
  const examples = [...(prompts.exemplars ?? []), ...prompts.points];
  const { stride, side } = embedding;

  const where = new Uint8Array(side * side);
  if (examples.some(({ label }) => label === 1)) {
    const alike = evidenceMap(
      embedding,
      examples.filter(({ label }) => label === 1),
    );
    const both = examples.some(({ label }) => label === 0) ? evidenceMap(embedding, examples) : undefined;
    const wanted = clicked.filter(({ label }) => label === 1);
    for (let cell = 0; cell < where.length; cell++) {
      const x = ((cell % side) + 0.5) * stride;
      const y = (Math.floor(cell / side) + 0.5) * stride;
      if (x >= tile.width || y >= tile.height) continue;
      const onNucleus = nucleusLogits[Math.floor(y) * tileSize + Math.floor(x)]! > 0;
      const like = alike[cell]! >= settings.similarity && (both === undefined || both[cell]! > 0);
      const known = wanted.some((one) => Math.hypot(one.x - x, one.y - y) < settings.spacing);
      if (onNucleus && like && !known) where[cell] = 1;
    }
  }
  const { positives, negatives, spacing } = settings;
  const found = autoPrompt(embedding, examples, { positives, negatives, spacing, where });
  const places = [
    ...clicked,
    ...found
      .filter(({ x, y }) => x < tile.width && y < tile.height)
      .map(({ x, y, label }): PromptPoint => ({ x, y, label })),
  ];
  const against = form.negatives ? places.filter(({ label }) => label === 0) : [];
  const nearest = (to: Point): PromptPoint[] =>
    against
      .toSorted((a, b) => Math.hypot(a.x - to.x, a.y - to.y) - Math.hypot(b.x - to.x, b.y - to.y))
      .slice(0, NEAREST_NEGATIVES);
  const boxes = (prompts.boxes ?? [])
    .filter((box) => rectanglesOverlap(box, tile))
    .map(({ x, y, width, height }): PromptPoint[] => {
      const at = { x: x - tile.x, y: y - tile.y };
      return form.boxCorners
        ? [
            { ...at, label: 2 },
            { x: at.x + width, y: at.y + height, label: 3 },
          ]
        : [{ x: at.x + width / 2, y: at.y + height / 2, label: 1 }];
    });
  return [...boxes, ...places.filter(({ label }) => label === 1).map((one) => [one, ...nearest(one)])];
}

/**
 * The masks of several objects as `count` masks of all of them [count, side, side]: of each prompt the likeliest goes into the
 * first, the next into the second, and so on; masks too large for a nucleus come last and count for nothing. -> scores [count]
 */
export function uniteMasks(
  answers: readonly PromptMasks[],
  count: number,
  side: number,
): { readonly masks: Float32Array; readonly scores: Float32Array } {
  const cells = side * side;
  const masks = new Float32Array(count * cells).fill(NOWHERE);
  const scores = new Float32Array(count);
  for (const { logits, scores: predicted } of answers) {
    const ranked = Array.from(predicted, (score, k) => ({ score, k, fits: isObject(logits, k, cells) }))
      .filter(({ fits }) => fits)
      .sort((a, b) => b.score - a.score);
    ranked.forEach(({ score, k }, rank) => {
      scores[rank]! += score / answers.length;
      for (let i = 0; i < cells; i++) {
        const value = logits[k * cells + i]!;
        if (value > masks[rank * cells + i]!) masks[rank * cells + i] = value;
      }
    });
  }
  return { masks, scores };
}

function isObject(logits: Float32Array, k: number, cells: number): boolean {
  let area = 0;
  for (let i = k * cells; i < (k + 1) * cells; i++) if (logits[i]! > 0) area++;
  return area <= OBJECT_SHARE * cells;
}
