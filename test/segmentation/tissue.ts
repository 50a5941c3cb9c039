import type { Rectangle, Size } from '../../src/segmentation/geometry';

// Hot loops look globals up slowly under jest.
const { ceil, cos, exp, floor, hypot, imul, max, min, PI, sin } = Math;

/** Synthetic tissue: ellipses with known labels, and the maps a perfect (or a noisy) encoder would give. */
export interface Tissue extends Size {
  /** [height * width], 0 background. */
  readonly truth: Int32Array;
  readonly count: number;
  readonly nucleusLogits: Float32Array;
  readonly distanceMap: Float32Array;
  /** Probability of the intent: high inside every second nucleus. */
  readonly intent: Float32Array;
}

/** A small seeded generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), 1 | state);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Nuclei of radius 5 to 14 px, dense enough that many touch; later ones yield where they overlap. */
export function makeTissue({ width, height }: Size, seed: number, density = 0.0022): Tissue {
  const random = seeded(seed);
  const n = width * height;
  const truth = new Int32Array(n);
  const distanceMap = new Float32Array(n);
  const centres: { x: number; y: number; r: number }[] = [];
  for (let i = 0; i < n * density; i++) {
    const [cx, cy] = [random() * width, random() * height];
    const [a, b, turn] = [5 + random() * 9, 5 + random() * 6, random() * PI];
    // Overlapping nuclei would have no right answer; touching ones have.
    if (centres.some(({ x, y, r }) => hypot(x - cx, y - cy) < 0.9 * (r + max(a, b)))) continue;
    centres.push({ x: cx, y: cy, r: max(a, b) });
    const reach = ceil(max(a, b));
    for (let y = max(0, floor(cy) - reach); y <= min(height - 1, cy + reach); y++)
      for (let x = max(0, floor(cx) - reach); x <= min(width - 1, cx + reach); x++) {
        const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
        const u = (dx * cos(turn) + dy * sin(turn)) / a;
        const v = (dy * cos(turn) - dx * sin(turn)) / b;
        const height1 = 1 - hypot(u, v);
        if (height1 <= 0 || height1 <= distanceMap[y * width + x]!) continue;
        truth[y * width + x] = centres.length;
        distanceMap[y * width + x] = height1;
      }
  }
  return {
    width,
    height,
    truth,
    count: centres.length,
    distanceMap,
    nucleusLogits: Float32Array.from(truth, (label) => (label > 0 ? 4 : -4)),
    intent: Float32Array.from(truth, (label) => (label === 0 ? 0.1 : label % 2 === 0 ? 0.9 : 0.2)),
  };
}

/**
 * What an encoder would say of one tile: the tissue's maps, wrong in a way that depends on the tile and grows toward its seams,
 * as a network's are where it lacks context. `error` in units of the distance map, at the seam.
 */
export function seenThroughTile(
  tissue: Tissue,
  tile: Rectangle,
  tileSize: number,
  error: number,
): { nucleusLogits: Float32Array; distanceMap: Float32Array; intents: Float32Array[] } {
  const random = seeded(tile.x * 7919 + tile.y * 104729 + 1);
  const phase = [random() * 6, random() * 6, random() * 6];
  const n = tileSize * tileSize;
  const nucleusLogits = new Float32Array(n).fill(-4);
  const distanceMap = new Float32Array(n);
  const intent = new Float32Array(n);
  for (let y = 0; y < tile.height; y++)
    for (let x = 0; x < tile.width; x++) {
      const from = (tile.y + y) * tissue.width + tile.x + x;
      const to = y * tileSize + x;
      const edge = min(
        tile.x > 0 ? x : Infinity,
        tile.y > 0 ? y : Infinity,
        tile.x + tile.width < tissue.width ? tileSize - 1 - x : Infinity,
        tile.y + tile.height < tissue.height ? tileSize - 1 - y : Infinity,
      );
      const wrong = error * exp(-edge / 12);
      const wave = (k: number): number => wrong * sin(x / 5 + phase[k]!) * cos(y / 6 + phase[k]!);
      nucleusLogits[to] = tissue.nucleusLogits[from]! + 8 * wave(0);
      distanceMap[to] = max(0, min(1, tissue.distanceMap[from]! + wave(1)));
      intent[to] = max(0, min(1, tissue.intent[from]! + wave(2)));
    }
  return { nucleusLogits, distanceMap, intents: [intent] };
}
