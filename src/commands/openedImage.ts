import { existsSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Surroundings } from './command';
import type { RpcClient } from './rpcClient';
import { withServer } from './withServer';

/**
 * Does `work` with images open in the server of a state folder (the running one, else one for as long as it takes); they are
 * closed afterwards. @param paths of the files, opened under their full names
 */
export async function withOpenImage<T>(
  stateFolder: string,
  paths: readonly string[],
  around: Surroundings,
  work: (client: RpcClient, imageIds: readonly string[]) => Promise<T>,
): Promise<T> {
  const roots = [...new Set(paths.flatMap((path) => foldersOf(resolve(path))))];
  return withServer({ stateFolder, roots }, around, async (client) => {
    const imageIds: string[] = [];
    try {
      for (const path of paths)
        imageIds.push((await client.request('image/open', { uri: resolve(path), source: 'file' })).imageId);
      return await work(client, imageIds);
    } finally {
      for (const imageId of imageIds) await client.request('image/close', { imageId }).catch(() => undefined);
    }
  });
}

/** Where an image lies, by its name and, for a link, in truth. */
export function foldersOf(image: string): string[] {
  return existsSync(image) ? [dirname(image), dirname(realpathSync(image))] : [dirname(image)];
}
