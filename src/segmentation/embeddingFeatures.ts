import type { LabelImage } from './components';
import type { Rectangle } from './geometry';

/** Image embedding of a tile: `data` [channels, side, side], one cell per `stride` x `stride` px. */
export interface Embedding {
  readonly data: Float32Array;
  readonly channels: number;
  readonly side: number;
  readonly stride: number;
}

/** Bilinear sample of the embedding at tile px (x, y); cell centres lie at (i + 0.5) * stride, the border continues outward. -> [channels] */
export function sampleEmbedding(
  { data, channels, side, stride }: Embedding,
  x: number,
  y: number,
): Float32Array {
  const limit = (value: number): number => Math.max(0, Math.min(side - 1, value / stride - 0.5));
  const column = limit(x);
  const row = limit(y);
  const left = Math.floor(column);
  const top = Math.floor(row);
  const right = Math.min(side - 1, left + 1);
  const bottom = Math.min(side - 1, top + 1);
  const fx = column - left;
  const fy = row - top;
  const out = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const plane = c * side * side;
    const upper = data[plane + top * side + left]! * (1 - fx) + data[plane + top * side + right]! * fx;
    const lower = data[plane + bottom * side + left]! * (1 - fx) + data[plane + bottom * side + right]! * fx;
    out[c] = upper * (1 - fy) + lower * fy;
  }
  return out;
}

/**
 * Mean of the embedding over a mask, each cell weighted by the mask's pixels in it (area pooling to the stride). -> [channels],
 * or `undefined` for a mask without a pixel. @param inside whether tile px (column, row) belongs to the mask
 */
export function poolEmbedding(
  embedding: Embedding,
  inside: (column: number, row: number) => boolean,
  bounds?: Rectangle,
): Float32Array | undefined {
  const { data, channels, side, stride } = embedding;
  const size = side * stride;
  const { x, y, width, height } = bounds ?? { x: 0, y: 0, width: size, height: size };
  const weights = new Map<number, number>();
  let total = 0;
  for (let row = Math.max(0, y); row < Math.min(size, y + height); row++)
    for (let column = Math.max(0, x); column < Math.min(size, x + width); column++) {
      if (!inside(column, row)) continue;
      const cell = Math.floor(row / stride) * side + Math.floor(column / stride);
      weights.set(cell, (weights.get(cell) ?? 0) + 1);
      total++;
    }
  if (total === 0) return undefined;
  const out = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (const [cell, weight] of weights) sum += data[c * side * side + cell]! * weight;
    out[c] = sum / total;
  }
  return out;
}

/** The feature under a click, and the nucleus it hit (0: none). */
export interface ClickFeature {
  readonly feature: Float32Array;
  readonly label: number;
}

/**
 * A click on a detected nucleus takes the mean embedding over that nucleus, any other click the sample under it.
 * @param nuclei instances of the tile (its size may be smaller than the tile) @param x, y tile px
 */
export function clickFeature(embedding: Embedding, nuclei: LabelImage, x: number, y: number): ClickFeature {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const onTile = column >= 0 && row >= 0 && column < nuclei.width && row < nuclei.height;
  const label = onTile ? nuclei.labels[row * nuclei.width + column]! : 0;
  const pooled = label === 0 ? undefined : nucleusFeature(embedding, nuclei, label);
  return { feature: pooled ?? sampleEmbedding(embedding, x, y), label };
}

/** Mean embedding over one nucleus of a tile. -> [channels], `undefined` when the label has no pixel */
export function nucleusFeature(
  embedding: Embedding,
  nuclei: LabelImage,
  label: number,
): Float32Array | undefined {
  const { width, height, labels } = nuclei;
  return poolEmbedding(embedding, (column, row) => labels[row * width + column] === label, {
    x: 0,
    y: 0,
    width,
    height,
  });
}

/** Mean embedding over an example mask [height * width] laid at (bounds.x, bounds.y) of the tile. -> [channels] or `undefined` when empty */
export function maskFeature(
  embedding: Embedding,
  mask: Uint8Array,
  bounds: Rectangle,
): Float32Array | undefined {
  return poolEmbedding(
    embedding,
    (column, row) => mask[(row - bounds.y) * bounds.width + column - bounds.x] !== 0,
    bounds,
  );
}

/**
 * The feature of a box, tile px: that of the nucleus it holds most of, or the mean over the box when it holds none.
 * -> [channels] or `undefined` when the box misses the tile
 */
export function boxFeature(
  embedding: Embedding,
  nuclei: LabelImage,
  box: Rectangle,
): Float32Array | undefined {
  const left = Math.max(0, Math.floor(box.x));
  const top = Math.max(0, Math.floor(box.y));
  const right = Math.min(nuclei.width, Math.ceil(box.x + box.width));
  const bottom = Math.min(nuclei.height, Math.ceil(box.y + box.height));
  const held = new Map<number, number>();
  for (let row = top; row < bottom; row++)
    for (let column = left; column < right; column++) {
      const label = nuclei.labels[row * nuclei.width + column]!;
      if (label !== 0) held.set(label, (held.get(label) ?? 0) + 1);
    }
  let most = 0;
  for (const [label, pixels] of held) if (most === 0 || pixels > held.get(most)!) most = label;
  if (most !== 0) return nucleusFeature(embedding, nuclei, most);
  return poolEmbedding(embedding, () => true, { x: left, y: top, width: right - left, height: bottom - top });
}
