import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BridgeError } from '../../errors';
import { withFile } from './byteSource';

// Which file an image is, whatever it was called by: its real path, and a stamp of what it holds. Clicks, judgements and
// object ids hang on the path; what was computed from pixels hangs on the stamp too.

/** What tells that a file is still the one that was opened. */
export interface FileStamp {
  readonly size: number;
  /** ms */
  readonly modified: number;
  readonly inode: number;
  /** Of the header and of samples along the file, hexadecimal. */
  readonly hash: string;
}

/** Bytes of the header, and of each sample after it. */
const HEADER_BYTES = 65_536;
const SAMPLE_BYTES = 16_384;
/** Samples along the file, the last one at its end. */
const SAMPLES = 8;

/** The stamp of a file, or of a folder that is an image (its listing and the small files in it). */
export async function fileStamp(path: string): Promise<FileStamp> {
  const { size, mtimeMs, ino } = await stat(path);
  const folder = (await stat(path)).isDirectory();
  const hash = folder ? await folderHash(path) : await sampledHash(path);
  // The file of a MIRAX slide is its thumbnail; the slide lies in the folder of the same name.
  const beside = /\.mrxs$/i.test(path) ? path.slice(0, -'.mrxs'.length) : undefined;
  const companion = beside === undefined ? '' : await folderHash(beside).catch(() => '');
  return { size, modified: mtimeMs, inode: ino, hash: hash + companion };
}

/** @throws BridgeError `ImageChanged` when the file is gone or is no longer the one of the stamp, by size, time and inode */
export function checkStamp(path: string, stamp: FileStamp): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw changed(path, 'the file is no longer there');
  if (found.size !== stamp.size) throw changed(path, `it has ${found.size} bytes in place of ${stamp.size}`);
  if (found.ino !== stamp.inode) throw changed(path, 'another file has taken its place');
  if (found.mtimeMs !== stamp.modified) throw changed(path, `it was written at ${found.mtime.toISOString()}`);
}

/** As `checkStamp`, and the content too: a file can be written over within the clock's grain. */
export async function checkContent(path: string, stamp: FileStamp): Promise<void> {
  checkStamp(path, stamp);
  if ((await fileStamp(path)).hash !== stamp.hash) throw changed(path, 'its content is another one');
}

/** Names the same pixels the same way in every session. */
export function keyOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function changed(path: string, how: string): BridgeError {
  return new BridgeError('ImageChanged', `the image file has changed since it was opened: ${how}`, {
    path,
    hint: 'close the image and open it again; examples from the former picture may no longer fit',
  });
}

async function sampledHash(path: string): Promise<string> {
  return withFile(path, async (file) => {
    const hash = createHash('sha256');
    hash.update(await file.read(0, HEADER_BYTES));
    for (let sample = 1; sample <= SAMPLES; sample += 1) {
      const offset = Math.round(((file.size - SAMPLE_BYTES) * sample) / SAMPLES);
      if (offset > HEADER_BYTES) hash.update(await file.read(offset, SAMPLE_BYTES));
    }
    // Small files are read whole by the header alone when they fit; between the two sizes the rest follows it.
    if (file.size <= 2 * HEADER_BYTES) hash.update(await file.read(HEADER_BYTES, HEADER_BYTES));
    return hash.digest('hex');
  });
}

/** Names, sizes and times of what lies in a folder and in its sub-folders' first level. */
async function folderHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const inner = join(path, entry.name);
    const { size, mtimeMs } = statSync(inner);
    hash.update(JSON.stringify([entry.name, size, mtimeMs]));
    if (entry.isDirectory()) hash.update(JSON.stringify(readdirSync(inner).sort().slice(0, 1000)));
  }
  return hash.digest('hex');
}
