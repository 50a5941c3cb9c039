import { readFileSync } from 'node:fs';
import { BridgeError } from '../../errors';
import { errorCode } from '../../store/storageErrors';

/** A file to fetch. */
export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** A public encoder and decoder pair. */
export interface ModelSource {
  readonly name: string;
  readonly licence: string;
  readonly files: { readonly encoder: RemoteFile; readonly decoder: RemoteFile };
}

/**
 * The sources of the lists, the first of a name wins; a list that is not there is empty.
 * @throws BridgeError `ModelInvalid` for a list that cannot be used, naming list and entry
 */
export function readSources(lists: readonly string[]): ModelSource[] {
  const found = new Map<string, ModelSource>();
  for (const path of lists)
    for (const source of readList(path)) if (!found.has(source.name)) found.set(source.name, source);
  return [...found.values()];
}

function readList(path: string): ModelSource[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw invalid(path, String(error));
  }
  let models: unknown;
  try {
    ({ models } = JSON.parse(text) as { models?: unknown });
  } catch (error) {
    throw invalid(path, String(error));
  }
  if (!Array.isArray(models)) throw invalid(path, 'it has no list "models"');
  return models.map((entry: unknown, i) => {
    const { name, licence, files } = (entry ?? {}) as Partial<ModelSource>;
    if (typeof name !== 'string' || typeof licence !== 'string')
      throw invalid(path, `entry ${i} has no name or no licence`);
    for (const part of ['encoder', 'decoder'] as const) {
      const { url, bytes, sha256 } = (files?.[part] ?? {}) as Partial<RemoteFile>;
      if (!isFetchable(url))
        throw invalid(path, `the ${part} of "${name}" needs an https url (http for this machine alone)`);
      if (!Number.isInteger(bytes) || !(bytes! > 0))
        throw invalid(path, `the ${part} of "${name}" needs its size in bytes`);
      if (!/^[0-9a-f]{64}$/.test(sha256 ?? ''))
        throw invalid(path, `the ${part} of "${name}" needs its SHA-256, 64 small hex digits`);
    }
    return entry as ModelSource;
  });
}

function isFetchable(url: string | undefined): boolean {
  if (url === undefined || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
  );
}

function invalid(path: string, reason: string): BridgeError {
  return new BridgeError('ModelInvalid', `the list of models ${path} cannot be used: ${reason}`, {
    reason,
    path,
    hint: 'docs/models.md shows the form of an entry',
  });
}
