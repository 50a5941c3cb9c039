import { rename, rm } from 'node:fs/promises';
import type { ParquetWriter } from 'hyparquet-writer';
import type { ObjectFeature } from '../../segmentation/features';

// GeoParquet 1.1 (geoparquet.org): a Parquet file whose geometry column holds well-known binary, and says so in its metadata.
// Coordinates are full-resolution px, y down, as in the GeoJSON beside it: no reference system of the earth.

/** Objects of one row group, held in memory until it is written. */
const GROUP = 20_000;

const GEO = JSON.stringify({
  version: '1.1.0',
  primary_column: 'geometry',
  columns: {
    geometry: { encoding: 'WKB', geometry_types: ['Polygon', 'MultiPolygon'], crs: null, edges: 'planar' },
  },
});

/** Writes the objects of an image as a GeoParquet file, a group at a time; it appears whole under its name, or not at all. */
export class GeoParquetFile {
  readonly #temporary: string;
  #rows: ObjectFeature[] = [];

  private constructor(
    private readonly path: string,
    private readonly writer: ParquetWriter,
  ) {
    this.#temporary = temporaryOf(path);
  }

  /** The library is a module of its own kind, loaded when it is first needed. @throws what the file system says */
  static async create(path: string): Promise<GeoParquetFile> {
    const { ParquetWriter, fileWriter } = await import('hyparquet-writer');
    const writer = new ParquetWriter({
      writer: fileWriter(temporaryOf(path)),
      createdBy: 'sampo',
      kvMetadata: [{ key: 'geo', value: GEO }],
      schema: [
        { name: 'root', num_children: 5 },
        { name: 'id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'class', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'score', type: 'DOUBLE', repetition_type: 'REQUIRED' },
        { name: 'area_um2', type: 'DOUBLE', repetition_type: 'REQUIRED' },
        { name: 'geometry', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
      ],
    });
    return new GeoParquetFile(path, writer);
  }

  async add(feature: ObjectFeature): Promise<void> {
    this.#rows.push(feature);
    if (this.#rows.length >= GROUP) await this.#flush();
  }

  /** Puts the finished file in its place. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.writer.finish();
    await rename(this.#temporary, this.path);
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length === 0) return;
    const measurement = ({ properties }: ObjectFeature, name: string): number =>
      properties.measurements?.[name] ?? 0;
    await this.writer.write({
      rowGroupSize: GROUP,
      columnData: [
        { name: 'id', data: rows.map(({ id }) => String(id)) },
        { name: 'class', data: rows.map(({ properties }) => properties.classification?.name ?? '') },
        { name: 'score', data: Float64Array.from(rows, (row) => measurement(row, 'SAMPO score')) },
        { name: 'area_um2', data: Float64Array.from(rows, (row) => measurement(row, 'SAMPO area µm²')) },
        { name: 'geometry', data: rows.map(({ geometry }) => wellKnownBinary(geometry)) },
      ],
    });
  }
}

/** OGC 06-103r4, little-endian. @throws RangeError for a geometry that is no polygon */
export function wellKnownBinary({ type, coordinates }: ObjectFeature['geometry']): Uint8Array {
  const polygons = type === 'Polygon' ? [coordinates] : coordinates;
  const points = polygons.flat(2).length;
  const rings = polygons.flat(1).length;
  const several = type === 'MultiPolygon';
  const out = Buffer.alloc((several ? 9 : 0) + 9 * polygons.length + 4 * rings + 16 * points);
  let at = 0;
  const head = (kind: number, count: number): void => {
    at = out.writeUInt32LE(count, out.writeUInt32LE(kind, out.writeUInt8(1, at)));
  };
  if (several) head(6, polygons.length);
  for (const polygon of polygons) {
    head(3, polygon.length);
    for (const ring of polygon) {
      at = out.writeUInt32LE(ring.length, at);
      for (const [x = 0, y = 0] of ring) at = out.writeDoubleLE(y, out.writeDoubleLE(x, at));
    }
  }
  return out;
}

function temporaryOf(path: string): string {
  return `${path}.part`;
}
