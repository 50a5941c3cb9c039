// After the compiler. Removes from dist/ what no source stands behind any more: a file that was renamed must not be shipped under both names.
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

function prune(folder) {
  for (const entry of readdirSync(join(root, 'dist', folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(join(root, 'src', path))) prune(path);
      else rmSync(join(root, 'dist', path), { recursive: true });
      continue;
    }
    const source = /^(.*)\.js(\.map)?$/.exec(path)?.[1];
    if (source !== undefined && !existsSync(join(root, 'src', `${source}.ts`)))
      rmSync(join(root, 'dist', path));
  }
}

prune('.');
// npx runs it as a program, and links it only once.
chmodSync(join(root, 'dist', 'main.js'), 0o755);
