import { randomUUID } from 'node:crypto';
import type { Connection } from '../protocol/connection';
import { BlobShelf } from './blobShelf';

/** The state of one connected client; it ends with the connection. */
export class Session {
  readonly id = randomUUID();
  readonly blobs: BlobShelf;
  readonly connection: Connection<Session>;
  /** What `initialize` told about the client. */
  client = { name: 'unknown', version: '' };
  /** The client has said who it is. */
  initialized = false;
  /** The client is gone. */
  closed = false;

  /** @param connect makes the conversation that this session is the state of */
  constructor(blobBytes: number, connect: (session: Session) => Connection<Session>) {
    this.blobs = new BlobShelf(blobBytes);
    this.connection = connect(this);
  }

  close(): void {
    this.closed = true;
    this.connection.close();
    this.blobs.close();
  }
}
