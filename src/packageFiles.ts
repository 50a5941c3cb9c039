import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BridgeError } from './errors';

/** The package's own folder: schemas, models and the OpenRPC document lie there. */
export const PACKAGE_ROOT = resolve(__dirname, '..');

/** A JSON file of the package. @throws BridgeError `FileNotFound`, `FileDamaged` when the package is not whole */
export function readPackageJson(name: string): object {
  const path = join(PACKAGE_ROOT, name);
  const hint = 'the package is not whole: install it again';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BridgeError('FileNotFound', `${path} cannot be read: ${(error as Error).message}`, {
      path,
      hint,
    });
  }
  try {
    return JSON.parse(text) as object;
  } catch (error) {
    throw new BridgeError('FileDamaged', `${path} is damaged: ${(error as Error).message}`, { path, hint });
  }
}

/** Version of this package. @throws BridgeError as `readPackageJson` */
export function packageVersion(): string {
  return (readPackageJson('package.json') as { version: string }).version;
}
