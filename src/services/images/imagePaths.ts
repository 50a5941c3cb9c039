import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BridgeError } from '../../errors';

/**
 * The real path of a file, say an image, or of a folder, named by an absolute path or a `file:` URI, all symbolic links resolved.
 * @param roots folders whose content may be read
 * @throws BridgeError `PathNotAllowed` outside the roots, without telling what is there; `FileNotFound` inside them
 */
export async function resolveImagePath(
  uri: string,
  roots: readonly string[],
  kind: 'file' | 'folder' | 'file or folder' = 'file',
): Promise<string> {
  const path = localPath(uri);
  if (!isAbsolute(path)) throw notAllowed(uri, 'the path is not absolute');
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => resolve(root))));
  const allowed = (candidate: string) =>
    [...realRoots, ...roots].some((root) => isInside(resolve(root), candidate));
  let real: string;
  try {
    real = await realpath(path);
  } catch {
    if (!allowed(resolve(path))) throw notAllowed(uri, 'the path is outside the allowed folders');
    throw new BridgeError('FileNotFound', `there is no file ${path}`, { path });
  }
  if (!realRoots.some((root) => isInside(root, real))) {
    throw notAllowed(uri, 'the path is outside the allowed folders');
  }
  // Opening a pipe or a device could wait for ever.
  const found = await stat(real);
  const taken =
    (found.isFile() && kind.startsWith('file')) || (found.isDirectory() && kind.endsWith('folder'));
  if (!taken) throw new BridgeError('FileNotFound', `${path} is not a ${kind}`, { path });
  return real;
}

/**
 * The real path of a folder that is to be written into; it need not be there yet, but the nearest folder above it must lie in
 * the roots. @throws BridgeError `PathNotAllowed`
 */
export async function resolveOutputFolder(uri: string, roots: readonly string[]): Promise<string> {
  const path = resolve(localPath(uri));
  let above = path;
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  const real = await resolveImagePath(above, roots, 'folder');
  return join(real, relative(above, path));
}

/**
 * The one name of an image that a viewer opened: the path of a file under whatever spelling (`file:/`, `file:///`, `..`, and
 * inside the roots also links); other names as they are. A query or fragment (a series in the file) stays.
 */
export async function canonicalUri(uri: string, roots: readonly string[]): Promise<string> {
  const isUri = /^file:/i.test(uri);
  if (!isUri && !isAbsolute(uri)) return uri;
  const at = isUri ? uri.search(/[?#]/) : -1;
  const [name, series] = at < 0 ? [uri, ''] : [uri.slice(0, at), uri.slice(at)];
  let path: string;
  try {
    path = resolve(localPath(name));
  } catch {
    return uri;
  }
  // Outside the roots links are not followed: the answer would tell what is there.
  const real = await resolveImagePath(path, roots, 'file or folder').catch(() => path);
  return `${real}${series}`;
}

/** A `file:` URI (escapes and Windows drives included) or a path, as this system writes it. */
function localPath(uri: string): string {
  if (uri.includes('\0')) throw new BridgeError('FileNotFound', 'a path holds no NUL character');
  if (!/^[a-z][a-z0-9+.-]+:/i.test(uri)) return uri;
  if (!/^file:/i.test(uri)) throw notAllowed(uri, 'only files can be opened by the server');
  try {
    return fileURLToPath(uri);
  } catch (error) {
    throw new BridgeError('FileNotFound', `the URI ${uri} names no file of this machine: ${String(error)}`);
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function notAllowed(uri: string, reason: string): BridgeError {
  return new BridgeError('PathNotAllowed', `${reason}: ${uri}`, {
    hint: 'start the server with --root and the folder of the image, or open it in the viewer with source "client"',
  });
}
