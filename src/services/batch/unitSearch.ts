import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BridgeError } from '../../errors';
import type { ObjectFeature } from '../../segmentation/features';
import type { Outline } from '../../segmentation/geometry';
import type { Unit } from '../../segmentation/unitGrid';
import { readFileChecked, writeFileAtomic } from '../../store/files';
import type { Search } from '../search/search';
import type { SearchFilters, SearchIntent } from '../search/searchRequest';
import type { SearchImage } from '../search/tilePixels';
import { RESULT_MODE } from './job';

/** What one unit is searched with. */
export interface UnitSearch {
  readonly search: Search;
  readonly image: SearchImage;
  readonly intents: readonly SearchIntent[];
  readonly filters: SearchFilters;
  /** Only objects in it, image px; all of the unit's when absent. */
  readonly within?: Outline | undefined;
  readonly pixelSizeMicrons: number;
  readonly signal: AbortSignal;
}

/**
 * The objects of one unit: those whose highest pixel lies in it, seen whole. The same input gives the same objects in the same order.
 * @throws BridgeError what `Search.run` throws, and the fault of a tile: a unit is whole or not at all
 */
export async function searchUnit(
  { search, image, intents, filters, within, pixelSizeMicrons, signal }: UnitSearch,
  { x, y, width, height }: Unit,
): Promise<readonly ObjectFeature[]> {
  const { featureCollection, tiles } = await search.run({
    image,
    prompts: intents.map((intent) => ({ intent, clicks: [], boxes: [], objects: [] })),
    extent: { type: 'rectangle', x, y, width, height },
    within,
    filters,
    pixelSizeMicrons,
    priority: 'batch',
    signal,
  });
  const [failed] = tiles.failed;
  if (failed !== undefined)
    throw new BridgeError('InferenceFailed', `the tile at (${failed.x}, ${failed.y}): ${failed.error}`, {
      retryable: true,
    });
  return featureCollection.features;
}

/**
 * One feature a line, in a file of its own.
 * @param access for the owner alone, or for whoever the umask lets
 * @returns its SHA-256
 * @throws BridgeError `DiskFull`, `StoreReadOnly`
 */
export async function writeUnit(
  path: string,
  features: readonly ObjectFeature[],
  access: 'private' | 'shared' = 'private',
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true, mode: access === 'private' ? 0o700 : 0o777 });
  const lines = features.map((feature) => `${JSON.stringify(feature)}\n`);
  return writeFileAtomic(path, Buffer.from(lines.join('')), access === 'private' ? 0o600 : RESULT_MODE);
}

/** The lines of a unit's file. @throws BridgeError `FileNotFound`, `FileDamaged` */
export async function readUnit(path: string, sha256: string): Promise<string[]> {
  const text = Buffer.from(await readFileChecked(path, sha256)).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Where a unit's objects lie. */
export function unitPath(jobFolder: string, position: number, unit: number): string {
  return join(jobFolder, 'units', String(position), `${unit}.jsonl`);
}

/** Where what a job's workers share lies: beside its results, on storage that all of them see. */
export function sharedFolder(outputFolder: string, jobId: string): string {
  return join(outputFolder, '.sampo', jobId);
}
