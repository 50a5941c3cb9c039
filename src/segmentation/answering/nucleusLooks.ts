import type { Tile } from '../coordinates';
import { maskFeature, sampleEmbedding, type Embedding } from '../embeddingFeatures';
import { mapOutline, outlineBounds, type Outline } from '../geometry';
import { measureObject } from '../measurements';
import type { RgbImage } from '../preprocess';
import { rasterizeOutline } from '../rasterize';
import type { NucleusLooks } from './answerScores';

/** A tile as a model sees it. */
export interface SeenTile {
  readonly tile: Tile;
  readonly embedding: Embedding;
  /** tile.width x tile.height. */
  readonly pixels: RgbImage;
}

/** Reads what a nucleus looks like from a tile that shows it. @param outline model px of the whole image */
export function nucleusLooks(
  outline: Outline,
  { tile, embedding, pixels }: SeenTile,
  micronsPerPixel: number,
): NucleusLooks {
  const local = mapOutline(outline, 1, -tile.x, -tile.y);
  const around = outlineBounds(local);
  const x = Math.floor(around.x);
  const y = Math.floor(around.y);
  const frame = {
    x,
    y,
    width: Math.ceil(around.x + around.width) - x,
    height: Math.ceil(around.y + around.height) - y,
  };
  return {
    embedding:
      maskFeature(embedding, rasterizeOutline(local, frame), frame) ??
      sampleEmbedding(embedding, around.x + around.width / 2, around.y + around.height / 2),
    measurements: measureObject(local, pixels, micronsPerPixel),
  };
}
