import type { Tensor } from '../tensor';
import { float32Tensor } from '../tensor';
import type { Tile } from './coordinates';
import type { Point, Rectangle } from './geometry';
import { rectanglesOverlap } from './geometry';

/** What the decoder takes at most: a manifest's `limits` and embedding width. */
export interface PromptLimits {
  readonly points: number;
  readonly exemplars: number;
  readonly intentTokens: number;
  readonly channels: number;
}

/** A feature vector [channels] and whether it shows the wanted class; a prompt without a position. */
export interface Exemplar {
  readonly feature: Float32Array;
  readonly label: 0 | 1;
}

/** A click with the feature found under it; `x, y` in model space of the whole image. */
export interface PointPrompt extends Exemplar, Point {}

/**
 * At most `limit` prompts, in their order: the newest half as they are, the rest the most different of the older ones
 * (farthest-point traversal by cosine distance, Gonzalez 1985). The oldest positive stays while any prompt is dropped, so that
 * an intent never loses its meaning to a run of negatives.
 */
export function selectDiverse<P extends Exemplar>(prompts: readonly P[], limit: number): readonly P[] {
  if (prompts.length <= limit) return prompts;
  const chosen = new Set<number>();
  for (let i = prompts.length - Math.ceil(limit / 2); i < prompts.length; i++) chosen.add(i);
  const hasPositive = [...chosen].some((i) => prompts[i]!.label === 1);
  const oldest = prompts.findIndex(({ label }) => label === 1);
  if (!hasPositive && oldest >= 0 && chosen.size < limit) chosen.add(oldest);
  const units = prompts.map(({ feature }) => unit(feature));
  const nearest = units.map((one) => Math.min(...[...chosen].map((i) => 1 - dot(one, units[i]!))));
  while (chosen.size < limit) {
    let far = -1;
    for (let i = 0; i < prompts.length; i++)
      if (!chosen.has(i) && (far < 0 || nearest[i]! >= nearest[far]!)) far = i; // ties: the newer
    chosen.add(far);
    for (let i = 0; i < prompts.length; i++)
      nearest[i] = Math.min(nearest[i]!, 1 - dot(units[i]!, units[far]!));
  }
  return [...chosen].sort((a, b) => a - b).map((i) => prompts[i]!);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((value) => value / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Everything an intent says, to be put before the decoder; lists are oldest first. */
export interface PromptSet {
  /** Clicks, model px of the whole image: a point in the tiles that contain them, an exemplar in every tile. */
  readonly points: readonly PointPrompt[];
  /** Boxes, model px of the whole image; their features belong among the exemplars (`boxFeature`). */
  readonly boxes?: readonly Rectangle[];
  /** Examples without a place here: from other images, accepted objects, boxes. */
  readonly exemplars?: readonly Exemplar[];
  /** The intent's own tokens [intentTokens, channels]; zeros when absent. */
  readonly tokens?: Float32Array;
}

/**
 * Decoder inputs of one tile, without `image_embeddings`: point_coords [1, P, 2] tile px, point_labels [1, P] (1, 0, box corners
 * 2 and 3, -1 pad), point_features [1, P, C], exemplar_features [1, E, C], exemplar_labels [1, E], intent_tokens [1, T, C].
 */
export function buildPromptFeeds(
  tile: Tile,
  prompts: PromptSet,
  limits: PromptLimits,
): Record<string, Tensor> {
  const { channels } = limits;
  const here = prompts.points.filter(
    ({ x, y }) => x >= tile.x && x < tile.x + tile.width && y >= tile.y && y < tile.y + tile.height,
  );
  const boxes = (prompts.boxes ?? [])
    .filter((box) => rectanglesOverlap(box, tile))
    .slice(-(limits.points >> 2));
  const points = selectDiverse(here, limits.points - 2 * boxes.length);
  const coords = new Float32Array(limits.points * 2);
  const labels = new Float32Array(limits.points).fill(-1);
  const features = new Float32Array(limits.points * channels);
  points.forEach((point, i) => {
    coords.set([point.x - tile.x, point.y - tile.y], 2 * i);
    labels[i] = point.label;
    features.set(point.feature, i * channels);
  });
  boxes.forEach((box, b) => {
    const i = points.length + 2 * b;
    const clampX = (x: number): number => Math.max(0, Math.min(tile.width, x - tile.x));
    const clampY = (y: number): number => Math.max(0, Math.min(tile.height, y - tile.y));
    coords.set([clampX(box.x), clampY(box.y), clampX(box.x + box.width), clampY(box.y + box.height)], 2 * i);
    labels[i] = 2;
    labels[i + 1] = 3;
  });
  const exemplars = selectDiverse([...(prompts.exemplars ?? []), ...prompts.points], limits.exemplars);
  const exemplarFeatures = new Float32Array(limits.exemplars * channels);
  const exemplarLabels = new Float32Array(limits.exemplars).fill(-1);
  exemplars.forEach(({ feature, label }, i) => {
    exemplarFeatures.set(feature, i * channels);
    exemplarLabels[i] = label;
  });
  const tokens = prompts.tokens ?? new Float32Array(limits.intentTokens * channels);
  return {
    point_coords: float32Tensor([1, limits.points, 2], coords),
    point_labels: float32Tensor([1, limits.points], labels),
    point_features: float32Tensor([1, limits.points, channels], features),
    exemplar_features: float32Tensor([1, limits.exemplars, channels], exemplarFeatures),
    exemplar_labels: float32Tensor([1, limits.exemplars], exemplarLabels),
    intent_tokens: float32Tensor([1, limits.intentTokens, channels], tokens),
  };
}
