import { randomUUID } from 'node:crypto';
import { connectedComponents } from '../../segmentation/components';
import type { Tile } from '../../segmentation/coordinates';
import type { Outline } from '../../segmentation/geometry';
import { mapOutline } from '../../segmentation/geometry';
import { labelBounds, traceLabel } from '../../segmentation/outlines';
import type { DecodedMasks } from '../models/promptableModel';
import type { ExampleTile, PlacedClick } from './promptEmbedding';
import type { Click } from './searchRequest';

/** One of the K masks as it shows the clicked nucleus. */
export interface CandidateMask {
  /** Index of the decoder's mask. */
  readonly mask: number;
  /** Predicted IoU, 0..1. */
  readonly score: number;
  /** Model space; absent when the mask does not hold the click. */
  readonly outline?: Outline;
}

/** The candidates of one click, kept for "this one is better". */
export interface PromptCandidates {
  readonly promptId: string;
  /** Index of the intent in the request. */
  readonly intent: number;
  /** Full-resolution px. */
  readonly click: Click;
  readonly tile: Tile;
  /** In the decoder's order. */
  readonly masks: readonly CandidateMask[];
}

/** The K masks of a positive click's tile, each cut down to the part that holds the click. */
export function clickCandidates(
  intent: number,
  click: Click,
  placed: PlacedClick,
  decoded: DecodedMasks,
  tileSize: number,
): PromptCandidates {
  const { tile } = placed.home;
  const masks = Array.from(decoded.scores, (score, mask) => {
    const outline = partAt(placed.home, placed, decoded, mask, tileSize);
    return { mask, score, ...(outline && { outline }) };
  });
  return { promptId: randomUUID(), intent, click, tile, masks };
}

/** The connected part of mask k around the click, kept out of neighbouring nuclei; model space of the image. */
function partAt(
  { tile, nuclei }: ExampleTile,
  placed: PlacedClick,
  { masks, side }: DecodedMasks,
  k: number,
  tileSize: number,
): Outline | undefined {
  const { width, height } = nuclei;
  const shrink = side / tileSize;
  const inside = new Uint8Array(width * height);
  for (let i = 0, y = 0; y < height; y++) {
    const row = k * side * side + Math.floor(y * shrink) * side;
    for (let x = 0; x < width; x++, i++) {
      const label = nuclei.labels[i]!;
      // A mask of the whole class runs from nucleus to nucleus where they touch.
      if (label !== 0 && placed.nucleus !== 0 && label !== placed.nucleus) continue;
      if (masks[row + Math.floor(x * shrink)]! > 0) inside[i] = 1;
    }
  }
  const parts = connectedComponents(inside, width, height);
  const label = parts.labels[Math.floor(placed.y - tile.y) * width + Math.floor(placed.x - tile.x)]!;
  if (label === 0) return undefined;
  const traced = traceLabel(parts, label, labelBounds(parts)[label]!);
  return mapOutline(traced, 1, tile.x, tile.y);
}
