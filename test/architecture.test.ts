import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..');
const SRC = join(ROOT, 'src');

/** layer → layers of ours it may import (its own is always allowed). Leaves are files directly under src/. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  tensor: [],
  protocol: ['errors'],
  segmentation: ['errors', 'tensor'],
  autodiff: ['errors', 'tensor'],
  sampo: ['errors', 'tensor', 'autodiff'],
  engine: ['errors', 'tensor'],
  store: ['errors', 'tensor'],
  services: ['errors', 'tensor', 'segmentation', 'sampo', 'autodiff', 'store', 'engine'],
  server: ['errors', 'protocol', 'services'],
};

/** The composition root: may import every layer. */
const COMPOSITION = new Set(['main', 'commands', 'composition']);

/** package → files (relative to src) that may import it: its one door. */
const DOORS: Record<string, readonly string[]> = {
  ws: ['server/webSocketTransport.ts', 'commands/rpcClient.ts'],
  'json-rpc-2.0': ['protocol/connection.ts'],
  ajv: ['protocol/validation.ts'],
  'onnxruntime-node': ['engine/engineProcess.ts'],
  // Users' images come through the decoder's checks; the benchmark's label images and pictures go their own way.
  sharp: ['services/imageDecoder.ts', 'services/benchmark/pictureFiles.ts'],
  libsql: ['store/database.ts'],
  '@bufbuild/protobuf': ['autodiff/onnxCodec.ts', 'autodiff/onnx_pb.ts'],
  async: ['engine/runQueue.ts'],
  geojson: ['segmentation/features.ts'],
};

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

function layerOf(file: string): string {
  const [first = ''] = relative(SRC, file).split(/[\\/]/);
  return first.replace(/\.ts$/, '');
}

const files = sources(SRC);

test.each(files.map((file) => [relative(SRC, file), file]))('%s keeps the import rules', (name, file) => {
  const layer = layerOf(file);
  const faults: string[] = [];
  for (const target of importsOf(file)) {
    if (target.startsWith('.')) {
      const to = layerOf(resolve(dirname(file), target));
      const allowed = to === layer || COMPOSITION.has(layer) || MAY_IMPORT[layer]?.includes(to);
      if (!allowed) faults.push(`${layer} may not import ${target}`);
      if (layer === 'services' && /engine\/(?!engine$)/.test(target))
        faults.push(`services see only the interface of engine, not ${target}`);
    } else if (target.startsWith('node:')) {
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
  if (!COMPOSITION.has(layer) && /\bprocess\.(exit\(|argv)/.test(text) && name !== 'engine/engineProcess.ts')
    faults.push('only the composition root reads argv or exits');
  expect(faults).toEqual([]);
});

test('every layer of src is known', () => {
  const unknown = [...new Set(files.map(layerOf))].filter(
    (layer) => !(layer in MAY_IMPORT) && !COMPOSITION.has(layer),
  );
  expect(unknown).toEqual([]);
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
