/**
 * Refiltering 1,000 found objects (other threshold, size limits, simplification) into features, without inference; and stitching,
 * per tile. `node -r ./scripts/swcRegister.cjs bench/thresholds.ts`; prints the record. Budget: 20 ms.
 */
import { cpus, loadavg } from 'node:os';
import { planTiles, relateSpaces } from '../src/segmentation/coordinates';
import { toFeatureCollection } from '../src/segmentation/features';
import { stableUuid } from '../src/segmentation/identifiers';
import { Stitcher, type FoundObject } from '../src/segmentation/stitch';
import { describeSelected, selectObjects, type ResultFilter } from '../src/segmentation/thresholds';
import { makeTissue, seenThroughTile } from '../test/segmentation/tissue';

const OBJECTS = 1000;
const tissue = makeTissue({ width: 1400, height: 1400 }, 1);
const plan = planTiles({ modelSize: tissue, tileSize: 256, overlap: 64 });
const maps = plan.tiles.map((tile) => seenThroughTile(tissue, tile, 256, 0));

function stitch(): FoundObject[] {
  const stitcher = new Stitcher({ plan, intents: 1 });
  return plan.tiles.flatMap((tile, i) => stitcher.add(tile, maps[i]!));
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1]!;
}

/** Wall and CPU milliseconds per run: on a shared machine the wall time says more about the neighbours. */
function time(work: () => unknown, runs: number): { median: number; worst: number; cpuMean: number } {
  const cpu = process.cpuUsage();
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  const { user, system } = process.cpuUsage(cpu);
  return { median: median(times), worst: Math.max(...times), cpuMean: (user + system) / 1000 / runs };
}

const objects = stitch().slice(0, OBJECTS);
const ids = objects.map(({ anchor }) => stableUuid('bench', anchor.x, anchor.y));
const spaces = relateSpaces({ width: 2800, height: 2800 }, 0.25, 0.5);
const refilter = (simplifyTolerance: number): (() => unknown) => {
  const filter: ResultFilter = {
    intents: [{ classification: { name: 'A', color: [1, 2, 3] }, scoreThreshold: 0.1 }],
    minArea: 1,
    simplifyTolerance,
  };
  return () =>
    toFeatureCollection(
      describeSelected(objects, ids, selectObjects(objects, filter, 0.5), filter, spaces, 0),
    );
};
for (const tolerance of [0, 1]) time(refilter(tolerance), 5); // let the compiler settle
const stitching = time(stitch, 3);
process.stdout.write(
  JSON.stringify(
    {
      benchmark: 'thresholds',
      command: 'node -r ./scripts/swcRegister.cjs bench/thresholds.ts',
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, load: loadavg()[0] },
      objects: objects.length,
      millisecondsExact: time(refilter(0), 31),
      millisecondsSimplified: time(refilter(1), 31),
      stitching: {
        tiles: plan.tiles.length,
        millisecondsPerTile: stitching.median / plan.tiles.length,
        cpuMillisecondsPerTile: stitching.cpuMean / plan.tiles.length,
      },
    },
    null,
    2,
  ) + '\n',
);
