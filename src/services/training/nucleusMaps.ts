import type { LabelImage } from '../../segmentation/components';

/** Below this nucleus probability a pixel is surely background. */
const SURE_BACKGROUND = 0.1;

/** 1 inside found nuclei [side * side]. @param nuclei of the tile, px @param tileSize side of the tile, px */
export function foundNuclei(nuclei: LabelImage, tileSize: number, side: number): Uint8Array {
  return sampled(tileSize, side, (column, row) => {
    const inside = column < nuclei.width && row < nuclei.height;
    return inside && nuclei.labels[row * nuclei.width + column] !== 0;
  });
}

/** 1 where surely no nucleus is [side * side]. @param nucleusLogits [tileSize * tileSize] */
export function sureBackground(nucleusLogits: Float32Array, tileSize: number, side: number): Uint8Array {
  const limit = Math.log(SURE_BACKGROUND / (1 - SURE_BACKGROUND));
  return sampled(tileSize, side, (column, row) => nucleusLogits[row * tileSize + column]! < limit);
}

/** 1 where a condition holds at the tile's pixel in the middle of a mask's pixel. */
function sampled(
  tileSize: number,
  side: number,
  holds: (column: number, row: number) => boolean,
): Uint8Array {
  const step = tileSize / side;
  const out = new Uint8Array(side * side);
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i++)
      out[i] = holds(Math.floor((x + 0.5) * step), Math.floor((y + 0.5) * step)) ? 1 : 0;
  return out;
}
