import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectFeature } from '../../segmentation/features';
import { errorCode, storageError } from '../../store/storageErrors';
import { BridgeError } from '../../errors';
import { GeoParquetFile } from './geoParquet';
import type { ClassFigures, ImageOutcome, ImagePlan, PinnedIntent } from './job';
import type { StoredUnit } from './jobStore';
import { readUnit, sharedFolder, unitPath } from './unitSearch';

/** What an image is put together from. */
export interface AssemblyParts {
  readonly jobId: string;
  readonly jobFolder: string;
  readonly position: number;
  /** File name of the results, without an ending. */
  readonly name: string;
  readonly plan: ImagePlan;
  readonly units: readonly StoredUnit[];
  readonly intents: readonly PinnedIntent[];
  readonly outputFolder: string;
  /** Writes `NAME.parquet` too. */
  readonly geoParquet?: boolean | undefined;
  /** Hears of every object, for the pictures. */
  readonly onObject?: ((feature: ObjectFeature) => void) | undefined;
}

/** Sums of one class, in the order of the objects. */
interface ClassSums {
  count: number;
  score: number;
  area: number;
}

/**
 * Joins the finished units of an image into `NAME.geojson`, one unit in memory at a time: units do not share objects, so they
 * only have to follow each other. The file appears whole, under its name, or not at all.
 * @throws BridgeError `FileNotFound`, `FileDamaged` of a unit's file; `DiskFull`, `StoreReadOnly`
 */
export async function assembleImage(parts: AssemblyParts): Promise<ImageOutcome> {
  const { jobId, jobFolder, position, name, plan, units, outputFolder, onObject } = parts;
  const file = `${name}.geojson`;
  const path = join(outputFolder, file);
  const temporary = `${path}.part`;
  const sums = new Map<string, ClassSums>(
    parts.intents.map((intent) => [intent.name, { count: 0, score: 0, area: 0 }]),
  );
  let objects = 0;
  let parquet: GeoParquetFile | undefined;
  try {
    if (parts.geoParquet === true)
      parquet = await GeoParquetFile.create(join(outputFolder, `${name}.parquet`));
    const handle = await open(temporary, 'w');
    try {
      await handle.write('{"type":"FeatureCollection","features":[');
      for (const unit of units) {
        if (unit.outcome === undefined) continue;
        const { sha256, shared } = unit.outcome;
        const folder = shared === true ? sharedFolder(outputFolder, jobId) : jobFolder;
        const lines = await readUnit(unitPath(folder, position, unit.index), sha256);
        for (const line of lines) {
          const feature = JSON.parse(line) as ObjectFeature;
          add(sums, feature);
          onObject?.(feature);
          await parquet?.add(feature);
        }
        if (lines.length > 0) await handle.write(`${objects === 0 ? '\n' : ',\n'}${lines.join(',\n')}`);
        objects += lines.length;
      }
      await handle.write('\n]}\n');
      await handle.sync();
    } finally {
      await handle.close();
    }
    await parquet?.finish();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    await parquet?.discard().catch(() => undefined);
    throw outputError(error, path);
  }
  const failedUnits = units.filter(({ state }) => state === 'failed').length;
  return { file, objects, areaMm2: plan.areaMm2, classes: figuresOf(sums, plan.areaMm2), failedUnits };
}

/** A result file that another program holds, or whose folder may not be written, is not the fault of the state folder. */
export function outputError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT'].includes(code))
    return new BridgeError('OutputBlocked', `${path} cannot be written: ${String(error)}`, { path, code });
  return storageError(error, path);
}

function add(sums: Map<string, ClassSums>, { properties }: ObjectFeature): void {
  const sum = sums.get(properties.classification?.name ?? '');
  if (sum === undefined) return;
  sum.count++;
  sum.score += properties.measurements?.['SAMPO score'] ?? 0;
  sum.area += properties.measurements?.['SAMPO area µm²'] ?? 0;
}

function figuresOf(sums: ReadonlyMap<string, ClassSums>, areaMm2: number): ClassFigures[] {
  return [...sums].map(([name, { count, score, area }]) => ({
    name,
    count,
    meanScore: count === 0 ? 0 : score / count,
    meanArea: count === 0 ? 0 : area / count,
    density: areaMm2 > 0 ? count / areaMm2 : 0,
  }));
}
