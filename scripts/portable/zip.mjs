import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { filesBelow } from './binaries.mjs';

/** The same input gives the same bytes. */
const TIME = new Date(Date.UTC(2026, 0, 1));

/** Zips a folder under its own name; files keep their rights. */
export async function zipFolder(folder, target) {
  const zip = new ZipFile();
  for (const path of filesBelow(folder).sort())
    zip.addFile(join(folder, path), `${basename(folder)}/${path}`, { mtime: TIME });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
}
