import { STAIN_VECTORS, stainDensities } from '../segmentation/measurements';
import type { RgbImage } from '../segmentation/preprocess';
import { centroids, renumbered, resized, type LabelledImage } from '../services/labelled/dataset';
import { throughJpeg } from './pictureFiles';

/** Ways to change an image without changing what is true of it. */
export const PERTURBATIONS = ['stain', 'scale', 'jpeg'] as const;
export type PerturbationKind = (typeof PERTURBATIONS)[number];

/** One variant of a kind. */
export interface Perturbation {
  readonly kind: PerturbationKind;
  readonly name: string;
  readonly apply: (image: LabelledImage) => Promise<LabelledImage>;
}

/** The variants of the kinds that are asked for. */
export function perturbations(kinds: readonly PerturbationKind[]): Perturbation[] {
  return ALL.filter(({ kind }) => kinds.includes(kind));
}

const ALL: readonly Perturbation[] = [
  ...(
    [
      ['haematoxylin', 0.75, 1],
      ['haematoxylin', 1.25, 1],
      ['eosin', 1, 0.75],
      ['eosin', 1, 1.25],
    ] as const
  ).map(([stain, h, e]) => ({
    kind: 'stain' as const,
    name: `${stain} x ${h === 1 ? e : h}`,
    apply: async (image: LabelledImage) => ({ ...image, image: restained(image.image, h, e) }),
  })),
  ...[0.8, 1.25].map((factor) => ({
    kind: 'scale' as const,
    name: `size x ${factor}`,
    apply: async (image: LabelledImage) => rescaled(image, factor),
  })),
  ...[80, 40].map((quality) => ({
    kind: 'jpeg' as const,
    name: `JPEG quality ${quality}`,
    apply: async (image: LabelledImage) => ({ ...image, image: await throughJpeg(image.image, quality) }),
  })),
];

/** Multiplies the optical densities of the two stains; what is neither stays. */
export function restained({ width, height, data }: RgbImage, haematoxylin: number, eosin: number): RgbImage {
  const vectors = STAIN_VECTORS.map((vector) => {
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [h, e] = stainDensities(data[i]!, data[i + 1]!, data[i + 2]!);
    for (let c = 0; c < 3; c++) {
      const added = (haematoxylin - 1) * h * vectors[0]![c]! + (eosin - 1) * e * vectors[1]![c]!;
      const value = (data[i + c]! + 1) * 10 ** -added - 1;
      out[i + c] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return { width, height, data: out };
}

/** Everything `factor` times as large in pixels, as if the file's µm/px were wrong by that factor. */
export function rescaled(image: LabelledImage, factor: number): LabelledImage {
  const larger = resized(image.image, factor);
  const matchRadius = image.matchRadius * factor;
  if (image.labels === undefined)
    return {
      ...image,
      image: larger,
      matchRadius,
      objects: image.objects.map((object) => ({ ...object, x: object.x * factor, y: object.y * factor })),
    };
  const { image: labels, ids } = renumbered(image.labels, larger.width, larger.height);
  const objects = centroids(labels).map((centre, i) => ({ ...image.objects[ids[i]! - 1]!, ...centre }));
  return { ...image, image: larger, matchRadius, labels, objects };
}
