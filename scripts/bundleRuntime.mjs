// The package carries onnxruntime-node inside (bundleDependencies): on Linux x64 its own install script wants CUDA libraries
// from outside the registry, and nothing in a dependent package can switch that off (docs/decisions/0065-package.md).
// `prepare`, before packing, writes it a package.json without scripts; `restore` puts the original back.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'node_modules', 'onnxruntime-node');
const manifestPath = join(folder, 'package.json');
const originalPath = join(folder, 'package.json.original');

/** Puts a text in place of a file without writing into it: checkouts may share it by a hard link. */
function replace(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function prepare() {
  const original = readFileSync(existsSync(originalPath) ? originalPath : manifestPath, 'utf8');
  const manifest = JSON.parse(original);
  delete manifest.scripts;
  delete manifest.devDependencies;
  // adm-zip and global-agent serve the install script alone.
  manifest.dependencies = { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] };
  // The binding asks for libonnxruntime.1.dylib; the name with the full version is a second copy of the same 45 MB.
  const twin = `bin/napi-v6/darwin/arm64/libonnxruntime.${manifest.version}.dylib`;
  manifest.files = ['bin', 'dist/*.js', 'dist/*.d.ts', `!${twin}`];
  replace(originalPath, original);
  replace(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
}

function restore() {
  if (!existsSync(originalPath)) return;
  replace(manifestPath, readFileSync(originalPath, 'utf8'));
  rmSync(originalPath);
}

const steps = { prepare, restore };
const step = steps[process.argv[2]];
if (!step) throw new Error('usage: node scripts/bundleRuntime.mjs prepare | restore');
step();
