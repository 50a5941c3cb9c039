import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server of the built command line (`npm run build`), as a process of its own. */
export interface BuiltServer {
  readonly child: ChildProcess;
  readonly connectionFile: string;
  /** From the start of the process to the line that says where it listens. */
  readonly milliseconds: number;
}

/** Starts `sampo serve`. @param node options of Node, e.g. `--cpu-prof` @param roots folders that it may read */
export async function startBuilt(
  stateFolder: string,
  { roots = [], node = [] }: { readonly roots?: readonly string[]; readonly node?: readonly string[] } = {},
): Promise<BuiltServer> {
  const begin = performance.now();
  const main = join(__dirname, '../dist/main.js');
  const args = [main, 'serve', '--json', '--device', 'cpu', '--state', stateFolder];
  const child = spawn(process.execPath, [...node, ...args, ...roots.flatMap((root) => ['--root', root])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!child.stdout) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('{')) continue; // an option of Node that prints
    const { connectionFile } = JSON.parse(line) as { connectionFile: string };
    return { child, connectionFile, milliseconds: performance.now() - begin };
  }
  throw new Error('the server did not start');
}

/** Ends the server by SIGTERM and waits for it. */
export async function stopBuilt({ child }: BuiltServer): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Milliseconds of each of `repeats` runs, one after another. */
export async function series(repeats: number, work: (repeat: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) times.push(await timed(() => work(repeat)));
  return times;
}

/** The value below which a share of the times lies. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Largest resident set a process ever had, bytes (Linux); NaN elsewhere. */
export function peakResidentBytes(pid: number | undefined): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

/** What every record says of where and when it was made. */
export function circumstances() {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      node: process.version,
      loadAverage: loadavg()[0],
    },
  };
}
