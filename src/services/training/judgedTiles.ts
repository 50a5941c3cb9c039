import type { JudgedObjects } from '../../sampo/judgedPixels';
import type { Tile } from '../../segmentation/coordinates';
import type { Embedding } from '../../segmentation/embeddingFeatures';
import type { Point } from '../../segmentation/geometry';

/** A judged object on its tile; lengths in tile px. */
export interface JudgedObject extends Point {
  /** The judgement that names it; absent for an object that was clicked. */
  readonly judgementId?: string | undefined;
  /** Its value in the tile's labels. */
  readonly number: number;
  readonly wanted: boolean;
  readonly heldOut: boolean;
  readonly radius: number;
  /** The embedding's mean over it. */
  readonly feature: Float32Array;
}

/** A choice among the candidates of one click, tile px. */
export interface JudgedChoice extends Point {
  readonly chosen: number;
  readonly rejected: readonly number[];
  readonly feature: Float32Array;
}

/** A tile with everything the user has said about it. */
export interface JudgedTile {
  readonly key: string;
  readonly tile: Tile;
  readonly embedding: Embedding;
  /** Side of the decoder's masks, px. */
  readonly side: number;
  /** 0 or an object's number, at the mask's resolution [side * side]. */
  readonly labels: Int32Array;
  /** 1 where surely no nucleus is [side * side]. */
  readonly background: Uint8Array;
  /** 1 inside found nuclei [side * side]. */
  readonly nuclei: Uint8Array;
  readonly objects: JudgedObject[];
  readonly choices: JudgedChoice[];
}

/** A click of the intent: what lies under it is of the type, or is not; full-resolution px. */
export interface KnownClick extends Point {
  readonly imageUri: string;
  readonly wanted: boolean;
}

/** The judged objects to train on: held-out ones are as if nobody had judged them. */
export function trainingObjects({ labels, background, objects }: JudgedTile): JudgedObjects {
  const train = objects.filter(({ heldOut }) => !heldOut);
  // Held-out objects are no sure background either, whatever the nucleus head says.
  const surelyEmpty = background.map((sure, i) => (labels[i] === 0 ? sure : 0));
  return {
    labels,
    verdicts: new Map(train.map(({ number, wanted }) => [number, wanted])),
    background: surelyEmpty,
  };
}
