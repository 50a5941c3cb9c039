import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { awkwardFolder, packed, plainSurroundings, ROOT, run, serve, VERSION, type Sampo } from './running';

const folder = awkwardFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds a platform's portable folder from what was packed; the path of what was made. */
function build(platform: string, more: readonly string[] = []): string {
  const out = join(folder, 'built');
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'scripts/portable.mjs'),
      ...['--platform', platform, '--package', packed(), '--out', out],
      ...more,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the portable folder of ${platform} was not built:\n${stderr}`);
  const made = readdirSync(out).find((name) => name.startsWith(`sampo-${VERSION}-${platform}`));
  return join(out, made ?? '');
}

/** Unpacks as a user's tool does: with the rights that the zip holds. */
const UNPACK = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as packed:
    for entry in packed.infolist():
        os.chmod(packed.extract(entry, sys.argv[2]), entry.external_attr >> 16)
`;

const here = `${process.platform}-${process.arch}`;
const onLinux = here === 'linux-x64' ? describe : describe.skip;

onLinux('on Linux, with no Node in PATH', () => {
  let place: string;
  let sampo: Sampo;

  beforeAll(() => {
    const zip = build('linux-x64');
    expect(statSync(zip).size).toBeLessThan(150e6);
    place = join(folder, 'unpacked here');
    const { status, stderr } = spawnSync('python3', ['-c', UNPACK, zip, place], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const home = join(folder, 'home');
    const empty = join(folder, 'empty');
    for (const path of [home, empty]) mkdirSync(path);
    const unpacked = join(place, basename(zip, '.zip'));
    sampo = {
      command: join(unpacked, 'sampo'),
      args: [],
      cwd: unpacked,
      env: plainSurroundings(home, empty),
    };
  });

  test('it says its version, also through a symbolic link', () => {
    const link = join(folder, 'sampo');
    symlinkSync(sampo.command, link);
    const env = { ...sampo.env, PATH: '/usr/bin:/bin' };
    expect(run({ ...sampo, command: link, env }, ['--version'])).toEqual({
      status: 0,
      stdout: `${VERSION}\n`,
      stderr: '',
    });
  });

  test('the demo finds nuclei and refines', () => {
    const { status, stderr } = run(sampo, ['demo', '--out', join(folder, 'results')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(existsSync(join(folder, 'results', 'refined.png'))).toBe(true);
  });

  test('a server starts from it, and a search of another process finds nuclei with it', async () => {
    const pictures = join(sampo.cwd, 'app/node_modules/sampo-bridge/models/demo');
    const server = await serve(sampo, ['--root', pictures]);
    try {
      const out = join(folder, 'found.geojson');
      const { status, stderr } = run(sampo, [
        'segment',
        join(pictures, 'breast.png'),
        ...['--click', '257,250', '--out', out],
      ]);
      expect({ status, stderr: stderr.replace(/.*\r/g, '') }).toMatchObject({ status: 0 });
      const { features } = JSON.parse(readFileSync(out, 'utf8')) as { features: unknown[] };
      expect(features.length).toBeGreaterThan(10);
      expect(run(sampo, ['stop'])).toMatchObject({ status: 0, stdout: 'stopped\n' });
    } finally {
      server.kill();
    }
  });

  test('a Node that may not be run is a sentence, not a stack', () => {
    const node = join(sampo.cwd, 'node', 'node');
    chmodSync(node, 0o644);
    const { status, stderr } = run(sampo, ['--version']);
    chmodSync(node, 0o755);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sampo: .*node may not be run: the disk forbids programs \(noexec\)/);
  });

  test('a folder that was unpacked in part says so', () => {
    const main = join(sampo.cwd, 'app/node_modules/sampo-bridge/dist/main.js');
    const aside = join(sampo.cwd, 'main.js');
    spawnSync('mv', [main, aside]);
    const { status, stderr } = run(sampo, ['--version']);
    spawnSync('mv', [aside, main]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/is not whole; unpack the zip again/);
  });
});

// The build itself reads every native file's header and refuses one of another platform, or the lack of one.
test.each([
  ['win-x64', 'node/node.exe', 'sampo.cmd'],
  ['darwin-arm64', 'node/node', 'sampo'],
  ['darwin-x64', 'node/node', 'sampo'],
])('%s is built with the right binaries and no foreign ones', (platform, node, launcher) => {
  const made = build(platform, ['--folder']);
  expect(statSync(join(made, node)).size).toBeGreaterThan(50e6);
  expect(existsSync(join(made, launcher))).toBe(true);
  const application = join(made, 'app/node_modules/sampo-bridge');
  for (const part of [
    'dist/main.js',
    'openrpc.json',
    'schemas/common.json',
    'models/sampo-tiny/encoder.onnx',
  ])
    expect(existsSync(join(application, part))).toBe(true);
});
