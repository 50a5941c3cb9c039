// All Python tests of sampo_client and the napari plugin, in environments that it makes itself:
// newest napari (client, plugin, examples, notebook) and the oldest that is supported (plugin).
// node plugins/napari-py/test/run.mjs [--newest | --oldest] [--junit FILE]    (default FILE: reports/napari.xml)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

const plugin = join(import.meta.dirname, '..');
const root = join(plugin, '..', '..');
const windows = process.platform === 'win32';
const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const junit = process.argv.includes('--junit') ? argument('--junit') : join(root, 'reports', 'napari.xml');

const TOOLS = [
  'pytest',
  'pytest-qt',
  'pytest-timeout',
  'jsonschema',
  'tqdm',
  'dask',
  'zarr',
  'pandas',
  'Pillow',
  'scikit-image',
];
const ENVIRONMENTS = {
  newest: { packages: ['napari[pyqt6]', ...TOOLS, 'nbclient', 'ipykernel'], tests: ['tests'] },
  oldest: {
    packages: ['napari[pyqt5]==0.5.0', ...TOOLS],
    tests: ['tests/plugin/test_coordinates.py', 'tests/plugin/test_canvas.py', 'tests/plugin/test_flow.py'],
  },
};
/** What Qt and a screen without a monitor need on a bare Debian. */
const APT = (
  'xvfb libegl1 libgl1 libgl1-mesa-dri libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 ' +
  'libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 fonts-dejavu-core'
).split(' ');

function run(command, args, options = {}) {
  console.log(`\n> ${command} ${args.join(' ')}`);
  const { status, error } = spawnSync(command, args, {
    cwd: plugin,
    stdio: 'inherit',
    shell: windows,
    ...options,
  });
  if (error) console.error(String(error));
  return status ?? 1;
}

const quiet = (command, args) => spawnSync(command, args, { cwd: plugin, shell: windows }).status === 0;

/** A Python of 3.10 or newer, by the first of the usual names. */
function python() {
  for (const name of windows ? ['python', 'py'] : ['python3', 'python'])
    if (quiet(name, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'])) return name;
  console.error(
    'Python 3.10 or newer with venv is needed for the tests of the napari plugin (Debian: apt-get install python3-venv).',
  );
  process.exit(1);
}

/** The environment of a name, made or brought up to date when what it holds has changed. */
function environment(name) {
  const folder = join(plugin, '.venv', name);
  const bin = join(folder, windows ? 'Scripts' : 'bin', windows ? 'python.exe' : 'python');
  const { packages } = ENVIRONMENTS[name];
  const wanted = createHash('sha256')
    .update(JSON.stringify(packages) + readFileSync(join(plugin, 'pyproject.toml'), 'utf8'))
    .digest('hex');
  const stamp = join(folder, 'installed.txt');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin;
  if (!existsSync(bin) && run(python(), ['-m', 'venv', folder]) !== 0) process.exit(1);
  if (run(bin, ['-m', 'pip', 'install', '-q', '-e', '.', ...packages]) !== 0) process.exit(1);
  writeFileSync(stamp, wanted);
  return bin;
}

/** Runs under a virtual screen where there is none. */
const screen = (command, args) =>
  process.platform === 'linux' && !process.env.DISPLAY
    ? ['xvfb-run', ['-a', '-s', '-screen 0 1400x1000x24 +extension GLX', command, ...args]]
    : [command, args];

/** Qt's libraries and a screen are installed where they are missing, and only there. */
function needScreen(bin) {
  const probe = () => {
    const [command, args] = screen(bin, ['-c', 'from qtpy.QtWidgets import QApplication; QApplication([])']);
    return quiet(command, args);
  };
  if (process.platform !== 'linux' || probe()) return;
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...APT, 'xauth'], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (!probe()) {
    console.error(`Qt cannot open a window here. It needs: ${APT.join(' ')}`);
    process.exit(1);
  }
}

if (!existsSync(join(root, 'dist', 'main.js')) && run('npm', ['run', '-s', 'build'], { cwd: root }) !== 0)
  process.exit(1);

const names = Object.keys(ENVIRONMENTS).filter(
  (name) => !process.argv.includes(name === 'newest' ? '--oldest' : '--newest'),
);
const reports = [];
let failed = 0;
for (const name of names) {
  const started = Date.now();
  const bin = environment(name);
  needScreen(bin);
  const report = join(plugin, '.venv', `${name}.xml`);
  rmSync(report, { force: true });
  const args = [
    '-m',
    'pytest',
    '-q',
    '--timeout=300',
    ...ENVIRONMENTS[name].tests,
    `--junitxml=${report}`,
    '-o',
    `junit_suite_name=napari-${name}`,
  ];
  const [command, all] = screen(bin, args);
  if (run(command, all) !== 0) failed = 1;
  if (existsSync(report) && statSync(report).size > 0) reports.push(readFileSync(report, 'utf8'));
  else failed = 1;
  console.log(`${name}: ${Math.round((Date.now() - started) / 1000)} s`);
}
mkdirSync(dirname(junit), { recursive: true });
const suites = reports
  .map((text) => text.replace(/^<\?xml[^>]*\?>\s*/, '').replace(/<\/?testsuites[^>]*>/g, ''))
  .join('\n');
writeFileSync(junit, `<?xml version="1.0" encoding="utf-8"?>\n<testsuites>${suites}</testsuites>\n`);
process.exitCode = failed;
