import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const SRC = join(ROOT, 'src');

/** Layer → layers of ours it may import (its own is always allowed). Leaves are files directly under src/. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'errorTable.gen': [],
  errors: ['errorTable.gen'],
  abort: ['errors'],
  log: [],
  tensor: [],
  nodeVersion: [],
  packageFiles: ['errors'],
  bundledModels: ['errors', 'packageFiles'],
  protocol: ['errorTable.gen', 'errors', 'abort'],
  segmentation: ['errors', 'tensor'],
  autodiff: ['errors', 'tensor'],
  sampo: ['errors', 'tensor', 'autodiff'],
  engine: ['errors', 'abort', 'log', 'tensor'],
  store: ['errors', 'tensor'],
  services: ['errors', 'abort', 'log', 'tensor', 'segmentation', 'sampo', 'autodiff', 'store', 'engine'],
  server: ['errors', 'abort', 'log', 'protocol', 'services'],
  // It measures the product from inside, so it stands above the services and sees no connection.
  benchmark: ['errors', 'abort', 'segmentation', 'sampo', 'store', 'engine', 'services'],
  composition: [
    'errors',
    'log',
    'bundledModels',
    'packageFiles',
    'protocol',
    'engine',
    'store',
    'services',
    'server',
  ],
  // A worker of a batch: engine and pictures without a server.
  workerComposition: ['errors', 'log', 'packageFiles', 'bundledModels', 'engine', 'services'],
  // A command is a client of the server; what it computes itself are pictures, tables and benchmarks.
  commands: [
    'errors',
    'abort',
    'packageFiles',
    'protocol',
    'segmentation',
    'engine',
    'store',
    'services',
    'server',
    'benchmark',
    'composition',
    'workerComposition',
    'bundledModels',
  ],
  main: ['errors', 'nodeVersion', 'commands'],
};

/** The rooms of `services/`, lowest first: a room may import those below it, never one above or beside. */
const FLOORS = [
  ['warning'],
  ['images'],
  ['labelled', 'models'],
  ['embeddings'],
  ['search'],
  ['intents'],
  ['batch', 'training'],
  ['verbs'],
];

/** These read argv and env, and may end the process. */
const COMMAND_LINE = new Set(['main', 'nodeVersion', 'commands', 'composition', 'workerComposition']);

/** package → files (relative to src) that may import it: its one door. */
const DOORS: Record<string, readonly string[]> = {
  ws: ['server/webSocketTransport.ts', 'commands/rpcClient.ts'],
  'json-rpc-2.0': ['protocol/connection.ts'],
  ajv: ['protocol/validation.ts'],
  'onnxruntime-node': ['engine/engineProcess.ts'],
  // Users' images come through the decoder's checks; the benchmark's label images and pictures go their own way.
  sharp: [
    'services/images/imageDecoder.ts',
    'services/images/blockDecoder.ts',
    'services/labelled/labelFiles.ts',
    'benchmark/pictureFiles.ts',
  ],
  '@xmldom/xmldom': ['services/images/xml.ts'],
  // Native code that is not ours: only inside the OpenSlide process.
  koffi: ['services/images/openSlide/openSlideLibrary.ts'],
  zarrita: ['services/images/zarr/zarrProcess.ts'],
  // Loaded only where a batch has a queue.
  bullmq: ['services/batch/cluster/unitQueue.ts', 'services/batch/cluster/workerLoop.ts'],
  'hyparquet-writer': ['services/batch/geoParquet.ts'],
  ioredis: ['services/batch/cluster/redisLink.ts'],
  libsql: ['store/database.ts'],
  '@bufbuild/protobuf': ['autodiff/onnxCodec.ts', 'autodiff/onnx_pb.ts'],
  async: ['engine/runQueue.ts'],
  geojson: ['segmentation/features.ts'],
};

/** What a Node too old for `node:` names calls them: read before its version is refused. */
const OLD_NODE = new Set(['fs', 'path']);

const PURE = new Set(['segmentation', 'sampo', 'autodiff']);

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:from\s+|import\s+|require\(|import\()\s*'([^']+)'/g);
  return [...found].map((match) => match[1] ?? '');
}

/** Path of a file from src, in segments without the ending. */
function segmentsOf(file: string): string[] {
  return relative(SRC, file).replace(/\.ts$/, '').split(/[\\/]/);
}

function layerOf(file: string): string {
  return segmentsOf(file)[0] ?? '';
}

/** The room of a file of `services/`. */
function roomOf(file: string): string {
  return segmentsOf(file)[1] ?? '';
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

const files = sources(SRC);

test.each(files.map((file) => [relative(SRC, file), file]))('%s keeps the import rules', (name, file) => {
  const layer = layerOf(file);
  const faults: string[] = [];
  for (const target of importsOf(file)) {
    if (target.startsWith('.')) {
      const imported = resolve(dirname(file), target);
      const to = layerOf(imported);
      if (to !== layer && !MAY_IMPORT[layer]?.includes(to)) faults.push(`${layer} may not import ${target}`);
      if (layer === 'services' && to === 'services') {
        const [from, below] = [roomOf(file), roomOf(imported)];
        if (from !== below && floorOf(from) <= floorOf(below))
          faults.push(
            `services/${from} stands no higher than services/${below}: it may not import ${target}`,
          );
      }
      if (layer === 'services' && /engine\/(?!engine$)/.test(target))
        faults.push(`services see only the interface of engine, not ${target}`);
    } else if (target.startsWith('node:') || (layer === 'nodeVersion' && OLD_NODE.has(target))) {
      if (PURE.has(layer)) faults.push(`a pure shelf may not import ${target}`);
    } else {
      const key = Object.keys(DOORS).find((name) => target === name || target.startsWith(`${name}/`));
      if (key === undefined) {
        faults.push(`package ${target} has no door`);
      } else if (!DOORS[key]?.includes(name)) {
        faults.push(`package ${target} may only be imported by ${DOORS[key]?.join(', ')}`);
      }
    }
  }
  const text = readFileSync(file, 'utf8');
  if (PURE.has(layer) && /\b(Math\.random|Date\.now|new Date\(|performance\.now)\b/.test(text))
    faults.push('a pure shelf has no clock and no unseeded randomness');
  const isProcess = ['engine/engineProcess.ts', 'services/images/readerProcess/readerHost.ts'].includes(name);
  if (!COMMAND_LINE.has(layer) && /\bprocess\.(exit\(|argv)/.test(text) && !isProcess)
    faults.push('only the command line reads argv or exits');
  expect(faults).toEqual([]);
});

test('every layer of src and every room of services is known', () => {
  expect([...new Set(files.map(layerOf))].filter((layer) => !(layer in MAY_IMPORT))).toEqual([]);
  const rooms = new Set(files.filter((file) => layerOf(file) === 'services').map(roomOf));
  expect([...rooms].sort()).toEqual(FLOORS.flat().sort());
});

test('no import goes round in a circle, of types neither', () => {
  const known = new Set(files);
  const imports = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((target) => target.startsWith('.'))
        .map((target) => `${resolve(dirname(file), target)}.ts`)
        .filter((path) => known.has(path)),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file))
      circles.push([...way.slice(way.indexOf(file)), file].map((path) => relative(SRC, path)).join(' → '));
    if (done.has(file)) return;
    done.add(file);
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

/** Tests of the choice of a device itself, and of an engine's end, which needs no particular one. */
const NAMES_DEVICES = new Set([
  'architecture.test.ts',
  'engine/devices.test.ts',
  'engine/parent.test.ts',
  'services/fakeEngine.ts',
]);

test('every suite that starts an engine or a server does so on SAMPO_DEVICE', () => {
  const named = sources(__dirname).filter((file) => {
    const starts = readFileSync(file, 'utf8').matchAll(
      /(?:createEngineClient|await startServer)\(\{[^}]*|SAMPO_DEVICE: *[^,}\n]*/g,
    );
    return [...starts].some(([text]) => !text.includes('TEST_DEVICE'));
  });
  expect(named.map((file) => relative(__dirname, file)).filter((file) => !NAMES_DEVICES.has(file))).toEqual(
    [],
  );
});
