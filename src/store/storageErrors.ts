import { BridgeError, type ErrorName } from '../errors';

/** How the operating system and SQLite name the faults that a user can do something about. */
const KINDS: readonly { codes: RegExp; errorName: ErrorName; text: string; hint: string }[] = [
  {
    codes: /^(ENOSPC|EDQUOT|SQLITE_FULL)/,
    errorName: 'DiskFull',
    text: 'the disk is full',
    hint: 'free some space on the disk of the state folder; nothing that was stored before is lost',
  },
  {
    codes: /^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM)/,
    errorName: 'StoreReadOnly',
    text: 'the state folder cannot be written',
    hint: 'give this user write access to the folder, or choose another state folder',
  },
  {
    codes: /^(SQLITE_BUSY|SQLITE_LOCKED)/,
    errorName: 'StoreLocked',
    text: 'another program holds the store',
    hint: 'close the other program that has the store open',
  },
  {
    codes: /^(SQLITE_CORRUPT|SQLITE_NOTADB)/,
    errorName: 'StoreDamaged',
    text: 'the store is damaged',
    hint: 'restore the file from a backup',
  },
];

/**
 * The `BridgeError` for a fault of the file system or of SQLite, told by its `code`: `DiskFull`, `StoreReadOnly`,
 * `StoreLocked`, `StoreDamaged`. Anything else is returned as it is.
 */
export function storageError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  const kind = KINDS.find(({ codes }) => codes.test(code));
  if (kind === undefined) return error;
  return new BridgeError(kind.errorName, `${kind.text}: ${String(error)} (${path})`, {
    hint: kind.hint,
    path,
    code,
  });
}

/** The `code` of a system or SQLite error, "" without one. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
