import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readSources } from '../../../src/services/models/modelSources';

const BUNDLED = resolve(__dirname, '../../../models/sources.json');
const folder = mkdtempSync(join(tmpdir(), 'sampo-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = { url: 'https://example.org/a.onnx', bytes: 10, sha256: 'a'.repeat(64) };
const entry = { name: 'mine', licence: 'MIT', files: { encoder: file, decoder: file } };
function list(models: unknown, name = 'sources.json'): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ models }));
  return path;
}

test('the list of the package can be used', () => {
  const names = readSources([BUNDLED]).map(({ name }) => name);
  expect(names).toEqual(['efficientsam-ti', 'efficientsam-s', 'sam-vit-b-quantized']);
});

test('the first list wins; one that is not there is empty', () => {
  const own = list([{ ...entry, name: 'efficientsam-ti' }, entry]);
  const found = readSources([join(folder, 'absent.json'), own, BUNDLED]);
  expect(found.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['mine', 'efficientsam-s']) as string[],
  );
  expect(found.find(({ name }) => name === 'efficientsam-ti')?.licence).toBe('MIT');
});

const changed = (change: object) => ({ ...entry, files: { encoder: file, decoder: { ...file, ...change } } });
test.each<[string, unknown, RegExp]>([
  ['no list', { mine: entry }, /no list "models"/],
  ['no licence', [{ ...entry, licence: undefined }], /entry 0 has no name or no licence/],
  ['no decoder', [{ ...entry, files: { encoder: file } }], /decoder of "mine" needs an https url/],
  ['plain http', [changed({ url: 'http://example.org/a.onnx' })], /https url/],
  ['a local file', [changed({ url: 'file:///etc/passwd' })], /https url/],
  ['no size', [changed({ bytes: 0 })], /size in bytes/],
  ['half a checksum', [changed({ sha256: 'abc' })], /SHA-256/],
])('%s is refused, naming the entry', (_, models, message) => {
  expect(() => readSources([list(models)])).toThrow(message);
});
