import { existsSync, readFileSync } from 'node:fs';

/** JSON of `jest --json`. A suite that could not be run is one failure. */
function jest(text) {
  const report = JSON.parse(text);
  return { passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
}

/** JUnit XML, as pytest and others write it; skipped tests count as neither. Suites within suites are counted once. */
function junit(text) {
  const cases = [...text.matchAll(/<testcase\b[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g)].map(
    ([, inside]) => inside ?? '',
  );
  const bad = cases.filter((inside) => /<(failure|error)\b/.test(inside)).length;
  const skipped = cases.filter(
    (inside) => /<skipped\b/.test(inside) && !/<(failure|error)\b/.test(inside),
  ).length;
  return { passed: cases.length - bad - skipped, failed: bad };
}

const READERS = { jest, junit };

/**
 * Figures of one runner, `{ passed, failed }`. One that ended with an error and reports no failure, or that left no report, or
 * one that cannot be read, is one failure.
 */
export function figures(path, kind, status) {
  let counted = { passed: 0, failed: 0 };
  let readable = existsSync(path);
  if (readable)
    try {
      counted = READERS[kind](readFileSync(path, 'utf8'));
    } catch (error) {
      console.error(`${path} cannot be read: ${error}`);
      readable = false;
    }
  if ((status !== 0 || !readable) && counted.failed === 0) counted = { ...counted, failed: 1 };
  return counted;
}
