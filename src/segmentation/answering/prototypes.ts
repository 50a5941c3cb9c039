/** What the user has shown, as rows of length 1. */
export interface Prototypes {
  readonly wanted: readonly Float64Array[];
  readonly unwanted: readonly Float64Array[];
}

export const NO_PROTOTYPES: Prototypes = { wanted: [], unwanted: [] };

/** How much an unwanted nucleus counts against a wanted one. */
const UNWANTED_WEIGHT = 0.5;

/** Prototypes of standardized rows. */
export function prototypes(wanted: readonly Float64Array[], unwanted: readonly Float64Array[]): Prototypes {
  return { wanted: wanted.map(unit), unwanted: unwanted.map(unit) };
}

/**
 * How much a standardized row is like what was shown: half the best and half the mean cosine to the wanted, less half of the same
 * to the unwanted. -> -1.5..1.5; 0 without prototypes
 */
export function prototypeSimilarity(row: Float64Array, { wanted, unwanted }: Prototypes): number {
  if (wanted.length === 0 && unwanted.length === 0) return 0;
  const direction = unit(row);
  return likeness(direction, wanted) - UNWANTED_WEIGHT * likeness(direction, unwanted);
}

function likeness(direction: Float64Array, shown: readonly Float64Array[]): number {
  if (shown.length === 0) return 0;
  let best = -1;
  let sum = 0;
  for (const prototype of shown) {
    let cosine = 0;
    for (let c = 0; c < direction.length; c++) cosine += direction[c]! * prototype[c]!;
    best = Math.max(best, cosine);
    sum += cosine;
  }
  return (best + sum / shown.length) / 2;
}

/** The row at length 1; a row of zeros stays one and is like nothing. */
function unit(row: Float64Array): Float64Array {
  let squares = 0;
  for (const value of row) squares += value * value;
  const length = Math.sqrt(squares);
  return length > 0 ? row.map((value) => value / length) : row;
}
