import { outlineContains, type Outline, type Point } from '../geometry';
import type { Exemplar } from '../prompts';

/** An example of an intent; `at` says where it lies when that is in the image in question, model px. */
export interface ShownExample extends Exemplar {
  readonly at?: Point | undefined;
}

/** Examples told apart: those that are a nucleus of a list, by its index, and the others. */
export interface ShownNuclei {
  readonly shown: ReadonlyMap<number, 0 | 1>;
  readonly elsewhere: readonly Exemplar[];
}

/** No nucleus reaches farther from its centre, px: only those near a place are looked at closely. */
const REACH = 64;

/** Finds the nucleus under each example; the first that names a nucleus counts. @param nuclei model px */
export function findShown(
  nuclei: readonly { readonly outline: Outline; readonly centroid: Point }[],
  examples: readonly ShownExample[],
): ShownNuclei {
  const shown = new Map<number, 0 | 1>();
  const elsewhere: Exemplar[] = [];
  for (const { at, feature, label } of examples) {
    const under =
      at === undefined
        ? -1
        : nuclei.findIndex(
            ({ outline, centroid }) =>
              Math.abs(centroid.x - at.x) <= REACH &&
              Math.abs(centroid.y - at.y) <= REACH &&
              outlineContains(outline, at.x, at.y),
          );
    if (under < 0) elsewhere.push({ feature, label });
    else if (!shown.has(under)) shown.set(under, label);
  }
  return { shown, elsewhere };
}
