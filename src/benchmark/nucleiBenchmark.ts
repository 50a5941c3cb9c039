import { throwIfAborted } from '../abort';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BridgeError } from '../errors';
import { labelAreas } from '../segmentation/components';
import { segmentClassically } from '../segmentation/classical';
import { scoreMasks } from '../segmentation/metrics';
import { imageFiles, readRgb, renumbered, resized } from '../services/labelled/dataset';
import type { IntentPredictor, ModelIdentity } from './intentPredictor';
import { readLabels } from '../services/labelled/labelFiles';
import { deviation, meanScore, round, rounded } from './report';
import type { Score } from './judge';

/** What to run. */
export interface NucleiBenchmarkOptions {
  /** Holds images/NAME.* and instances/NAME.png. */
  readonly folder: string;
  /** µm/px of the images, or `undefined` when unknown: then each is brought to a median nucleus of `MEDIAN_NUCLEUS_PIXELS`. */
  readonly micronsPerPixel: number | undefined;
  /** Only these images. */
  readonly names?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  readonly onImage?: (done: {
    readonly name: string;
    readonly index: number;
    readonly count: number;
  }) => void;
}

/** Means over images; `f1` at IoU 0.5, `f1Sd` over images. */
export interface NucleiRow extends Score {
  readonly method: 'model' | 'classical';
  readonly f1Sd?: number;
  readonly images: number;
}

/** The benchmark's result. */
export interface NucleiReport {
  readonly benchmark: 'nuclei';
  readonly data: { readonly name: string; readonly images: number };
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly model: ModelIdentity;
  readonly rows: readonly NucleiRow[];
}

/** Width of a median nucleus at the model's scale, px: 7.5 µm at 0.5 µm/px. Used where a data set's scale is unknown. */
const MEDIAN_NUCLEUS_PIXELS = 15;

/** Class-agnostic scores of the model beside the classical way. @throws BridgeError FileNotFound, FileDamaged, RequestCancelled */
export async function runNucleiBenchmark(
  predictor: IntentPredictor,
  options: NucleiBenchmarkOptions,
): Promise<NucleiReport> {
  const { folder, names } = options;
  const images = [...imageFiles(folder)].filter(([name]) => names?.has(name) ?? true);
  if (images.length === 0)
    throw new BridgeError('FileNotFound', `${folder} has none of the images asked for`);
  const scores: Record<NucleiRow['method'], Score[]> = { model: [], classical: [] };
  for (const [index, [name, path]] of images.entries()) {
    throwIfAborted(options.signal, 'the benchmark was interrupted');
    const labelPath = join(folder, 'instances', `${name}.png`);
    if (!existsSync(labelPath))
      throw new BridgeError('FileNotFound', `an image has no instances: ${labelPath} is missing`);
    const [stored, labels] = [await readRgb(path), await readLabels(labelPath)];
    if (labels.width !== stored.width || labels.height !== stored.height)
      throw new BridgeError('FileDamaged', `${labelPath} does not have the size of its image`);
    const { image: full } = renumbered(labels, labels.width, labels.height);
    const known = options.micronsPerPixel;
    const scale =
      known === undefined
        ? unknownScale([...labelAreas(full)].slice(1))
        : known / predictor.model.micronsPerPixel;
    const image = resized(stored, scale);
    const { image: truth } = renumbered(labels, image.width, image.height);
    const prepared = await predictor.prepare(image);
    scores.model.push(measured(scoreMasks(prepared.labels, truth)));
    scores.classical.push(measured(scoreMasks(segmentClassically(image), truth)));
    await prepared.release();
    options.onImage?.({ name, index, count: images.length });
  }
  return {
    benchmark: 'nuclei',
    data: { name: basename(folder), images: images.length },
    configuration: {
      micronsPerPixel:
        options.micronsPerPixel ?? `unknown: median nucleus brought to ${MEDIAN_NUCLEUS_PIXELS} px`,
      matching: 'IoU of at least 0.5',
    },
    model: predictor.model,
    rows: (['model', 'classical'] as const).map((method) => {
      const f1Sd = deviation(scores[method].map(({ f1 }) => f1));
      return {
        method,
        ...rounded(meanScore(scores[method])),
        ...(f1Sd === undefined ? {} : { f1Sd: round(f1Sd) }),
        images: images.length,
      };
    }),
  };
}

function unknownScale(areas: readonly number[]): number {
  if (areas.length === 0) return 1;
  const median = [...areas].sort((a, b) => a - b)[areas.length >> 1]!;
  return MEDIAN_NUCLEUS_PIXELS / (2 * Math.sqrt(median / Math.PI));
}

function measured({ f1, precision, recall, dice, aji }: Required<Score>): Score {
  return { f1, precision, recall, dice, aji };
}
