import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../../../src/services/models/download';
import { sha256 } from '../../../src/store/files';
import { FileHost } from '../../support/fileHost';

const FILE = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251);
const CUT = 100_000;

let host: FileHost;
let folder: string;
let count = 0;
let path: string;

beforeAll(async () => {
  host = await FileHost.start();
  folder = mkdtempSync(join(tmpdir(), 'sampo-download-'));
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  path = join(folder, `model-${count++}.onnx`);
  host.files.set('/model.onnx', FILE);
  host.behaviour = {};
  host.asked.length = 0;
});

const remote = (change: object = {}) => ({
  url: host.url('/model.onnx'),
  bytes: FILE.length,
  sha256: sha256(FILE),
  ...change,
});
const fetched = () => Buffer.from(FILE).equals(readFileSync(path));
const ranges = () => host.asked.map(({ range }) => range);

/** Begins a download that the host cuts. */
async function begin(): Promise<void> {
  host.behaviour = { cutAfter: CUT };
  await expect(download(remote(), path)).rejects.toMatchObject({ errorName: 'DownloadFailed' });
  expect(existsSync(path)).toBe(false);
  expect(statSync(`${path}.part`).size).toBe(CUT);
  host.behaviour = {};
  host.asked.length = 0;
}

test('a file comes whole, with progress, and leaves nothing beside it', async () => {
  const seen: number[] = [];
  await download(remote(), path, { onBytes: (bytes) => seen.push(bytes) });
  expect(fetched()).toBe(true);
  expect(existsSync(`${path}.part`)).toBe(false);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect([seen[0], seen.at(-1)]).toEqual([0, FILE.length]);
});

test('after a cut it goes on where it stopped', async () => {
  await begin();
  const seen: number[] = [];
  await download(remote(), path, { onBytes: (bytes) => seen.push(bytes) });
  expect(ranges()).toEqual([`bytes=${CUT}-`]);
  expect(seen[0]).toBe(CUT);
  expect(fetched()).toBe(true);
});

test.each<[string, { ignoresRanges?: true; refusesRanges?: true }, number]>([
  ['ignores ranges', { ignoresRanges: true }, 1],
  ['refuses ranges', { refusesRanges: true }, 2],
])('from a server that %s it starts over', async (_, behaviour, requests) => {
  await begin();
  host.behaviour = behaviour;
  await download(remote(), path);
  expect(host.asked).toHaveLength(requests);
  expect(fetched()).toBe(true);
});

test('a redirection is followed', async () => {
  await download(remote({ url: host.url('/moved/model.onnx') }), path);
  expect(fetched()).toBe(true);
});

test('a file that is there and right is not fetched again; one that is not is replaced', async () => {
  await download(remote(), path);
  host.asked.length = 0;
  await download(remote(), path);
  expect(host.asked).toHaveLength(0);
  writeFileSync(path, FILE.toReversed());
  await download(remote(), path);
  expect(fetched()).toBe(true);
});

test.each<[string, () => Uint8Array]>([
  ['another file of the same size', () => FILE.toReversed()],
  ['a longer file', () => Uint8Array.from([...FILE, 1])],
])('%s is refused, and nothing of it is kept', async (_, served) => {
  host.files.set('/model.onnx', served());
  await expect(download(remote(), path)).rejects.toMatchObject({
    errorName: 'FileDamaged',
    data: { expected: sha256(FILE) },
  });
  expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
});

test('a file that changed at its source between two tries is refused, then fetched anew', async () => {
  await begin();
  const changed = FILE.map((value) => value ^ 1);
  host.files.set('/model.onnx', changed);
  const now = remote({ sha256: sha256(changed) });
  await expect(download(now, path)).rejects.toMatchObject({ errorName: 'FileDamaged' });
  await download(now, path);
  expect(Buffer.from(changed).equals(readFileSync(path))).toBe(true);
});

test('a shorter file is told with both sizes', async () => {
  host.files.set('/model.onnx', FILE.subarray(0, 1000));
  await expect(download(remote(), path)).rejects.toMatchObject({
    errorName: 'DownloadFailed',
    data: { done: 1000, size: FILE.length },
  });
});

test.each([
  [404, false],
  [503, undefined],
])('HTTP %d is told, and whether to try again', async (status, retryable) => {
  host.behaviour = { status };
  await expect(download(remote(), path)).rejects.toMatchObject({
    errorName: 'DownloadFailed',
    message: expect.stringContaining(`HTTP ${status}`) as string,
    data: retryable === undefined ? {} : { retryable },
  });
  expect(existsSync(`${path}.part`)).toBe(false);
});

test('an error of the server does not cost what had come', async () => {
  await begin();
  host.behaviour = { status: 503 };
  await expect(download(remote(), path)).rejects.toMatchObject({ errorName: 'DownloadFailed' });
  expect(statSync(`${path}.part`).size).toBe(CUT);
});

test('a host that is not there is told', async () => {
  const gone = await FileHost.start();
  const url = gone.url('/model.onnx');
  await gone.close();
  await expect(download(remote({ url }), path)).rejects.toMatchObject({
    errorName: 'DownloadFailed',
    message: expect.stringContaining('ECONNREFUSED') as string,
  });
});

test('a cancelled download keeps what came, and goes on later', async () => {
  const controller = new AbortController();
  host.behaviour = { cutAfter: CUT };
  const onBytes = (bytes: number): void => {
    if (bytes > 0) controller.abort();
  };
  await expect(download(remote(), path, { signal: controller.signal, onBytes })).rejects.toMatchObject({
    errorName: 'RequestCancelled',
  });
  host.behaviour = {};
  const kept = statSync(`${path}.part`).size;
  expect(kept).toBeGreaterThan(0);
  await download(remote(), path);
  expect(ranges().at(-1)).toBe(`bytes=${kept}-`);
  expect(fetched()).toBe(true);
});
