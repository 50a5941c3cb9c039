// Brings a current OpenSlide library (PyPI's openslide-bin, built by OpenSlide's maintainers) into .cache/ for the tests, and prints
// its path. Users install OpenSlide themselves; nothing of it is in the package. `node scripts/fetchOpenSlide.mjs`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '4.0.1.2';
const windows = process.platform === 'win32';
const name = windows
  ? 'libopenslide-1.dll'
  : process.platform === 'darwin'
    ? 'libopenslide.1.dylib'
    : 'libopenslide.so.1';
const cache = join(import.meta.dirname, '..', '.cache');
const folder = join(cache, `openslide-${VERSION}`);
const library = join(folder, 'openslide_bin', name);

function python(...args) {
  const { status, error } = spawnSync(windows ? 'python' : 'python3', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`python ${args.slice(0, 3).join(' ')} … ended with ${status}`);
}

if (!existsSync(library)) {
  mkdirSync(cache, { recursive: true });
  // Made beside and moved at the end: an interrupted or a second download leaves nothing half done.
  const made = mkdtempSync(join(cache, 'making-'));
  try {
    const wanted = ['--only-binary', ':all:', '--no-deps', '-q', '-d', made, `openslide-bin==${VERSION}`];
    python('-m', 'pip', '--disable-pip-version-check', 'download', ...wanted);
    const [wheel] = readdirSync(made).filter((entry) => entry.endsWith('.whl'));
    const unpacked = join(made, 'unpacked');
    python('-m', 'zipfile', '-e', join(made, wheel), unpacked);
    if (!existsSync(library)) renameSync(unpacked, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
console.log(library);
