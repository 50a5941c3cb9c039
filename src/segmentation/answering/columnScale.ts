/** Median and spread of every column of a table; the spread is half of the range from the 16th to the 84th percentile. */
export interface ColumnScale {
  readonly centre: Float64Array;
  readonly spread: Float64Array;
}

/** Values farther than this many spreads from the median count as this far: no single column decides. */
const CLIP = 4;

/**
 * The scale of a table's columns: what one image's nuclei are like. Median and percentiles do not move with a few odd rows.
 * @param rows [nuclei] of [columns], all of equal length @throws RangeError without rows
 */
export function columnScale(rows: readonly ArrayLike<number>[]): ColumnScale {
  const [first] = rows;
  if (first === undefined) throw new RangeError('a scale needs at least one row');
  const columns = first.length;
  const centre = new Float64Array(columns);
  const spread = new Float64Array(columns);
  const values = new Float64Array(rows.length);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < rows.length; i++) values[i] = rows[i]![c]!;
    values.sort();
    centre[c] = percentile(values, 0.5);
    spread[c] = (percentile(values, 0.84) - percentile(values, 0.16)) / 2;
  }
  return { centre, spread };
}

/**
 * A row in units of its image's spread, clipped, and divided by the root of its length, so that tables of different width weigh
 * the same in a cosine or in a regression. A column that does not vary becomes 0.
 */
export function standardize(row: ArrayLike<number>, { centre, spread }: ColumnScale): Float64Array {
  const length = Math.sqrt(centre.length);
  const out = new Float64Array(centre.length);
  for (let c = 0; c < out.length; c++) {
    const unit = spread[c]!;
    if (unit > 0) out[c] = Math.max(-CLIP, Math.min(CLIP, (row[c]! - centre[c]!) / unit)) / length;
  }
  return out;
}

/** @param sorted ascending @param share 0..1, between two values linearly */
export function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
