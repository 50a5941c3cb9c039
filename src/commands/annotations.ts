import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { isBridgeError } from '../errors';
import type { BatchStartParams } from '../protocol/types.gen';
import { readGeometry } from '../segmentation/features';
import { UsageError } from './command';
import { record } from './jsonValues';

type Extent = NonNullable<BatchStartParams['images'][number]['extent']>;
type Position = [number, number];

/**
 * The annotations of some classes in an exported GeoJSON file, as one extent: parts may overlap.
 * @returns undefined when the file has none of these classes
 * @throws UsageError for what is no GeoJSON, or an annotation that cannot be read
 */
export function readAnnotations(file: string, classes: readonly string[]): Extent | undefined {
  const bytes = readFileSync(file);
  let collection: unknown;
  try {
    const plain = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    collection = JSON.parse(plain.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${file} is no GeoJSON: ${(error as Error).message}`);
  }
  // A FeatureCollection, or the list or single feature that QuPath's script command writes without it.
  const { features = Array.isArray(collection) ? (collection as unknown[]) : [collection] } = record(
    collection,
  ) as { features?: unknown[] };
  const parts: Position[][][] = [];
  for (const [i, feature] of features.entries()) {
    const { geometry, properties } = record(feature);
    const { objectType = 'annotation', classification } = record(properties);
    if (objectType !== 'annotation' || !classes.includes(className(classification))) continue;
    try {
      const outline = readGeometry(geometry);
      for (const rings of outline) parts.push(rings.map(closed));
    } catch (error) {
      // A line or a point of the class encloses nothing; what is broken must not be left out in silence.
      const { type } = record(geometry);
      if (type !== 'Polygon' && type !== 'MultiPolygon')
        throw new UsageError(
          `${file}, object ${i + 1} (${className(classification)}): a ${String(type)} encloses nothing to search; delete it, or give it another class`,
        );
      throw new UsageError(
        `${file}, object ${i + 1} (${className(classification)}): ${isBridgeError(error) ? error.message : String(error)}`,
      );
    }
  }
  return parts.length === 0 ? undefined : { type: 'multipolygon', coordinates: parts };
}

/** QuPath writes a class as text, as a name, or as the names of a derived class. */
function className(value: unknown): string {
  if (typeof value === 'string') return value;
  const { name, names } = record(value);
  if (Array.isArray(names)) return names.join(': ');
  return typeof name === 'string' ? name : '';
}

function closed(ring: readonly number[]): Position[] {
  const positions = Array.from({ length: ring.length / 2 }, (_, i): Position => [
    ring[2 * i]!,
    ring[2 * i + 1]!,
  ]);
  return [...positions, positions[0]!];
}
