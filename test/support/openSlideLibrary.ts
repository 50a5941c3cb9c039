import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The library that the tests use, fetched into `.cache/` at the first call of the first run. */
export function testLibrary(): string {
  const script = join(__dirname, '../../scripts/fetchOpenSlide.mjs');
  return execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
}
