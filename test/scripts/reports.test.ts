import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'sampo-reports-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = pathToFileURL(join(__dirname, '../../scripts/testing/reports.mjs')).href;

/** What `npm test` counts for a runner that left this report and ended with this status. */
function counted(kind: 'jest' | 'junit', report: string | undefined, status: number): unknown {
  const path = join(folder, 'report');
  rmSync(path, { force: true });
  if (report !== undefined) writeFileSync(path, report);
  const code = `const { figures } = await import(${JSON.stringify(MODULE)});
    console.log(JSON.stringify(figures(${JSON.stringify(path)}, '${kind}', ${status})))`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed);
}

const PYTEST = `<?xml version="1.0"?><testsuites tests="4"><testsuite name="pytest" tests="4" failures="1" errors="1" skipped="1">
<testcase name="a" time="0.1" /><testcase name="b"><failure message="x &gt; y">text</failure></testcase>
<testcase name="c"><skipped message="not here"/></testcase><testcase name="d"><error>setup</error></testcase>
</testsuite></testsuites>`;
const JEST = JSON.stringify({ numPassedTests: 7, numFailedTests: 0, numRuntimeErrorTestSuites: 0 });

test.each([
  ['jest', 'all well', JEST, 0, { passed: 7, failed: 0 }],
  ['jest', 'no failure in the report, but an ending with an error', JEST, 1, { passed: 7, failed: 1 }],
  [
    'jest',
    'a suite that could not be run',
    JEST.replace('Suites":0', 'Suites":2'),
    1,
    { passed: 7, failed: 2 },
  ],
  ['jest', 'a report that was cut', JEST.slice(0, 20), 0, { passed: 0, failed: 1 }],
  ['junit', 'passed, failed, skipped and broken', PYTEST, 1, { passed: 1, failed: 2 }],
  ['junit', 'no report at all', undefined, 0, { passed: 0, failed: 1 }],
] as const)('%s: %s', (kind, _, report, status, expected) => {
  expect(counted(kind, report, status)).toEqual(expected);
});
