#!/usr/bin/env node
import './nodeVersion';
import { runCommandLine } from './commands/run';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

void runCommandLine(process.argv.slice(2), {
  env: process.env,
  platform: process.platform,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  interactive: process.stderr.isTTY,
  signal: interrupted.signal,
}).then((code) => {
  // A pipe may still hold output: exit once it is written.
  process.stdout.write('', () => process.exit(code));
});
