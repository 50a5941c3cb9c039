import { cancelled } from '../../abort';
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { BridgeError } from '../../errors';
import { sha256OfFile } from '../../store/files';
import { storageError } from '../../store/storageErrors';
import type { RemoteFile } from './modelSources';

/** How a download is followed and ended. */
export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Bytes that are there, from 0 to the file's size. */
  readonly onBytes?: (bytes: number) => void;
}

const OK = 200;
const RANGE_REFUSED = 416;

/**
 * Fetches a file to `path`: into `path.part` first, which a later call goes on with, checked against size and SHA-256 while it
 * comes in, renamed when it is whole. A file that is there and right is not fetched again.
 * @throws BridgeError `DownloadFailed` (try again: it goes on), `FileDamaged` when what came is another file (nothing is kept),
 * `RequestCancelled` (what came is kept), `DiskFull`, `StoreReadOnly`
 */
export async function download(
  remote: RemoteFile,
  path: string,
  { signal, onBytes = () => undefined }: DownloadOptions = {},
): Promise<void> {
  const { url, bytes: size, sha256 } = remote;
  if (await isWhole(path, remote, signal)) return onBytes(size);
  const part = `${path}.part`;
  let done = await sizeOf(part);
  if (done > size) {
    await rm(part, { force: true });
    done = 0;
  }
  let hash = createHash('sha256');
  try {
    if (done > 0) await hashInto(hash, part, signal);
    if (done < size) {
      let response = await ask(url, done, signal);
      if (done > 0 && response.status === RANGE_REFUSED) {
        await response.body?.cancel();
        response = await ask(url, 0, signal);
      }
      if (done > 0 && response.status === OK) {
        // The server sends the whole file whatever was asked for.
        done = 0;
        hash = createHash('sha256');
      }
      done = await store(response, remote, part, { done, hash, onBytes });
    }
  } catch (error) {
    throw explain(error, url, path, signal);
  }
  if (done < size) throw failed(url, `the connection ended after ${done} of ${size} bytes`, { done, size });
  const actual = hash.digest('hex');
  if (actual !== sha256) {
    await rm(part, { force: true });
    throw damaged(url, path, { expected: sha256, actual });
  }
  await rename(part, path).catch((error: unknown) => {
    throw storageError(error, path);
  });
}

interface Progress {
  readonly done: number;
  readonly hash: Hash;
  readonly onBytes: (bytes: number) => void;
}

/** Appends a response to the part, or starts it anew at 0. @returns bytes that are there */
async function store(
  response: Response,
  { url, bytes: size, sha256 }: RemoteFile,
  part: string,
  { done: from, hash, onBytes }: Progress,
): Promise<number> {
  if (!response.ok || response.body === null) throw refused(url, response.status);
  const file: FileHandle = await open(part, from > 0 ? 'a' : 'w', 0o600);
  let done = from;
  try {
    onBytes(done);
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (done + chunk.length > size) {
        await rm(part, { force: true });
        throw damaged(url, part, { expected: sha256, size, more: true });
      }
      await file.writeFile(chunk);
      hash.update(chunk);
      done += chunk.length;
      onBytes(done);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return done;
}

function ask(url: string, from: number, signal: AbortSignal | undefined): Promise<Response> {
  return fetch(url, {
    // A compressed answer would have another length and other ranges.
    headers: { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) },
    ...(signal && { signal }),
  });
}

async function isWhole(
  path: string,
  { bytes, sha256 }: RemoteFile,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  return (await sha256OfFile(path, signal)).sha256 === sha256;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function hashInto(hash: Hash, path: string, signal: AbortSignal | undefined): Promise<void> {
  for await (const chunk of createReadStream(path, { ...(signal && { signal }) }))
    hash.update(chunk as Buffer);
}

function explain(error: unknown, url: string, path: string, signal: AbortSignal | undefined): unknown {
  if (error instanceof BridgeError) return error;
  if (signal?.aborted === true)
    return cancelled(`the download of ${url} was cancelled; what came is kept`);
  const stored = storageError(error, path);
  if (stored instanceof BridgeError) return stored;
  const { cause } = error as { cause?: unknown };
  return failed(url, String(cause ?? error));
}

function refused(url: string, status: number): BridgeError {
  return failed(url, `the server answered HTTP ${status}`, {
    status,
    ...(status >= 400 && status < 500 && { retryable: false, hint: 'check the url of the source' }),
  });
}

function failed(url: string, reason: string, data: Readonly<Record<string, unknown>> = {}): BridgeError {
  return new BridgeError('DownloadFailed', `${url} could not be fetched: ${reason}`, {
    url,
    reason,
    ...data,
  });
}

function damaged(url: string, path: string, data: Readonly<Record<string, unknown>>): BridgeError {
  return new BridgeError('FileDamaged', `${url} is not the file that is listed; nothing of it is kept`, {
    path,
    url,
    ...data,
    hint: 'the file was changed at its source, or on its way; import a copy that you trust with sampo models import',
  });
}
