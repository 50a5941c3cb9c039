/**
 * The size of the house: lines of source files, the start of `sampo --help` over bare Node, `npm pack`, and `npm ci` beside another
 * commit's, the two in turns. `npm run build`, then `node -r ./scripts/swcRegister.cjs bench/house.ts [--beside COMMIT] >
 * bench/records/house.json`. Aims: help 0.15 s over bare Node, no import circle (`test/architecture.test.ts`).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { circumstances, quantile } from './builtServer';

const { values } = parseArgs({
  options: { beside: { type: 'string' }, repeats: { type: 'string', default: '15' } },
});
const ROOT = resolve(__dirname, '..');
const LONG = 250;

/** The output of a program that must succeed. */
function output(program: string, args: readonly string[], cwd = ROOT): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function milliseconds(program: string, args: readonly string[], cwd = ROOT): number {
  const begin = performance.now();
  output(program, args, cwd);
  return Math.round(performance.now() - begin);
}

/** Written source files, longest first; generated ones are left out. */
function sourceFiles(): { path: string; lines: number }[] {
  return output('git', ['ls-files', 'src', 'bench', 'scripts', 'test', 'plugins', 'training'])
    .split('\n')
    .filter((path) => /\.(ts|mjs|py|groovy)$/.test(path) && !/[._]gen\.|_pb\./.test(path))
    .map((path) => ({ path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines);
}

/** Median milliseconds, in turns: both meet the same load. */
function helpStart(repeats: number): { bareNode: number; help: number; over: number } {
  const times = Array.from({ length: repeats }, () => ({
    bareNode: milliseconds(process.execPath, ['-e', '0']),
    help: milliseconds(process.execPath, ['dist/main.js', '--help']),
  }));
  const bareNode = quantile(
    times.map((time) => time.bareNode),
    0.5,
  );
  const help = quantile(
    times.map((time) => time.help),
    0.5,
  );
  return { bareNode, help, over: help - bareNode };
}

/** Seconds of `npm ci` in clean checkouts, three turns, from npm's cache. */
function installs(commits: readonly string[]): Record<string, number[]> {
  const folders = commits.map((commit) => {
    const folder = mkdtempSync(join(tmpdir(), 'sampo-house-'));
    output('git', ['worktree', 'add', '--detach', folder, commit]);
    return { commit, folder };
  });
  try {
    const seconds: Record<string, number[]> = {};
    for (let turn = 0; turn < 3; turn++)
      for (const { commit, folder } of folders)
        (seconds[commit] ??= []).push(
          milliseconds('npm', ['ci', '--prefer-offline', '--silent'], folder) / 1000,
        );
    return seconds;
  } finally {
    for (const { folder } of folders) {
      output('git', ['worktree', 'remove', '--force', folder]);
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

const files = sourceFiles();
const product = files.filter(({ path }) => path.startsWith('src/'));
const [pack] = JSON.parse(output('npm', ['pack', '--dry-run', '--json'])) as {
  size: number;
  unpackedSize: number;
  entryCount: number;
}[];
const head = output('git', ['rev-parse', '--short', 'HEAD']).trim();
const record = {
  what: 'Size and start of the product; milliseconds are medians, in turns.',
  command: `node -r ./scripts/swcRegister.cjs bench/house.ts${values.beside === undefined ? '' : ` --beside ${values.beside}`}`,
  ...circumstances(),
  files: {
    product: product.length,
    longest: product.slice(0, 5),
    above250: files.filter(({ lines }) => lines > LONG),
  },
  helpMilliseconds: helpStart(Number(values.repeats)),
  packBytes: pack && { zipped: pack.size, unpacked: pack.unpackedSize, files: pack.entryCount },
  installSeconds: values.beside === undefined ? null : installs([values.beside, head]),
};
process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
