import { randomUUID } from 'node:crypto';
import type { Connection } from '../protocol/connection';
import { BlobShelf } from './blobShelf';

/** The state of one connected client; it ends with the connection. */
export class Session {
  readonly id = randomUUID();
  readonly blobs: BlobShelf;
  /** What `initialize` told about the client. */
  client = { name: 'unknown', version: '' };
  /** The conversation; set once, right after both exist. */
  connection!: Connection<Session>;

  /** The client is gone. */
  closed = false;

  constructor(blobBytes: number) {
    this.blobs = new BlobShelf(blobBytes);
  }

  close(): void {
    this.closed = true;
    this.blobs.close();
  }
}
