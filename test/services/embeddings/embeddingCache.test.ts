import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EmbeddingCache, embeddingKey } from '../../../src/services/embeddings/embeddingCache';
import { EmbeddingFiles } from '../../../src/services/embeddings/embeddingFiles';
import type { EncodedTile } from '../../../src/services/models/promptableModel';

const KIB = 1 << 10;
/** Floats: 4 * 8 * 8 of the embedding, twice 32 * 32 of the maps. */
const TILE_BYTES = 4 * (4 * 64 + 2 * 1024);
const FILE_BYTES = TILE_BYTES + 20 + 32;

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'sampo-embeddings-'))));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const newFolder = () => join(root, String(count++));

function tile(seed: number): EncodedTile {
  const values = (length: number, part: number) =>
    Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(seed * 131 + part * 17 + i)));
  return {
    embedding: { data: values(256, 0), channels: 4, side: 8, stride: 4 },
    nucleusLogits: values(1024, 1),
    distanceMap: values(1024, 2),
  };
}

const key = (seed: number) => embeddingKey('model', 'image', seed);
const files = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.tile'));

/** A cache, and how often it had to compute. */
function setUp(folder: string, change: { memoryBytes?: number; diskBytes?: number } = {}) {
  const lines: string[] = [];
  const cache = new EmbeddingCache({ folder, log: (line) => lines.push(line), ...change });
  const made: number[] = [];
  const get = (seed: number) =>
    cache.get(key(seed), async () => {
      made.push(seed);
      return tile(seed);
    });
  return { cache, get, made, lines };
}

describe('what names a tile', () => {
  test('where one part ends and the next begins makes another key', () => {
    expect(embeddingKey('ab', 'c')).not.toBe(embeddingKey('a', 'bc'));
    expect(embeddingKey('m', 1, Uint8Array.of(1))).not.toBe(embeddingKey('m', 1, Uint8Array.of(2)));
    expect(embeddingKey('m', 12)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('after a restart', () => {
  test('tiles come from the disk, value for value, without computing', async () => {
    const folder = newFolder();
    const first = setUp(folder);
    for (const seed of [1, 2, 3]) expect((await first.get(seed)).cached).toBe(false);
    await first.cache.close();
    const second = setUp(folder);
    for (const seed of [3, 1, 2])
      expect(await second.get(seed)).toEqual({ tile: tile(seed), cached: true, key: key(seed) });
    expect(second.made).toEqual([]);
    expect(second.lines).toEqual([]);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['a flipped bit', (bytes) => (bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000), bytes)],
    ['a flipped bit of the checksum', (bytes) => (bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3), bytes)],
    ['a file cut short', (bytes) => bytes.subarray(0, 4000)],
    ['a file cut within the checksum', (bytes) => bytes.subarray(0, 10)],
    ['an empty file', () => Buffer.alloc(0)],
    ['more than was written', (bytes) => Buffer.concat([bytes, bytes])],
  ])('%s is a miss: told, computed again and put right', async (_, damage) => {
    const folder = newFolder();
    const first = setUp(folder);
    await first.get(7);
    await first.cache.close();
    const path = join(folder, files(folder)[0]!);
    writeFileSync(path, damage(readFileSync(path)));
    const second = setUp(folder);
    expect(await second.get(7)).toEqual({ tile: tile(7), cached: false, key: key(7) });
    await second.cache.close();
    expect(second.lines).toEqual([expect.stringContaining('damaged') as string]);
    expect((await setUp(folder).get(7)).cached).toBe(true);
  });

  test('a whole file of another form is a miss too', async () => {
    const folder = newFolder();
    await new EmbeddingFiles(folder, 1 << 20, fail).write(key(8), [new Uint8Array(500)]);
    const { get, lines } = setUp(folder);
    expect(await get(8)).toEqual({ tile: tile(8), cached: false, key: key(8) });
    expect(lines).toEqual([expect.stringContaining('another form') as string]);
  });
});

describe('within its size', () => {
  test('memory: the least recently used goes first', async () => {
    const { cache, get, made } = setUp(newFolder(), { memoryBytes: 3 * TILE_BYTES, diskBytes: 0 });
    for (const seed of [1, 2, 3, 1, 4]) await get(seed);
    expect(cache.memoryBytes).toBe(3 * TILE_BYTES);
    made.length = 0;
    for (const seed of [1, 3, 4]) await get(seed);
    expect(made).toEqual([]);
    await get(2);
    expect(made).toEqual([2]);
  });

  test('disk: the least recently used goes first, a read counts as use', async () => {
    const folder = newFolder();
    const options = { memoryBytes: 0, diskBytes: 10 * FILE_BYTES };
    const first = setUp(folder, options);
    for (let seed = 0; seed < 10; seed++) {
      await first.get(seed);
      await first.cache.close();
      const written = new Date(1_600_000_000_000 + 1000 * seed);
      utimesSync(join(folder, `${key(seed)}.tile`), written, written);
    }
    expect(files(folder)).toHaveLength(10);
    expect((await first.get(0)).cached).toBe(true);
    await first.get(10);
    await first.cache.close();
    const kept = files(folder);
    expect(kept.length * FILE_BYTES).toBeLessThanOrEqual(options.diskBytes);
    expect(kept).toContain(`${key(0)}.tile`);
    expect(kept).toContain(`${key(10)}.tile`);
    expect(kept).not.toContain(`${key(1)}.tile`);
  });

  test('disk, with two who write in turn: each notices what the other has added', async () => {
    const folder = newFolder();
    const capacity = 64 * 4 * KIB;
    const stores = [0, 1].map(() => new EmbeddingFiles(folder, capacity, fail));
    for (let i = 0; i < 150; i++) {
      await stores[i % 2]!.write(`k${i}`, [new Uint8Array(4 * KIB - 32)]);
      expect(files(folder).length).toBeLessThanOrEqual(64 + 4 + 1);
    }
    expect(files(folder).length).toBeGreaterThan(50);
  });

  test('what is larger than all of it is not kept; what a dead process left half written goes', async () => {
    const folder = newFolder();
    mkdirSync(folder);
    const [old, young] = [join(folder, '.dead.part'), join(folder, '.busy.part')];
    for (const path of [old, young]) writeFileSync(path, 'half');
    utimesSync(old, new Date(0), new Date(0));
    const store = new EmbeddingFiles(folder, 100, fail);
    await store.write('a', [new Uint8Array(101)]);
    expect(files(folder)).toEqual([]);
    await store.write('b', [new Uint8Array(10)]);
    expect(readdirSync(folder).sort()).toEqual(['.busy.part', 'b.tile']);
  });
});

describe('several who ask', () => {
  test('at once: computed once', async () => {
    const { get, made } = setUp(newFolder());
    const found = await Promise.all(Array.from({ length: 20 }, () => get(5)));
    expect(made).toEqual([5]);
    expect(found.every(({ tile: one }) => one === found[0]!.tile)).toBe(true);
  });

  test('the failure of one is not that of the other', async () => {
    const cache = new EmbeddingCache();
    const cancelled = cache.get('k', () => Promise.reject(new Error('cancelled')));
    const other = cache.get('k', async () => tile(1));
    await expect(cancelled).rejects.toThrow('cancelled');
    expect((await other).tile).toEqual(tile(1));
  });

  test('two processes that write the same and other tiles: every read is whole, nothing is left over, the size holds', async () => {
    const folder = newFolder();
    const capacity = 640 * KIB;
    // Each writes 60 contents of 16 KiB, the half of them under keys that the other uses as well.
    const script = `
      require(${JSON.stringify(resolve(__dirname, '../../../scripts/swcRegister.cjs'))});
      const { EmbeddingFiles } = require(${JSON.stringify(resolve(__dirname, '../../../src/services/embeddings/embeddingFiles.ts'))});
      const [folder, name] = process.argv.slice(1);
      const store = new EmbeddingFiles(folder, ${capacity}, (line) => { console.error(line); process.exitCode = 1; });
      (async () => {
        for (let i = 0; i < 60; i++) {
          const key = i % 2 ? 'shared' + (i % 10) : name + i;
          await store.write(key, [new Uint8Array(16 * 1024).fill(i)]);
          const read = await store.read(key);
          if (read && (read.length !== 16 * 1024 || read.some((value) => value !== read[0]))) process.exit(9);
        }
      })();`;
    const ends = ['a', 'b'].map(
      (name) =>
        new Promise<string>((done) => {
          const child = spawn(process.execPath, ['-e', script, folder, name], {
            stdio: ['ignore', 'ignore', 'pipe'],
          });
          let text = '';
          child.stderr.on('data', (part: Buffer) => (text += part.toString()));
          child.once('exit', (code) => done(`${code} ${text}`));
        }),
    );
    expect(await Promise.all(ends)).toEqual(['0 ', '0 ']);
    const left = readdirSync(folder);
    expect(left.filter((name) => !name.endsWith('.tile'))).toEqual([]);
    const bytes = left.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(bytes).toBeGreaterThan(capacity / 2);
    // Each process may be a sixteenth and a file beyond what it last saw.
    expect(bytes).toBeLessThanOrEqual(capacity * (1 + 1 / 16) + 17 * KIB);
    const reader = new EmbeddingFiles(folder, capacity, fail);
    for (const name of left) expect((await reader.read(name.replace('.tile', '')))?.length).toBe(16 * KIB);
  });
});

test('a disk that cannot be written: said once, and the tiles are computed all the same', async () => {
  const blocked = newFolder();
  writeFileSync(blocked, 'a file where the folder should be');
  const { get, lines, cache } = setUp(blocked);
  for (const seed of [1, 2, 3]) expect((await get(seed)).cached).toBe(false);
  await cache.close();
  expect(lines).toEqual([expect.stringContaining('not kept on disk') as string]);
});

function fail(line: string): void {
  throw new Error(line);
}
