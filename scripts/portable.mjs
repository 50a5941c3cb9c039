// Builds the portable folder of a platform as a zip, from packages of the registry alone: Node's own binary, this package
// and its dependencies for that platform, and a launcher. What it holds is checked before it is zipped. `--package` takes
// what `npm pack` made earlier; `--folder` leaves the folder as it is instead of zipping it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { filesBelow, nativeFaults } from './portable/binaries.mjs';
import { launcher, readMe } from './portable/launchers.mjs';
import { NODE_VERSION, PLATFORMS } from './portable/platforms.mjs';
import { zipFolder } from './portable/zip.mjs';

const root = join(import.meta.dirname, '..');
const USAGE = `usage: npm run portable -- --platform ${Object.keys(PLATFORMS).join('|')} [--out DIR] [--package FILE.tgz] [--folder]`;

function npm(args, cwd) {
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
}

/** Installs the package and what it needs on `platform` into `app`. */
function install(app, tarball, { os, cpu, libc, node }) {
  const manifest = {
    private: true,
    dependencies: { 'sampo-bridge': `file:${tarball}` },
    // Optional ones alone may be of another platform than this one.
    optionalDependencies: { [node.package]: NODE_VERSION },
  };
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  const target = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  npm(['install', ...target, '--ignore-scripts', '--omit=dev', '--no-package-lock', '--prefer-offline'], app);
}

/** Node's binary and licence go beside the application; the rest of its package is not needed. */
function placeNode(folder, { os, node }) {
  const from = join(folder, 'app', 'node_modules', node.package);
  const binary = join(from, node.binary);
  if (!existsSync(binary))
    throw new Error(`${node.package}@${NODE_VERSION} was not installed, or lacks ${node.binary}`);
  const to = join(folder, 'node');
  mkdirSync(to);
  copyFileSync(binary, join(to, os === 'win32' ? 'node.exe' : 'node'));
  for (const name of ['LICENSE', 'README.md'])
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  rmSync(from, { recursive: true });
}

/** Puts the runtime's version that still has binaries for the platform in place of the package's own. */
function replaceRuntime(folder, scratch, version) {
  const place = join(folder, 'app', 'node_modules', 'sampo-bridge', 'node_modules');
  writeFileSync(join(scratch, 'package.json'), '{"private":true}');
  npm(
    ['install', `onnxruntime-node@${version}`, '--ignore-scripts', '--no-package-lock', '--prefer-offline'],
    scratch,
  );
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    rmSync(join(place, name), { recursive: true });
    cpSync(join(scratch, 'node_modules', name), join(place, name), { recursive: true });
  }
}

/** Removes what other platforms would need. */
function prune(folder, { os, cpu, runtime }) {
  const modules = join(folder, 'app', 'node_modules');
  const napi = join(modules, 'sampo-bridge', 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6');
  for (const system of readdirSync(napi))
    for (const processor of readdirSync(join(napi, system)))
      if (`${system}/${processor}` !== runtime) rmSync(join(napi, system, processor), { recursive: true });
  const drop = (scope, keeps) => {
    for (const name of readdirSync(join(modules, scope)))
      if (!keeps(name)) rmSync(join(modules, scope, name), { recursive: true });
  };
  drop('@libsql', (name) => name.startsWith(`${os}-${cpu}`) && !name.endsWith('-musl'));
  drop('@img', (name) => name === 'colour' || name.endsWith(`-${os}-${cpu}`));
  for (const name of ['.bin', '.package-lock.json', '@emnapi', 'tslib'])
    rmSync(join(modules, name), { recursive: true, force: true });
  rmSync(join(folder, 'app', 'package.json'));
}

const { values } = parseArgs({
  options: {
    platform: { type: 'string' },
    out: { type: 'string' },
    package: { type: 'string' },
    folder: { type: 'boolean' },
  },
});
const platform = PLATFORMS[values.platform];
if (!platform) {
  console.error(USAGE);
  process.exit(2);
}
const out = resolve(values.out ?? join(root, 'out'));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'sampo-portable-'));
try {
  const tarball = values.package
    ? resolve(values.package)
    : join(scratch, JSON.parse(npm(['pack', '--json', '--pack-destination', scratch], root))[0].filename);
  const name = `sampo-${version}-${values.platform}`;
  const folder = join(scratch, name);
  install(join(folder, 'app'), tarball, platform);
  placeNode(folder, platform);
  if (platform.runtimeVersion) {
    const runtime = join(scratch, 'runtime');
    mkdirSync(runtime);
    replaceRuntime(folder, runtime, platform.runtimeVersion);
  }
  prune(folder, platform);
  const start = launcher(platform.os);
  writeFileSync(join(folder, start.name), start.text);
  writeFileSync(join(folder, 'README.txt'), readMe(values.platform, version, platform.os));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const { foreign, missing } = nativeFaults(folder, `${platform.os}/${platform.cpu}`);
  if (foreign.length > 0) throw new Error(`binaries of another platform:\n  ${foreign.join('\n  ')}`);
  if (missing.length > 0) throw new Error(`the folder lacks ${missing.join(', ')}`);
  const runnable = (path) => path === 'sampo' || path === 'node/node';
  for (const path of filesBelow(folder)) chmodSync(join(folder, path), runnable(path) ? 0o755 : 0o644);
  mkdirSync(out, { recursive: true });
  const target = join(out, values.folder ? name : `${name}.zip`);
  rmSync(target, { recursive: true, force: true });
  if (values.folder) cpSync(folder, target, { recursive: true });
  else await zipFolder(folder, target);
  console.log(values.folder ? target : `${target}: ${(statSync(target).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
