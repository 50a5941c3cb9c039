import { open, type FileHandle } from 'node:fs/promises';

/** Bytes that can be read from anywhere: a file, or what lies in memory (EXIF inside a JPEG). */
export interface ByteSource {
  readonly size: number;
  /** Up to `length` bytes from `offset` on; fewer where the source ends. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Runs `use` with an open file and closes it afterwards. */
export async function withFile<T>(path: string, use: (file: ByteSource) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return await use({
      size,
      read: (offset, length) => readUpTo(handle, offset, Math.min(length, size - offset)),
    });
  } finally {
    await handle.close();
  }
}

/** Bytes in memory as a source. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: buffer.length,
    read: (offset, length) => Promise.resolve(buffer.subarray(offset, offset + length)),
  };
}

async function readUpTo(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
