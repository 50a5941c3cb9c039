import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT, packageVersion, readPackageJson } from '../../packageFiles';
import { Contract } from '../../protocol/validation';
import { readManifest } from '../../services/models/modelManifest';
import { sha256 } from '../../store/files';
import { failed, ok, problem, type Finding } from './finding';

const REINSTALL = 'the package is not whole: install it again, or unpack the portable folder again';

/** Version, Node, and whether every file of the package is there and as it was made. */
export function packageChecks(root = PACKAGE_ROOT): Finding[] {
  return [version(root), node(), runtime(root), contract(root), ...models(root)];
}

function version(root: string): Finding {
  try {
    return ok('version', `${packageVersion()} in ${root}`);
  } catch (error) {
    return failed('version', error, REINSTALL);
  }
}

/** A Node that is too old never comes this far: see nodeVersion. */
function node(): Finding {
  return ok('Node', `${process.versions.node} at ${process.execPath}`);
}

/** ONNX Runtime has binaries for some platforms only. */
function runtime(root: string): Finding {
  const folder = runtimeFolder(root);
  const here = `${process.platform}/${process.arch}`;
  if (folder === undefined) return problem('engine', 'onnxruntime-node is missing', REINSTALL);
  if (existsSync(join(folder, 'bin', 'napi-v6', here, 'onnxruntime_binding.node'))) {
    const { version: found } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return ok('engine', `ONNX Runtime ${found} for ${here}`);
  }
  return problem(
    'engine',
    `onnxruntime-node has no binaries for ${here}`,
    process.platform === 'darwin' && process.arch === 'x64'
      ? 'use the portable folder for darwin-x64: it has an older ONNX Runtime that still runs here'
      : 'use Node for x64 or arm64 on Linux, Windows or macOS',
  );
}

/** Inside the package as it is shipped, beside it in a checkout. */
function runtimeFolder(root: string): string | undefined {
  try {
    return join(require.resolve('onnxruntime-node/package.json', { paths: [root] }), '..');
  } catch {
    return undefined;
  }
}

function contract(root: string): Finding {
  try {
    readPackageJson('openrpc.json');
    const { methods } = new Contract(join(root, 'schemas'));
    return ok('contract', `${methods.size} methods`);
  } catch (error) {
    return failed('contract', error, REINSTALL);
  }
}

/** Every bundled model: its manifest, and the checksum of each of its files. */
function models(root: string): Finding[] {
  const folder = join(root, 'models');
  if (!existsSync(folder)) return [problem('model', `${folder} is missing`, REINSTALL)];
  const names = readdirSync(folder).filter((name) => name.startsWith('sampo-'));
  if (names.length === 0) return [problem('model', `${folder} holds no model`, REINSTALL)];
  return names.map((name) => model(join(folder, name), name));
}

function model(folder: string, name: string): Finding {
  const check = `model ${name}`;
  try {
    const manifest = readManifest(folder);
    for (const { path, sha256: expected, bytes: size } of Object.values(manifest.files)) {
      const file = join(folder, path);
      if (!existsSync(file)) return problem(check, `${file} is missing`, REINSTALL);
      const bytes = readFileSync(file);
      if (bytes.length !== size)
        return problem(check, `${file} has ${bytes.length} bytes, not ${size}: it was cut`, REINSTALL);
      if (sha256(bytes) !== expected)
        return problem(check, `${file} is not the one that was made`, REINSTALL);
    }
    return ok(check, `${manifest.version}, checksums right`);
  } catch (error) {
    return failed(check, error, REINSTALL);
  }
}
