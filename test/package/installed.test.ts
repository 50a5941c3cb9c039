import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { awkwardFolder, packed, plainSurroundings, run, serve, VERSION, type Sampo } from './running';

const folder = awkwardFolder();
const modules = join(folder, 'node_modules');
const env = {
  ...plainSurroundings(join(folder, 'home'), process.env['PATH'] ?? ''),
  // A fresh home has npm look once whether there is a newer npm, and say so.
  npm_config_update_notifier: 'false',
};
const shell = process.platform === 'win32';
const sampo: Sampo = { command: join(modules, '.bin', 'sampo'), args: [], cwd: folder, env };
let printed = '';

beforeAll(() => {
  mkdirSync(join(folder, 'home'));
  // The user's own settings name the registry; nothing else of them is needed.
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', shell }).stdout.trim();
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['install', packed(), `--registry=${registry}`, '--foreground-scripts', '--no-audit', '--no-fund'],
    {
      cwd: folder,
      env: { ...env, npm_config_userconfig: process.env['npm_config_userconfig'] },
      encoding: 'utf8',
      shell,
    },
  );
  printed = stdout + stderr;
  if (status !== 0) throw new Error(`npm install failed:\n${printed}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Folders of all installed packages, however deep. */
function packages(below: string): string[] {
  if (!existsSync(below)) return [];
  return readdirSync(below).flatMap((name) => {
    if (name.startsWith('.')) return [];
    if (name.startsWith('@')) return packages(join(below, name));
    return [join(below, name), ...packages(join(below, name, 'node_modules'))];
  });
}

test('no package of it has an install script, and npm has nothing to warn of', () => {
  const scripted = packages(modules).filter((path) => {
    const { scripts = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
      scripts?: Record<string, string>;
    };
    return ['preinstall', 'install', 'postinstall'].some((name) => name in scripts);
  });
  expect(packages(modules).map((path) => path.split(/[\\/]/).pop())).toContain('onnxruntime-node');
  expect(scripted).toEqual([]);
  expect(printed).not.toMatch(/warn/i);
});

test('koffi, which OpenSlide is called through, finds its binaries', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-p', "require('koffi').sizeof('double')"], {
    cwd: join(modules, 'sampo-bridge'),
    env,
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: '8\n', stderr: '' });
});

test('the queue of workers finds its library and its client', () => {
  const script = `const { UnitQueue } = require('./dist/services/batch/cluster/unitQueue'); console.log(typeof UnitQueue)`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    cwd: join(modules, 'sampo-bridge'),
    env,
    encoding: 'utf8',
  });
  expect({ stdout, stderr }).toEqual({ stdout: 'function\n', stderr: '' });
});

test('npx sampo says its version, and nothing else is printed', () => {
  const { status, stdout, stderr } = spawnSync('npx', ['sampo', '--version'], {
    cwd: folder,
    env,
    encoding: 'utf8',
    shell,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${VERSION}\n`, stderr: '' });
});

test('sampo demo finds nuclei', () => {
  const { status, stderr } = run(sampo, ['demo', '--out', 'results']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const found = JSON.parse(readFileSync(join(folder, 'results', 'refined.geojson'), 'utf8')) as {
    features: unknown[];
  };
  expect(found.features.length).toBeGreaterThan(100);
});

test('a server starts, says the version of the package, serves its contract, and stops', async () => {
  const state = ['--state', join(folder, 'state')];
  const server = await serve(sampo, state);
  try {
    const status = JSON.parse(run(sampo, ['status', ...state]).stdout) as { version: string };
    expect(status.version).toBe(VERSION);
    const contract = JSON.parse(run(sampo, ['call', 'rpc.discover', ...state]).stdout) as {
      info: { version: string };
    };
    expect(contract.info.version).toBe(VERSION);
    expect(run(sampo, ['stop', ...state])).toEqual({ status: 0, stdout: 'stopped\n', stderr: '' });
  } finally {
    server.kill();
  }
});
