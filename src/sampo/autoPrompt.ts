/** The embedding of a tile, laid out `[C, side, side]`, one cell per `stride` px. */
export interface EmbeddingGrid {
  readonly data: Float32Array;
  readonly channels: number;
  readonly side: number;
  readonly stride: number;
}

/** What an object of the intent (label 1), or of another kind (0), looks like in the embedding; `feature [C]`. */
export interface Exemplar {
  readonly feature: Float32Array;
  readonly label: 0 | 1;
}

/** A point found by similarity, tile px. */
export interface FoundPoint {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1;
  /** Cosine similarity to the best positive exemplar less that to the best negative one. */
  readonly evidence: number;
}

export interface AutoPromptSettings {
  readonly positives: number;
  readonly negatives: number;
  /** Points lie at least this far apart, px. */
  readonly spacing: number;
  /** Cells `[side·side]` that a positive point may lie in, where 1; all when absent. */
  readonly where?: Uint8Array;
}

/** Evidence per cell `[side·side]`: similarity to the nearest positive exemplar less that to the nearest negative one. */
export function evidenceMap(grid: EmbeddingGrid, exemplars: readonly Exemplar[]): Float32Array {
  const { data, channels, side } = grid;
  const cells = side * side;
  const lengths = new Float32Array(cells);
  for (let c = 0; c < channels; c++) for (let i = 0; i < cells; i++) lengths[i]! += data[c * cells + i]! ** 2;
  const nearest = (label: 0 | 1): Float32Array | undefined => {
    const chosen = exemplars.filter((exemplar) => exemplar.label === label);
    if (chosen.length === 0) return undefined;
    const best = new Float32Array(cells).fill(-1);
    for (const { feature } of chosen) {
      const size = Math.sqrt(feature.reduce((sum, value) => sum + value * value, 0)) || 1;
      const dots = new Float32Array(cells);
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < cells; i++) dots[i]! += data[c * cells + i]! * (feature[c]! / size);
      for (let i = 0; i < cells; i++) best[i] = Math.max(best[i]!, dots[i]! / (Math.sqrt(lengths[i]!) || 1));
    }
    return best;
  };
  const positive = nearest(1) ?? new Float32Array(cells);
  const negative = nearest(0);
  return negative === undefined ? positive : positive.map((value, i) => value - negative[i]!);
}

/**
 * Points for a decoder that knows no exemplars: the peaks of the evidence as positive clicks, its lowest places as negative
 * ones, spaced apart. Strongest first, positives before negatives.
 */
export function autoPrompt(
  grid: EmbeddingGrid,
  exemplars: readonly Exemplar[],
  settings: AutoPromptSettings,
): FoundPoint[] {
  const evidence = evidenceMap(grid, exemplars);
  const order = [...evidence.keys()].sort((a, b) => evidence[b]! - evidence[a]! || a - b);
  const taken: FoundPoint[] = [];
  const take = (cells: readonly number[], label: 0 | 1, count: number): void => {
    let left = count;
    for (const cell of cells) {
      if (left === 0) return;
      const x = ((cell % grid.side) + 0.5) * grid.stride;
      const y = (Math.floor(cell / grid.side) + 0.5) * grid.stride;
      if (taken.some((point) => Math.hypot(point.x - x, point.y - y) < settings.spacing)) continue;
      taken.push({ x, y, label, evidence: evidence[cell]! });
      left--;
    }
  };
  const { where } = settings;
  take(where === undefined ? order : order.filter((cell) => where[cell] === 1), 1, settings.positives);
  take(order.toReversed(), 0, settings.negatives);
  return taken;
}
