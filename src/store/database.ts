import { closeSync, openSync } from 'node:fs';
import Libsql from 'libsql';
import { storageError } from './storageErrors';

/** What a column takes and gives; blobs come back as `Uint8Array`, booleans are 0 and 1. */
export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A program in another process may hold the file for a moment (a backup, a reader); waited for, ms. */
const BUSY_TIMEOUT = 2000;

/**
 * An SQLite file. Every method throws `BridgeError` (`DiskFull`, `StoreReadOnly`, `StoreLocked`, `StoreDamaged`) for the
 * faults of `storageErrors`, and SQLite's own error for a fault in the statement.
 */
export class Database {
  readonly path: string;
  readonly #connection: Libsql.Database;
  readonly #statements = new Map<string, Libsql.Statement>();
  #depth = 0;

  private constructor(path: string, connection: Libsql.Database) {
    this.path = path;
    this.#connection = connection;
  }

  /** Opens or creates the file. @param busyTimeout how long to wait for another process that holds it, ms */
  static open(path: string, busyTimeout = BUSY_TIMEOUT): Database {
    try {
      // libsql reports a file that it cannot open without a code, so ask the operating system first.
      closeSync(openSync(path, 'a', 0o600));
      const database = new Database(path, new Libsql(path));
      database.exec(`PRAGMA busy_timeout = ${busyTimeout}`);
      return database;
    } catch (error) {
      throw storageError(error, path);
    }
  }

  /** Statements without parameters, several at once, separated by semicolons. */
  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  run(sql: string, ...values: SqlValue[]): { changes: number; lastInsertRowid: number } {
    return this.#guard(() => {
      // As one array: libsql takes a lone null or blob for named parameters.
      const { changes, lastInsertRowid } = this.#prepare(sql).run(values);
      return { changes, lastInsertRowid: Number(lastInsertRowid) };
    });
  }

  /** Every row. @typeParam Row the columns that the statement selects; not checked */
  all<Row extends object = SqlRow>(sql: string, ...values: SqlValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(values) as Record<string, unknown>[]).map(
      (row) => plainRow(row) as Row,
    );
  }

  /** The first row. */
  get<Row extends object = SqlRow>(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.all<Row>(sql, ...values)[0];
  }

  /** `work` as a whole or not at all; one inside another belongs to the outer one. On return it is on the disk. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has rolled back already, and then there is nothing to roll back.
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Gives up the file. libsql lets go of the connection only when its statements are collected, so end what it holds first. */
  close(): void {
    this.#statements.clear();
    try {
      if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
      this.#connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A damaged or full file has nothing more to move into place; the WAL keeps what is durable.
    }
    this.#connection.close();
  }

  #prepare(sql: string): Libsql.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storageError(error, this.path);
    }
  }
}

/** libsql gives blobs as `ArrayBuffer` from `all`, and rows without a prototype. */
function plainRow(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof ArrayBuffer ? new Uint8Array(value) : value,
    ]),
  );
}
