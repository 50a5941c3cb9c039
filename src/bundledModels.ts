import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from './errors';
import { PACKAGE_ROOT } from './packageFiles';

/** Folder of a model that ships in the package. @throws BridgeError `ModelInvalid` for another name */
export function bundledFolder(name = 'sampo-tiny'): string {
  const folder = join(PACKAGE_ROOT, 'models');
  if (!existsSync(folder))
    throw new BridgeError('FileNotFound', `${folder} is missing`, {
      path: folder,
      hint: 'the package is not whole: install it again',
    });
  const shipped = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() && entry.name.startsWith('sampo-') ? [entry.name] : [],
  );
  if (!shipped.includes(name))
    throw new BridgeError('ModelInvalid', `no model "${name}" is in the package`, {
      reason: `there is ${shipped.join(' and ')}`,
    });
  return join(folder, name);
}
