import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError, isBridgeError } from '../errors';
import { Database } from './database';
import { MIGRATIONS, migrate, type Migration } from './migrations';
import { takeOwnership } from './ownership';
import { createStateFolder } from './stateFolder';

const FILE = 'sampo.db';

/** The durable state of one server: its folder and its database. */
export interface Store {
  readonly folder: string;
  readonly database: Database;
  /** Damaged databases that earlier starts put aside in the folder, to be mentioned to the user. */
  readonly putAside: readonly string[];
  close(): void;
}

/**
 * Opens the store of a state folder as its one owner, creating what is missing.
 * @throws BridgeError `StoreLocked` (another server owns it), `StoreReadOnly`, `DiskFull`, `StoreTooNew`, or
 * `StoreDamaged`: the file is then kept as `kept`, and only another start begins an empty one.
 */
export function openStore(folder: string, migrations: readonly Migration[] = MIGRATIONS): Store {
  createStateFolder(folder);
  const release = takeOwnership(folder);
  let database: Database | undefined;
  try {
    database = openChecked(join(folder, FILE));
    migrate(database, migrations);
  } catch (error) {
    database?.close();
    const kept = isBridgeError(error) && error.errorName === 'StoreDamaged' ? putAside(folder, error) : error;
    release();
    throw kept;
  }
  const opened = database;
  return {
    folder,
    database: opened,
    putAside: readdirSync(folder)
      .filter((name) => /^damaged-.*\.db$/.test(name))
      .map((name) => join(folder, name)),
    close: () => {
      opened.close();
      release();
    },
  };
}

/** WAL with a full sync: what a transaction has written is on the disk when it returns. */
function openChecked(path: string): Database {
  const database = Database.open(path);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const faults = database.all<{ quick_check: string }>('PRAGMA quick_check');
    if (faults[0]?.quick_check !== 'ok') {
      throw new BridgeError('StoreDamaged', `the store is damaged: ${faults[0]?.quick_check ?? 'no answer'}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function putAside(folder: string, { message }: BridgeError): BridgeError {
  const name = `damaged-${new Date().toISOString().replaceAll(':', '-')}.db`;
  for (const suffix of ['', '-wal', '-shm']) {
    const path = join(folder, FILE + suffix);
    if (existsSync(path)) renameSync(path, join(folder, name + suffix));
  }
  const kept = join(folder, name);
  return new BridgeError('StoreDamaged', `${message}; the file is kept as ${kept}`, {
    hint: `restore a backup as ${join(folder, FILE)}, or start again with an empty store`,
    kept,
  });
}
