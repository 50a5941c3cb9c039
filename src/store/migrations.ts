import { BridgeError } from '../errors';
import type { Database } from './database';

/** One step of the schema. Once released it never changes; a change is a new step with the next number. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  /** Statements separated by semicolons. */
  readonly sql: string;
}

/** The store's schema, step by step, numbered from 1 without gaps. */
export const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'intents and their examples',
    sql: `
      CREATE TABLE intents (
        intentId TEXT PRIMARY KEY, name TEXT NOT NULL, color TEXT NOT NULL, modelId TEXT NOT NULL,
        tokens BLOB, checkpointId TEXT, round INTEGER NOT NULL DEFAULT 0, scoreThreshold REAL,
        createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
      );
      CREATE TABLE exemplars (
        exemplarId INTEGER PRIMARY KEY AUTOINCREMENT,
        intentId TEXT NOT NULL REFERENCES intents (intentId) ON DELETE CASCADE,
        label INTEGER NOT NULL, feature BLOB NOT NULL, modelId TEXT NOT NULL, source TEXT NOT NULL,
        imageUri TEXT, x REAL, y REAL
      );
      CREATE INDEX exemplarsOfIntent ON exemplars (intentId);`,
  },
  {
    id: 2,
    name: 'judgements',
    sql: `
      CREATE TABLE judgements (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        judgementId TEXT NOT NULL UNIQUE,
        intentId TEXT NOT NULL REFERENCES intents (intentId) ON DELETE CASCADE,
        submission TEXT NOT NULL, target TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'done' CHECK (state IN ('done', 'undone', 'dropped')),
        kind TEXT NOT NULL, imageUri TEXT NOT NULL, objectId TEXT,
        geometry TEXT, choice TEXT, scale REAL NOT NULL, at TEXT NOT NULL
      );
      CREATE INDEX judgementsOfIntent ON judgements (intentId, target, sequence);`,
  },
  {
    id: 3,
    name: 'checkpoints',
    sql: `
      CREATE TABLE checkpoints (
        checkpointId TEXT PRIMARY KEY,
        intentId TEXT NOT NULL REFERENCES intents (intentId) ON DELETE CASCADE,
        sha256 TEXT NOT NULL, round INTEGER NOT NULL,
        metrics TEXT NOT NULL, provenance TEXT NOT NULL, createdAt TEXT NOT NULL
      );
      CREATE INDEX checkpointsOfIntent ON checkpoints (intentId);`,
  },
  {
    id: 4,
    name: 'what users said about images',
    sql: `
      CREATE TABLE images (
        uri TEXT PRIMARY KEY, stamp TEXT NOT NULL, pixelSizeMicrons REAL, stains TEXT
      );`,
  },
  {
    id: 5,
    name: 'batch jobs',
    sql: `
      CREATE TABLE batchJobs (
        jobId TEXT PRIMARY KEY, requestKey TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL,
        document TEXT NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
      );
      CREATE TABLE batchImages (
        jobId TEXT NOT NULL REFERENCES batchJobs (jobId) ON DELETE CASCADE,
        position INTEGER NOT NULL, state TEXT NOT NULL, plan TEXT, outcome TEXT, error TEXT,
        PRIMARY KEY (jobId, position)
      );
      CREATE TABLE batchUnits (
        jobId TEXT NOT NULL REFERENCES batchJobs (jobId) ON DELETE CASCADE,
        position INTEGER NOT NULL, unit INTEGER NOT NULL,
        x REAL NOT NULL, y REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL,
        state TEXT NOT NULL, attempts INTEGER NOT NULL, outcome TEXT, error TEXT,
        PRIMARY KEY (jobId, position, unit)
      );`,
  },
];

/**
 * Brings `database` up to the last of `migrations`, each step in a transaction of its own.
 * @throws BridgeError `StoreTooNew` when a newer program has been here: going back would lose what it wrote.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL, appliedAt TEXT NOT NULL)',
  );
  const applied = database.get<{ id: number | null }>('SELECT max(id) AS id FROM migrations')?.id ?? 0;
  if (applied > migrations.length) {
    throw new BridgeError(
      'StoreTooNew',
      `the store has schema ${applied}, this program knows ${migrations.length}`,
      {
        hint: 'use the newer version of sampo, or another state folder',
        path: database.path,
      },
    );
  }
  for (const { id, name, sql } of migrations.slice(applied)) {
    database.transaction(() => {
      database.exec(sql);
      database.run('INSERT INTO migrations VALUES (?, ?, ?)', id, name, new Date().toISOString());
    });
  }
}
