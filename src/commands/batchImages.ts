import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { UsageError } from './command';

/** Endings of files that are taken for images in a folder; whether each can be read is found out when it is opened. */
const ENDINGS = new Set(
  '.png .jpg .jpeg .tif .tiff .btf .svs .ndpi .scn .mrxs .bif .vms .vmu .czi .dcm .zarr'.split(' '),
);

/** The images that the command line names: files as they are, and those of folders in order of their names. @throws UsageError */
export function findImages(names: readonly string[], recursive: boolean): string[] {
  const found = names.flatMap((name) => {
    const path = resolve(name);
    if (!existsSync(path)) throw new UsageError(`there is no ${name}`);
    if (!statSync(path).isDirectory() || extname(path).toLowerCase() === '.zarr') return [path];
    const inside = imagesIn(path, recursive);
    if (inside.length === 0) throw new UsageError(`the folder ${name} holds no image`);
    return inside;
  });
  return [...new Set(found)];
}

function imagesIn(folder: string, recursive: boolean): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    // What begins with a dot is hidden, or a copy's resource fork.
    if (entry.name.startsWith('.')) return [];
    if (ENDINGS.has(extname(entry.name).toLowerCase())) return [path];
    return entry.isDirectory() && recursive ? imagesIn(path, recursive) : [];
  });
}
