import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readAnnotations } from '../../src/commands/annotations';
import { runCommandLine } from '../../src/commands/run';
import { annotationFiles, pathOf, readProject } from '../../src/commands/qupathProject';
import { readPathMap } from '../../src/services/batch/cluster/pathMap';

const folder = mkdtempSync(join(tmpdir(), 'sampo qupath '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An entry as QuPath 0.5 to 0.7 writes it. */
function entry(name: string, uri: string, more: object = {}) {
  const µm = (value: number) => ({ value, unit: 'µm' });
  return {
    serverBuilder: {
      builderType: 'uri',
      providerClassName: 'qupath.lib.images.servers.openslide.OpenslideServerBuilder',
      uri,
      args: [],
      metadata: { name, pixelCalibration: { pixelWidth: µm(0.25), pixelHeight: µm(0.25) } },
      ...more,
    },
    entryID: 1,
    imageName: name,
  };
}

function project(where: string, images: object[], uri?: string): string {
  const file = join(where, 'project.qpproj');
  mkdirSync(where, { recursive: true });
  writeFileSync(file, JSON.stringify({ version: '0.7.0', uri, lastID: 1, images }));
  return file;
}

test.each([
  ['file:/data/a%20b.svs', '/data/a b.svs'],
  ['file:///data/100%25.svs', '/data/100%.svs'],
  ['file:///data/a.svs?name=x#1', '/data/a.svs'],
  ['file:/C:/Slides/a.svs', 'C:\\Slides\\a.svs'],
  ['file:///C:/Slides/a.svs', 'C:\\Slides\\a.svs'],
  ['file://server/share/a.svs', '\\\\server\\share\\a.svs'],
  ['file:////server/share/a.svs', '\\\\server\\share\\a.svs'],
])('%s is %s', (uri, path) => expect(pathOf(uri)).toBe(path));

test('images, their names and their pixel sizes', () => {
  const file = project(join(folder, 'plain'), [
    entry('a.svs', 'file:/slides/a.svs'),
    entry('b.svs', 'file:/slides/b.svs', { metadata: {} }),
  ]);
  expect(readProject(file, [])).toMatchObject({
    images: [
      { name: 'a.svs', path: '/slides/a.svs', pixelSizeMicrons: 0.25 },
      { name: 'b.svs', path: '/slides/b.svs', pixelSizeMicrons: undefined },
    ],
    notes: [],
  });
});

test('what cannot be searched as QuPath shows it is left out, with the reason', () => {
  const file = project(join(folder, 'odd'), [
    entry('turned.svs', 'file:/slides/a.svs', { builderType: 'rotated' }),
    entry('omero', 'https://omero.example/webclient/?show=image-1'),
    entry('second.czi', 'file:/slides/c.czi', { args: ['--series', '2'] }),
    entry('first.czi', 'file:/slides/c.czi', { args: ['--series', '0', '--name', 'x'] }),
    entry('flat.svs', 'file:/slides/d.svs', {
      metadata: {
        pixelCalibration: {
          pixelWidth: { value: 0.25, unit: 'µm' },
          pixelHeight: { value: 0.5, unit: 'µm' },
        },
      },
    }),
  ]);
  const { images, notes } = readProject(file, []);
  expect(images.map(({ name }) => name)).toEqual(['first.czi', 'flat.svs']);
  expect(images[1]!.pixelSizeMicrons).toBeUndefined();
  expect(notes.join('\n')).toMatch(
    /"turned.svs" is left out: QuPath shows it changed \(rotated\)[^]*"omero" is left out: it is not a file[^]*"second.czi" is left out: it is the picture "2"[^]*"flat.svs": its pixels are 0.25 x 0.5 µm, not square/,
  );
});

test('images that moved are found by --map, or where they moved together with the project', () => {
  const study = join(folder, 'study');
  mkdirSync(join(study, 'slides'), { recursive: true });
  writeFileSync(join(study, 'slides', 'a.svs'), '');
  const file = project(
    join(study, 'qupath'),
    [entry('a.svs', 'file:/C:/Old/study/slides/a.svs'), entry('b.svs', 'file:/D:/far/b.svs')],
    'file:/C:/Old/study/qupath/project.qpproj',
  );
  expect(readProject(file, []).images.map(({ path }) => path)).toEqual([
    join(study, 'slides', 'a.svs'),
    'D:\\far\\b.svs',
  ]);
  expect(readProject(file, [readPathMap('D:\\far=/near')]).images[1]!.path).toBe('/near/b.svs');
});

test('what is no project is refused with what was found', () => {
  const file = join(folder, 'no.qpproj');
  writeFileSync(file, '{"a": 1}');
  expect(() => readProject(file, [])).toThrow('it has no list of images');
  writeFileSync(file, 'nonsense');
  expect(() => readProject(file, [])).toThrow('cannot be read');
});

const square = (x: number, side: number) => ({
  type: 'Polygon',
  coordinates: [
    [
      [x, 0],
      [x + side, 0],
      [x + side, side],
      [x, side],
      [x, 0],
    ],
  ],
});
const feature = (geometry: object, classification: unknown, objectType = 'annotation') => ({
  type: 'Feature',
  geometry,
  properties: { objectType, classification },
});

test('annotations of the asked classes become one extent, in whatever form QuPath wrote them', () => {
  const features = [
    feature(square(0, 10), { name: 'Tumor', color: [200, 0, 0] }),
    feature(square(20, 10), 'Tumor'),
    feature(square(40, 10), { names: ['Tumor', 'Positive'], color: [1, 2, 3] }),
    feature(square(60, 10), { name: 'Stroma' }),
    feature(square(80, 10), { name: 'Tumor' }, 'detection'),
  ];
  const file = join(folder, 'a.geojson');
  for (const written of [{ type: 'FeatureCollection', features }, features]) {
    writeFileSync(file, `\uFEFF${JSON.stringify(written)}`);
    const tumor = readAnnotations(file, ['Tumor'])!;
    expect(tumor).toMatchObject({ type: 'multipolygon' });
    expect('coordinates' in tumor && tumor.coordinates).toHaveLength(2);
    expect(readAnnotations(file, ['Tumor: Positive', 'Stroma'])).toMatchObject({
      coordinates: [[[[40, 0], [50, 0], [50, 10], [40, 10], [40, 0]]], square(60, 10).coordinates], // prettier-ignore
    });
    expect(readAnnotations(file, ['Necrosis'])).toBeUndefined();
  }
  const packed = join(folder, 'a.geojson.gz');
  writeFileSync(packed, gzipSync(JSON.stringify(features)));
  expect(readAnnotations(packed, ['Stroma'])).toBeDefined();
});

test('an annotation that encloses nothing, or is broken, is told and not left out', () => {
  const file = join(folder, 'bad.geojson');
  const line = { type: 'LineString', coordinates: [[0, 0], [1, 1]] }; // prettier-ignore
  writeFileSync(file, JSON.stringify([feature(square(0, 10), 'Tumor'), feature(line, 'Tumor')]));
  expect(() => readAnnotations(file, ['Tumor'])).toThrow(
    /object 2 \(Tumor\): a LineString encloses nothing to search/,
  );
  const open = { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 1]]] }; // prettier-ignore
  writeFileSync(file, JSON.stringify([feature(open, 'Tumor')]));
  expect(() => readAnnotations(file, ['Tumor'])).toThrow(
    /object 1 \(Tumor\): a ring must end where it begins/,
  );
});

test('annotations are looked for under the image’s name, with and without its ending', () => {
  const image = { name: 'a/b.svs', path: '', pixelSizeMicrons: undefined };
  expect(annotationFiles('/p', image)).toEqual(
    ['a_b.svs', 'a_b'].flatMap((stem) =>
      ['', 'annotations', 'export'].map((inside) => join('/p', inside, `${stem}.geojson`)),
    ),
  );
});

test('sampo batch takes a project, and says what is missing before anything is started', async () => {
  const say = async (...argv: string[]) => {
    let told = '';
    const code = await runCommandLine(['batch', ...argv, '--intent', 'x', '--out', join(folder, 'out')], {
      env: {},
      platform: 'linux',
      out: (text) => (told += text),
      err: (text) => (told += text),
      signal: new AbortController().signal,
    });
    return { code, told };
  };
  const gone = project(join(folder, 'gone'), [entry('a.svs', 'file:/nowhere/a.svs')]);
  expect(await say(gone)).toMatchObject({
    code: 2,
    told: expect.stringContaining('say where they are now with --map') as string,
  });
  copyFileSync(join(__dirname, '../fixtures/images/brca-val.png'), join(folder, 'a.png'));
  const here = project(join(folder, 'here'), [
    entry('a.png', `file:${join(folder, 'a.png').replaceAll(' ', '%20')}`),
  ]);
  const missing = await say(here, '--annotations', 'Tumor');
  expect(missing).toMatchObject({ code: 2 });
  expect(missing.told).toContain('no exported annotations of "a.png" (looked for a.png.geojson');
  expect(missing.told).toContain('export_annotations.groovy');
  expect(await say(join(folder, 'a.png'), '--annotations', 'Tumor')).toMatchObject({ code: 2 });
});
