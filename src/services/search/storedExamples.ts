import type { Point } from '../../segmentation/geometry';
import { isPlaced, placeKey, type Example, type PlacedExample } from './example';

/** Stored examples of an intent, by what a search must do before it can use them. */
export interface SortedExamples {
  /** Clicks made earlier in the searched image: asked as points, where they lie. */
  readonly clickedHere: readonly PlacedExample[];
  /** Of this model, shown elsewhere or otherwise: asked by their features alone. */
  readonly remembered: readonly Example[];
  /** Of another model, in the searched image: embedded again, as if clicked now. */
  readonly foreignHere: readonly PlacedExample[];
  /** Of another model, in another image or nowhere known: embedded again where that image is open. */
  readonly foreignElsewhere: readonly Example[];
}

/** Each example goes to one list; the order within a list is the stored one. */
export function sortExamples(
  examples: readonly Example[],
  { imageUri, modelId }: { readonly imageUri: string; readonly modelId: string },
): SortedExamples {
  const clickedHere: PlacedExample[] = [];
  const remembered: Example[] = [];
  const foreignHere: PlacedExample[] = [];
  const foreignElsewhere: Example[] = [];
  for (const example of examples) {
    const here = isPlaced(example) && example.place.imageUri === imageUri;
    if (example.modelId === modelId)
      if (here && example.source === 'click') clickedHere.push(example);
      else remembered.push(example);
    else if (here) foreignHere.push(example);
    else foreignElsewhere.push(example);
  }
  return { clickedHere, remembered, foreignHere, foreignElsewhere };
}

/** The examples that none of `places` of the image names: a viewer sends its clicks with every request, and each counts once. */
export function notNamedAgain<E extends Example>(
  examples: readonly E[],
  imageUri: string,
  places: readonly Point[],
): E[] {
  const named = new Set(places.map(placeKey));
  return examples.filter(
    (example) =>
      !isPlaced(example) || example.place.imageUri !== imageUri || !named.has(placeKey(example.place)),
  );
}
