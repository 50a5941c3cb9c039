import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';
import * as geojson from 'geojson';
import { BridgeError } from '../errors';
import type { Outline, Ring } from './geometry';
import { ringArea } from './geometry';

/** Measurements of ours carry this prefix, so that they cannot collide with a viewer's own. */
export const MEASUREMENT_PREFIX = 'SAMPO ';

/** A class as viewers know it; QuPath rejects a name without a colour. */
export interface Classification {
  readonly name: string;
  /** Red, green, blue, 0..255. */
  readonly color: readonly [number, number, number];
}

/** What becomes one feature. */
export interface FeatureSource {
  /** A UUID; other identifiers are ignored by QuPath. */
  readonly id: string;
  /** Full-resolution pixels, rounded (`roundOutline`). */
  readonly outline: Outline;
  readonly classification?: Classification;
  readonly name?: string;
  /** Name without prefix -> value, e.g. `{ score: 0.93, 'area µm²': 41.2, round: 2 }`; values that are not finite are left out. */
  readonly measurements?: Readonly<Record<string, number>>;
}

export interface ObjectProperties {
  readonly objectType: 'detection';
  readonly classification?: Classification;
  readonly name?: string;
  readonly measurements?: Readonly<Record<string, number>>;
}

/** The canonical feature: loads in QuPath 0.5 to 0.7 and in napari. */
export type ObjectFeature = Feature<Polygon | MultiPolygon, ObjectProperties> & { readonly id: string };
export type ObjectFeatureCollection = FeatureCollection<Polygon | MultiPolygon, ObjectProperties> & {
  readonly features: ObjectFeature[];
};

/** The part of the geojson package used here; its published types describe the format, not the function. */
interface GeojsonLibrary {
  parse(
    items: readonly object[],
    settings: { GeoJSON: string; exclude: readonly string[] },
  ): ObjectFeatureCollection;
}
const library = geojson as unknown as GeojsonLibrary;

/** Model px -> full-resolution px with two decimals, the grid QuPath reads on: `(x, y) * scale + (dx, dy)`. */
export function roundOutline(outline: Outline, scale = 1, dx = 0, dy = 0): Outline {
  return outline.map((part) =>
    part.map((ring) => {
      const rounded: number[] = [];
      for (let i = 0; i < ring.length; i += 2)
        rounded.push(
          Math.round((ring[i]! * scale + dx) * 100) / 100,
          Math.round((ring[i + 1]! * scale + dy) * 100) / 100,
        );
      return rounded;
    }),
  );
}

/** Sources -> a FeatureCollection of canonical features, in order. Sources with an empty outline are left out. */
export function toFeatureCollection(sources: readonly FeatureSource[]): ObjectFeatureCollection {
  const drawn = sources.filter(({ outline }) => outline.length > 0);
  const collection = library.parse(drawn.map(toItem), { GeoJSON: 'geometry', exclude: [] });
  for (let i = 0; i < drawn.length; i++) collection.features[i]!.id = drawn[i]!.id;
  return collection;
}

function toItem({ outline, classification, name, measurements }: FeatureSource): object {
  const item: Record<string, unknown> = { geometry: toGeometry(outline), objectType: 'detection' };
  if (classification !== undefined)
    item['classification'] = { name: classification.name, color: [...classification.color] };
  if (name !== undefined) item['name'] = name;
  if (measurements !== undefined) {
    const named: Record<string, number> = {};
    for (const [key, value] of Object.entries(measurements))
      if (Number.isFinite(value)) named[MEASUREMENT_PREFIX + key] = value;
    item['measurements'] = named;
  }
  return item;
}

/** Polygon for one part, MultiPolygon for more: QuPath 0.5 cannot read a MultiPolygon of one. */
export function toGeometry(outline: Outline): Polygon | MultiPolygon {
  const parts = outline.map((part) => part.map(closeRing));
  return parts.length === 1
    ? { type: 'Polygon', coordinates: parts[0]! }
    : { type: 'MultiPolygon', coordinates: parts };
}

function closeRing(ring: Ring): Position[] {
  const positions: Position[] = [];
  for (let i = 0; i < ring.length; i += 2) positions.push([ring[i]!, ring[i + 1]!]);
  positions.push([ring[0]!, ring[1]!]);
  return positions;
}

/** An object as a viewer or a file gives it. */
export interface ReadObject {
  readonly id?: string;
  /** Full-resolution pixels; shells positive, holes negative whatever the order they came in. */
  readonly outline: Outline;
  readonly className?: string;
  readonly objectType?: string;
}

/**
 * Reads a Feature with a Polygon or MultiPolygon (a bare geometry will do): example objects, edits, imports. Rings that cross
 * are accepted, as people draw them: rasterizing and tracing again gives a valid outline.
 * @throws BridgeError `InvalidParams` when it is neither, or a ring is open, too short or without area
 */
export function readFeature(value: unknown): ReadObject {
  if (!isRecord(value)) throw invalid('a feature must be an object');
  const geometry = value['type'] === 'Feature' ? value['geometry'] : value;
  const properties = isRecord(value['properties']) ? value['properties'] : {};
  const outline = readGeometry(geometry);
  const classification = properties['classification'];
  const className = isRecord(classification) ? classification['name'] : classification;
  const objectType = properties['objectType'];
  return {
    outline,
    ...(typeof value['id'] === 'string' && { id: value['id'] }),
    ...(typeof className === 'string' && { className }),
    ...(typeof objectType === 'string' && { objectType }),
  };
}

/** A Polygon or MultiPolygon -> outline, px. @throws BridgeError `InvalidParams` */
export function readGeometry(geometry: unknown): Outline {
  if (!isRecord(geometry) || !Array.isArray(geometry['coordinates']))
    throw invalid('a geometry needs coordinates');
  const { type } = geometry;
  const coordinates: unknown[] = geometry['coordinates'];
  if (type !== 'Polygon' && type !== 'MultiPolygon')
    throw invalid(`geometry must be a Polygon or a MultiPolygon, not ${JSON.stringify(type)}`);
  const parts = type === 'Polygon' ? [coordinates] : coordinates;
  const outline = parts.map((part) => {
    if (!Array.isArray(part) || part.length === 0) throw invalid('a polygon needs at least one ring');
    return part.map((ring, i) => orient(readRing(ring), i === 0));
  });
  if (outline.length === 0) throw invalid('a MultiPolygon needs at least one polygon');
  return outline;
}

function readRing(ring: unknown): number[] {
  if (!Array.isArray(ring) || ring.length < 4) throw invalid('a ring needs at least four positions');
  const flat = ring.flatMap((position: unknown) => {
    const [x, y] = Array.isArray(position) ? (position as unknown[]) : [];
    if (typeof x !== 'number' || typeof y !== 'number' || !Number.isFinite(x + y))
      throw invalid('a position needs two finite numbers');
    return [x, y];
  });
  if (flat[0] !== flat.at(-2) || flat[1] !== flat.at(-1)) throw invalid('a ring must end where it begins');
  flat.length -= 2;
  if (ringArea(flat) === 0) throw invalid('a ring must enclose an area');
  return flat;
}

/** The ring walked so that shells have positive and holes negative area. */
function orient(ring: number[], shell: boolean): number[] {
  if (ringArea(ring) > 0 === shell) return ring;
  const turned: number[] = [];
  for (let i = ring.length - 2; i >= 0; i -= 2) turned.push(ring[i]!, ring[i + 1]!);
  return turned;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): BridgeError {
  return new BridgeError('InvalidParams', message, {
    hint: 'Send a GeoJSON Polygon or MultiPolygon in full-resolution pixels with closed rings.',
  });
}
