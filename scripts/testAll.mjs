// Every test of the project: the rows of testing/runners.mjs, one after the other. Closes with one line, `N passed, N failed`,
// summed from the runners' own reports.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { figures } from './testing/reports.mjs';
import { runners } from './testing/runners.mjs';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'reports');

function run([command, ...args]) {
  console.log(`\n> ${command} ${args.join(' ')}`);
  const shell = process.platform === 'win32';
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell });
  if (error) console.error(String(error));
  return status ?? 1;
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const results = runners(root, reports).map(({ name, before = [], command, report }) => {
  const start = performance.now();
  const ready = before.every((step) => run(step) === 0);
  const status = ready ? run(command) : 1;
  const counted = report
    ? figures(join(reports, report.file), report.kind, status)
    : { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
  return { name, ...counted, seconds: (performance.now() - start) / 1000 };
});

console.log('');
for (const { name, passed, failed, seconds } of results)
  console.log(`${name.padEnd(40)} ${passed} passed, ${failed} failed, ${seconds.toFixed(0)} s`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
