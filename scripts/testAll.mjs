// Every test of the project: build, generated-file check, types, lint, jest, and pytest over the Python examples.
// Closes with one line, `N passed, N failed`, summed from the runners' own reports.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'reports');
const windows = process.platform === 'win32';
let passed = 0;
let failed = 0;

function run(command, args) {
  console.log(`\n> ${command} ${args.join(' ')}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: windows });
  if (error) console.error(String(error));
  return status ?? 1;
}

/** A step that is one check: it counts as one test. */
function check(command, args) {
  if (run(command, args) === 0) passed += 1;
  else failed += 1;
}

/** A runner's figures from its report; a runner that died before writing one is one failure. */
function count(path, status, read) {
  const figures = existsSync(path) ? read(readFileSync(path, 'utf8')) : { passed: 0, failed: 0 };
  if (status !== 0 && figures.failed === 0) figures.failed = 1;
  passed += figures.passed;
  failed += figures.failed;
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

check('npm', ['run', '-s', 'build']);
check('npm', ['run', '-s', 'typecheck']);
check('npm', ['run', '-s', 'lint']);

const jestReport = join(reports, 'jest.json');
const jestStatus = run('npx', ['jest', '--json', `--outputFile=${jestReport}`]);
count(jestReport, jestStatus, (text) => {
  const report = JSON.parse(text);
  return { passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
});

const venv = join(root, '.venv');
const bin = join(venv, windows ? 'Scripts' : 'bin');
const pytestReport = join(reports, 'pytest.xml');
let ready = 0;
if (!existsSync(join(bin, windows ? 'pytest.exe' : 'pytest'))) {
  ready = run(windows ? 'python' : 'python3', ['-m', 'venv', venv]);
  if (ready === 0)
    ready = run(join(bin, 'python'), [
      '-m',
      'pip',
      'install',
      '-q',
      '-r',
      join(root, 'test', 'python', 'requirements.txt'),
    ]);
}
const pytestStatus =
  ready || run(join(bin, 'python'), ['-m', 'pytest', '-q', 'test/python', `--junitxml=${pytestReport}`]);
count(pytestReport, pytestStatus, (text) => {
  const number = (name) =>
    [...text.matchAll(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`, 'g'))].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    );
  const bad = number('failures') + number('errors');
  return { passed: number('tests') - bad - number('skipped'), failed: bad };
});

console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
