// The package carries dependencies inside (bundleDependencies) whose install scripts it must not pass on: onnxruntime-node's
// wants CUDA libraries from outside the registry on Linux x64, koffi's may compile, and so may one below bullmq. Nothing in a dependent package can switch
// them off (docs/decisions/0065-package.md). `prepare`, before packing, writes each a package.json without scripts; `restore`
// puts the originals back.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '..', 'node_modules');

/** What else changes in a manifest. */
const CHANGES = {
  'onnxruntime-node': (manifest) => {
    // adm-zip and global-agent serve the install script alone.
    manifest.dependencies = { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] };
    // The binding asks for libonnxruntime.1.dylib; the name with the full version is a second copy of the same 45 MB.
    const twin = `bin/napi-v6/darwin/arm64/libonnxruntime.${manifest.version}.dylib`;
    manifest.files = ['bin', 'dist/*.js', 'dist/*.d.ts', `!${twin}`];
  },
  // Of BullMQ: its native reader of strings has an install script, and is not needed for what a queue carries.
  msgpackr: (manifest) => {
    delete manifest.optionalDependencies;
  },
  koffi: (manifest) => {
    // Its binaries, one package a platform, are optional dependencies of ours: inside, only those of this machine would come along.
    delete manifest.optionalDependencies;
  },
};

/** Puts a text in place of a file without writing into it: checkouts may share it by a hard link. */
function replace(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function prepare(manifestPath, originalPath, change) {
  const original = readFileSync(existsSync(originalPath) ? originalPath : manifestPath, 'utf8');
  const manifest = JSON.parse(original);
  delete manifest.scripts;
  delete manifest.devDependencies;
  change(manifest);
  replace(originalPath, original);
  replace(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
}

function restore(manifestPath, originalPath) {
  if (!existsSync(originalPath)) return;
  replace(manifestPath, readFileSync(originalPath, 'utf8'));
  rmSync(originalPath);
}

const steps = { prepare, restore };
const step = steps[process.argv[2]];
if (!step) throw new Error('usage: node scripts/bundleRuntime.mjs prepare | restore');
for (const [name, change] of Object.entries(CHANGES)) {
  const manifestPath = join(modules, name, 'package.json');
  step(manifestPath, `${manifestPath}.original`, change);
}
