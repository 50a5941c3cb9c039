import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Migration } from '../../src/store/migrations';
import { openStore, type Store } from '../../src/store/store';

const NOTES: Migration = {
  id: 1,
  name: 'notes',
  sql: 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE)',
};
const TAGS: Migration = {
  id: 2,
  name: 'tags',
  sql: 'CREATE TABLE tags (note INTEGER NOT NULL REFERENCES notes(id), name TEXT); CREATE INDEX tagsByNote ON tags(note)',
};

let folder: string;
const opened: Store[] = [];
function open(migrations: readonly Migration[] = [NOTES], path = folder): Store {
  const store = openStore(path, migrations);
  opened.push(store);
  return store;
}
function failure(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sampo-store-'));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a new folder is created for this user alone and the database is durable: WAL, full sync, foreign keys', () => {
  const { database } = open([NOTES], join(folder, 'deep', 'state'));
  expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  expect(database.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 });
  if (process.platform !== 'win32') {
    expect(statSync(join(folder, 'deep', 'state')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'deep', 'state', 'sampo.db')).mode & 0o777).toBe(0o600);
  }
});

test('what was written is there after reopening, and migrations run once each', () => {
  const first = open();
  first.database.run('INSERT INTO notes (text) VALUES (?)', 'kept');
  first.close();
  opened.pop();
  const second = open([NOTES, TAGS]);
  expect(second.database.all('SELECT text FROM notes')).toEqual([{ text: 'kept' }]);
  expect(second.database.all('SELECT id, name FROM migrations')).toEqual([
    { id: 1, name: 'notes' },
    { id: 2, name: 'tags' },
  ]);
  expect(() => second.database.run('INSERT INTO tags VALUES (99, ?)', 'nobody')).toThrow(/FOREIGN KEY/);
});

test('a failing migration leaves nothing of itself behind', () => {
  const broken: Migration = {
    id: 2,
    name: 'broken',
    sql: 'CREATE TABLE half (a); CREATE TABLE notes (again)',
  };
  expect(() => open([NOTES, broken])).toThrow(/notes/);
  const { database } = open();
  expect(database.all("SELECT name FROM sqlite_master WHERE name = 'half'")).toEqual([]);
});

test('a store that a newer program wrote is refused', () => {
  open([NOTES, TAGS]).close();
  opened.pop();
  expect(failure(() => open())).toMatchObject({ errorName: 'StoreTooNew' });
});

describe('one owner', () => {
  test('a second one in the same process is told who has it, and gets it after close', () => {
    const first = open();
    expect(failure(() => open())).toMatchObject({
      errorName: 'StoreLocked',
      data: { pid: process.pid, path: folder },
    });
    first.close();
    opened.pop();
    open();
  });

  test('another process holds it; when that is killed, the store is free at once and whole', async () => {
    const script = `
      const { openStore } = require('./src/store/store.ts');
      const { database } = openStore(${JSON.stringify(folder)}, ${JSON.stringify([NOTES])});
      database.run('INSERT INTO notes (text) VALUES (?)', 'durable');
      database.exec('BEGIN');
      database.run('INSERT INTO notes (text) VALUES (?)', 'not committed');
      console.log('open');
      setInterval(() => undefined, 1000);
    `;
    const other = spawn(process.execPath, ['-r', './scripts/swcRegister.cjs', '-e', script], {
      cwd: join(__dirname, '../..'),
    });
    await new Promise((resolve) => other.stdout.once('data', resolve));
    expect(failure(() => open())).toMatchObject({ errorName: 'StoreLocked', data: { pid: other.pid } });
    const ended = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await ended;
    expect(open().database.all('SELECT text FROM notes')).toEqual([{ text: 'durable' }]);
  });
});

describe('faults', () => {
  test.each<[string, (path: string) => void]>([
    ['text instead of a database', (path) => writeFileSync(path, 'this was a database once. '.repeat(400))],
    [
      'overwritten pages',
      (path) => {
        const file = openSync(path, 'r+');
        writeSync(file, Buffer.alloc(8000, 0xff), 0, 8000, 100);
        closeSync(file);
      },
    ],
    ['half of the file', (path) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
  ])('%s: StoreDamaged, the file is kept, and only the next start begins anew', (_, damage) => {
    const first = open();
    first.database.transaction(() => {
      for (let row = 0; row < 2000; row += 1) {
        first.database.run('INSERT INTO notes (text) VALUES (?)', `note ${row}`);
      }
    });
    first.close();
    opened.pop();
    damage(join(folder, 'sampo.db'));
    const damaged = readFileSync(join(folder, 'sampo.db'));

    const error = failure(() => open()) as { errorName: string; message: string; data: { kept: string } };
    expect(error).toMatchObject({ errorName: 'StoreDamaged' });
    expect(error.message).toContain(error.data.kept);
    expect(readFileSync(error.data.kept)).toEqual(damaged);
    expect(readdirSync(folder)).not.toContain('sampo.db');

    const next = open();
    expect(next.putAside).toEqual([error.data.kept]);
    expect(next.database.all('SELECT * FROM notes')).toEqual([]);
  });

  test('a full disk is DiskFull, what was there stays, and the store works again when there is room', () => {
    const { database } = open();
    database.run('INSERT INTO notes (text) VALUES (?)', 'before');
    const pages = database.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0;
    database.exec(`PRAGMA max_page_count = ${pages}`);
    const fill = () =>
      database.transaction(() => {
        for (let row = 0; row < 500; row += 1)
          database.run('INSERT INTO notes (text) VALUES (?)', `row ${row} `.repeat(20));
      });
    expect(failure(fill)).toMatchObject({ errorName: 'DiskFull' });
    expect(database.all('SELECT text FROM notes')).toEqual([{ text: 'before' }]);
    database.exec('PRAGMA max_page_count = 1000000');
    fill();
    expect(database.get('SELECT count(*) AS n FROM notes')).toEqual({ n: 501 });
  });

  const asNobody = process.platform === 'win32' ? test.skip : test;
  asNobody('a folder that may not be written is StoreReadOnly', () => {
    // Root may write everywhere, so step down to another user for the attempt.
    const root = process.getuid?.() === 0;
    chmodSync(folder, 0o555);
    if (root) process.seteuid?.(65534);
    try {
      expect(failure(() => open())).toMatchObject({ errorName: 'StoreReadOnly' });
      expect(failure(() => open([NOTES], join(folder, 'inside')))).toMatchObject({
        errorName: 'StoreReadOnly',
      });
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(folder, 0o700);
    }
  });
});

describe('the database', () => {
  test('blobs, nulls and large texts come back as they went in', () => {
    const { database } = open([{ id: 1, name: 'blobs', sql: 'CREATE TABLE blobs (name TEXT, bytes BLOB)' }]);
    const backing = Uint8Array.from({ length: 40 }, (_, index) => index);
    const view = backing.subarray(7, 19);
    database.run('INSERT INTO blobs VALUES (?, ?)', 'ä'.repeat(70_000), view);
    database.run('INSERT INTO blobs VALUES (?, ?)', null, null);
    expect(database.all('SELECT * FROM blobs')).toEqual([
      { name: 'ä'.repeat(70_000), bytes: Uint8Array.from(view) },
      { name: null, bytes: null },
    ]);
    expect(database.get('SELECT * FROM blobs WHERE name = ?', 'none')).toBeUndefined();
    expect(database.get('SELECT name FROM blobs WHERE name IS ?', null)).toEqual({ name: null });
    expect(database.get('SELECT length(name) AS n FROM blobs WHERE bytes = ?', view)).toEqual({ n: 70_000 });
  });

  test('a transaction is whole or nothing, the inner one belonging to the outer', () => {
    const { database } = open();
    const insert = (text: string) => database.run('INSERT INTO notes (text) VALUES (?)', text);
    expect(() =>
      database.transaction(() => {
        insert('outer');
        database.transaction(() => insert('inner'));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(database.all('SELECT * FROM notes')).toEqual([]);
    expect(database.transaction(() => insert('one').lastInsertRowid)).toBe(1);
    // A fault in a statement is SQLite's own error and leaves the connection usable.
    expect(() => insert('one')).toThrow(/UNIQUE/);
    insert('two');
    expect(database.all('SELECT text FROM notes ORDER BY id')).toEqual([{ text: 'one' }, { text: 'two' }]);
  });
});
