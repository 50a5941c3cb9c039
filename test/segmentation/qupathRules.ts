const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const OBJECT_TYPES = new Set(['annotation', 'detection', 'cell', 'tile', 'tmaCore']);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What QuPath 0.5 to 0.7 would reject, drop or misread in a Feature, and what this project's canonical form forbids besides. */
export function qupathFaults(feature: unknown): string[] {
  const faults: string[] = [];
  const need = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  if (!isRecord(feature)) return ['not an object'];
  need(feature['type'] === 'Feature', 'without type Feature it is skipped in silence');
  need(typeof feature['id'] === 'string' && UUID.test(feature['id']), 'id must be a UUID');
  const { geometry, properties } = feature;
  if (!isRecord(properties)) return [...faults, 'properties must be an object'];
  need(!('type' in properties), 'properties.type is read as the object type');
  need(OBJECT_TYPES.has(properties['objectType'] as string), 'unknown objectType becomes an annotation');
  if ('name' in properties) need(typeof properties['name'] === 'string', 'name null throws');
  const known = new Set(['objectType', 'classification', 'name', 'isLocked', 'measurements']);
  for (const key of Object.keys(properties)) need(known.has(key), `property ${key} is dropped in silence`);
  if ('classification' in properties) classificationFaults(properties['classification'], need);
  if ('measurements' in properties) {
    const { measurements } = properties;
    need(isRecord(measurements), 'measurements must be an object');
    for (const [key, value] of Object.entries(isRecord(measurements) ? measurements : {})) {
      need(typeof value === 'number' && Number.isFinite(value), `measurement ${key} must be a finite number`);
      need(key.startsWith('SAMPO '), `measurement ${key} lacks the prefix`);
    }
  }
  geometryFaults(geometry, need);
  return faults;
}

type Need = (holds: boolean, fault: string) => void;

function classificationFaults(value: unknown, need: Need): void {
  if (!isRecord(value)) return need(false, 'classification must be an object');
  const { name } = value;
  need(typeof name === 'string' && name !== '', 'classification needs a name');
  if (typeof name === 'string') {
    need(!/[\r\n]/.test(name), 'a class name with a line break loses the file');
    need(
      name.split(':').every((part) => part.trim() !== ''),
      'a blank class name, or one with a blank part, loses the file',
    );
    need(name === name.trim(), 'blanks around a class name are taken away');
    need(!/\s:|:(?! )/.test(name), 'a class name is written again with ": " between its parts');
  }
  const { color } = value;
  const isColor =
    Array.isArray(color) &&
    color.length === 3 &&
    color.every((c) => Number.isInteger(c) && c >= 0 && c <= 255);
  need(isColor, 'classification without color throws and loses the file');
}

function geometryFaults(geometry: unknown, need: Need): void {
  if (!isRecord(geometry)) return need(false, 'geometry null throws');
  const { type, coordinates } = geometry;
  need(type === 'Polygon' || type === 'MultiPolygon', 'geometry must be Polygon or MultiPolygon');
  const parts = (type === 'Polygon' ? [coordinates] : coordinates) as unknown[];
  if (type === 'MultiPolygon') need(parts.length > 1, 'a MultiPolygon of one part breaks QuPath 0.5');
  for (const key of Object.keys(geometry))
    need(['type', 'coordinates', 'plane'].includes(key), `geometry.${key} is unknown`);
  for (const part of parts)
    for (const ring of part as unknown[]) {
      const positions = ring as number[][];
      need(positions.length >= 4, 'a ring needs four positions');
      need(String(positions[0]) === String(positions.at(-1)), 'a ring must be closed');
      for (const position of positions) {
        need(position.length === 2 && position.every(Number.isFinite), 'a position is two finite numbers');
        need(
          position.every((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-4),
          'more than two decimals',
        );
      }
    }
}
