import { BridgeError } from '../errors';
import type { Blob } from './blobFrame';

/** Blobs of one client that wait to be named by a message: limited in bytes and in time, each taken once. */
export class BlobShelf {
  private readonly blobs = new Map<string, { blob: Blob; timer: NodeJS.Timeout }>();
  private bytes = 0;

  /** @param limitBytes bytes held at most  @param lifetimeMs a blob nobody names is dropped after this, ms */
  constructor(
    private readonly limitBytes: number,
    private readonly lifetimeMs = 60_000,
  ) {}

  /** @throws BridgeError LimitExceeded when the shelf is full */
  put(blob: Blob): void {
    this.drop(blob.blob);
    if (this.bytes + blob.bytes.byteLength > this.limitBytes) {
      throw new BridgeError('LimitExceeded', 'too many pixels are waiting to be used', {
        limit: 'blobBytes',
        value: this.limitBytes,
      });
    }
    const timer = setTimeout(() => this.drop(blob.blob), this.lifetimeMs);
    timer.unref();
    this.blobs.set(blob.blob, { blob, timer });
    this.bytes += blob.bytes.byteLength;
  }

  /** Hands a blob over. @throws BridgeError BlobMissing */
  take(name: string): Blob {
    const entry = this.blobs.get(name);
    if (!entry) throw new BridgeError('BlobMissing', `no blob ${JSON.stringify(name)}`);
    this.drop(name);
    return entry.blob;
  }

  close(): void {
    for (const name of [...this.blobs.keys()]) this.drop(name);
  }

  private drop(name: string): void {
    const entry = this.blobs.get(name);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.blobs.delete(name);
    this.bytes -= entry.blob.bytes.byteLength;
  }
}
