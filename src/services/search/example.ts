import type { Point } from '../../segmentation/geometry';
import type { Exemplar } from '../../segmentation/prompts';

/** How an example was shown; `judgement`: accepted by the user, and taken in by a refinement. */
export const EXAMPLE_SOURCES = ['click', 'box', 'object', 'judgement'] as const;
export type ExampleSource = (typeof EXAMPLE_SOURCES)[number];

/** Where an example lies, full-resolution px. */
export interface ExamplePlace extends Point {
  readonly imageUri: string;
}

/** A nucleus that is of an intent's type (label 1) or is not (label 0): its feature, and where that came from. */
export interface Example extends Exemplar {
  readonly source: ExampleSource;
  /** The model whose embedding the feature was read from. */
  readonly modelId: string;
  /** A place tells whether a request names the example again, and lets another model embed it anew. */
  readonly place?: ExamplePlace | undefined;
}

/** An example that says where it lies. */
export interface PlacedExample extends Example {
  readonly place: ExamplePlace;
}

/** Narrows to examples that say where they lie. */
export function isPlaced(example: Example): example is PlacedExample {
  return example.place !== undefined;
}

/** A place within an image as text: to a hundredth of a pixel, as places are stored. */
export function placeKey({ x, y }: Point): string {
  return `${x.toFixed(2)},${y.toFixed(2)}`;
}
