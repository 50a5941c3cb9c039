// Every runner of `npm test`, in order. A row without `report` is one check and counts as one test; with it, the runner writes
// that file below reports/ and its tests are counted from there. `before` is what a runner needs: when it fails, so does the row.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const windows = process.platform === 'win32';

/** Program of a virtual environment of Python. */
const inVenv = (venv, program) =>
  join(venv, windows ? 'Scripts' : 'bin', windows ? `${program}.exe` : program);

/** @param root the checkout @param reports folder for the runners' reports */
export function runners(root, reports) {
  const venv = join(root, '.venv');
  const jest = (config, file) => [
    'jest',
    '--config',
    config,
    '--json',
    `--outputFile=${join(reports, file)}`,
  ];
  return [
    { name: 'build', command: ['npm', 'run', '-s', 'build'] },
    { name: 'types', command: ['npm', 'run', '-s', 'typecheck'] },
    { name: 'lint', command: ['npm', 'run', '-s', 'lint'] },
    {
      name: 'jest',
      before: [['node', join(root, 'scripts/testing/queueServer.mjs')]],
      command: ['npx', ...jest('jest.config.cjs', 'jest.json')],
      report: { kind: 'jest', file: 'jest.json' },
    },
    {
      name: 'installed package and portable folder',
      command: ['npx', ...jest('jest.package.config.cjs', 'package.json')],
      report: { kind: 'jest', file: 'package.json' },
    },
    {
      name: 'Python examples',
      before: existsSync(inVenv(venv, 'pytest'))
        ? []
        : [
            [windows ? 'python' : 'python3', '-m', 'venv', venv],
            [
              inVenv(venv, 'python'),
              ...['-m', 'pip', 'install', '-q', '-r', join(root, 'test/python/requirements.txt')],
            ],
          ],
      command: [
        inVenv(venv, 'python'),
        ...['-m', 'pytest', '-q', 'test/python', `--junitxml=${join(reports, 'pytest.xml')}`],
      ],
      report: { kind: 'junit', file: 'pytest.xml' },
    },
    {
      name: 'QuPath plugin on a JVM',
      command: ['node', 'test/plugins/qupath/run.mjs', '--report', join(reports, 'qupath.json')],
      report: { kind: 'counts', file: 'qupath.json' },
    },
    {
      name: 'napari plugin and Python client',
      command: ['node', 'plugins/napari-py/test/run.mjs', '--junit', join(reports, 'napari.xml')],
      report: { kind: 'junit', file: 'napari.xml' },
    },
  ];
}
