import { closeSync, openSync, writeSync } from 'node:fs';
import { BridgeError } from '../errors';
import { readBlobFrame } from './blobFrame';

/** Longer texts (pixels, tensors) and lists (objects, coordinates) are cut: a trace shows forms, not data. */
const LONGEST_TEXT = 200;
const LONGEST_LIST = 20;

/** Writes the traffic of all connections to a file, one JSON object per line, for those who write clients. */
export class Trace {
  readonly #file: number;
  #clients = 0;

  /** Begins the file anew, readable by this user alone. @throws BridgeError `FileNotFound` where none can be written */
  constructor(path: string) {
    try {
      this.#file = openSync(path, 'w', 0o600);
    } catch (error) {
      throw new BridgeError('FileNotFound', `the trace cannot be written: ${(error as Error).message}`, {
        path,
        hint: 'name a file in a folder that exists and that this user may write',
      });
    }
  }

  /** Number of a new connection. */
  connected(): number {
    return ++this.#clients;
  }

  received(client: number, text: string): void {
    this.#write(client, 'from client', { message: readable(text) });
  }

  sent(client: number, text: string): void {
    this.#write(client, 'to client', { message: readable(text) });
  }

  /** A binary frame: its header, and how much follows. */
  receivedBytes(client: number, frame: Uint8Array): void {
    let header: object;
    try {
      const { bytes, ...rest } = readBlobFrame(frame);
      header = { ...rest, bytes: bytes.length };
    } catch (error) {
      header = { bytes: frame.length, unreadable: (error as Error).message };
    }
    this.#write(client, 'from client', { binary: header });
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(client: number, direction: 'from client' | 'to client', what: object): void {
    writeSync(
      this.#file,
      `${JSON.stringify({ at: new Date().toISOString(), client, direction, ...what })}\n`,
    );
  }
}

function readable(text: string): unknown {
  try {
    return shortened(JSON.parse(text));
  } catch {
    return shortened(text);
  }
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > LONGEST_TEXT ? `${value.slice(0, 60)}… (${value.length} characters)` : value;
  if (Array.isArray(value)) {
    const shown = value.slice(0, LONGEST_LIST).map(shortened);
    return value.length > LONGEST_LIST ? [...shown, `… (${value.length - LONGEST_LIST} more)`] : shown;
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shortened(member)]));
  return value;
}
