import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { wellKnownBinary } from '../../../src/services/batch/geoParquet';

const ROOT = resolve(__dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'sampo-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RING: [number, number][] = [[0, 0], [4.25, 0], [4.25, 3], [0, 0]]; // prettier-ignore

test('outlines as well-known binary', () => {
  const polygon = Buffer.from(wellKnownBinary({ type: 'Polygon', coordinates: [RING] }));
  expect([polygon.length, polygon[0], polygon.readUInt32LE(1), polygon.readUInt32LE(5)]).toEqual([
    77, 1, 3, 1,
  ]);
  expect([polygon.readUInt32LE(9), polygon.readDoubleLE(29), polygon.readDoubleLE(53)]).toEqual([4, 4.25, 3]);
  const both = Buffer.from(wellKnownBinary({ type: 'MultiPolygon', coordinates: [[RING], [RING, RING]] }));
  expect([both.length, both.readUInt32LE(1), both.readUInt32LE(5)]).toEqual([9 + 2 * 9 + 3 * 68, 6, 2]);
});

test('a file of several groups is read back row for row, and says that it is GeoParquet', () => {
  // In a process of its own: the library is an ES module, which these tests' realm cannot import.
  const script = `
    const { GeoParquetFile } = require('./src/services/batch/geoParquet');
    const ring = ${JSON.stringify(RING)};
    (async () => {
      const path = ${JSON.stringify(join(folder, 'a.parquet'))};
      const file = await GeoParquetFile.create(path);
      for (let i = 0; i < 45000; i++)
        await file.add({ type: 'Feature', id: 'n' + i, geometry: { type: 'Polygon', coordinates: [ring] }, properties: {
          objectType: 'detection', classification: { name: i % 2 ? 'odd' : 'even', color: [1, 2, 3] },
          measurements: { 'SAMPO score': i / 45000, 'SAMPO area µm²': i } } });
      await file.finish();
      const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
      const buffer = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(buffer);
      const rows = await parquetReadObjects({ file: buffer, utf8: false, geoparquet: false });
      const geo = JSON.parse(metadata.key_value_metadata.find(({ key }) => key === 'geo').value);
      console.log(JSON.stringify({ groups: metadata.row_groups.length, rows: rows.length, geo,
        wrong: rows.filter((row, i) => row.id !== 'n' + i || row.class !== (i % 2 ? 'odd' : 'even') || row.area_um2 !== i
          || row.score !== i / 45000 || row.geometry.length !== 77).length }));
    })();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-r', './scripts/swcRegister.cjs', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    groups: 3,
    rows: 45_000,
    wrong: 0,
    geo: {
      version: '1.1.0',
      primary_column: 'geometry',
      columns: { geometry: { encoding: 'WKB', crs: null } },
    },
  });
  expect(readdirSync(folder)).toEqual(['a.parquet']);
});
