import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../..');
export const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string })
  .version;

/** What `npm pack` made for this run. */
export function packed(): string {
  const path = process.env['SAMPO_PACKED'];
  if (path === undefined) throw new Error('run these tests with: npx jest --config jest.package.config.cjs');
  return path;
}

/** A new folder whose path has spaces and an umlaut. */
export function awkwardFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sampo Käfer und Würmer '));
}

/** Surroundings of a user who has set nothing: no variable of npm, of these tests or of SAMPO. */
export function plainSurroundings(home: string, path: string): NodeJS.ProcessEnv {
  const kept = ['TMPDIR', 'SystemRoot', 'ComSpec', 'PATHEXT', 'TEMP', 'TMP', 'npm_config_cache'];
  return {
    ...Object.fromEntries(
      kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    HOME: home,
    PATH: path,
  };
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One way to start the `sampo` under test. */
export interface Sampo {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export function run({ command, args, cwd, env }: Sampo, more: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(command, [...args, ...more], { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Starts `sampo serve --json` and waits until it says where it listens. */
export function serve({ command, args, cwd, env }: Sampo, more: readonly string[]): Promise<ChildProcess> {
  const child = spawn(command, [...args, 'serve', '--json', ...more], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`sampo serve ended with ${code}: ${complaint}`)));
    child.stdout.once('data', () => resolve(child));
  });
}
