import { isBridgeError } from '../errors';
import { packageVersion } from '../packageFiles';
import { EXIT, UsageError, type Command, type Surroundings } from './command';
import { explain } from './explain';
import { COMMANDS } from './table';

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: sampo COMMAND [options]

Click a few nuclei, get all nuclei of that type: a local server for QuPath, napari and scripts.

${lines.join('\n')}

sampo COMMAND --help tells more; sampo --version says which version this is.
exit codes: 0 done, 1 failed, 2 wrong use, 3 no server runs, 130 interrupted
`;
}

const NO_SERVER = new Set(['NoServer', 'ConnectionRefused', 'TokenRefused']);

/** Runs a command line and resolves to its exit code. Errors go to standard error as one sentence and one hint. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    around.out(overview());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === '--version' || name === 'version') {
    around.out(`${packageVersion()}\n`);
    return EXIT.ok;
  }
  const row = COMMANDS.find((candidate) => candidate.name === name);
  if (!row) {
    around.err(`sampo: no command "${name}"\n\n${overview()}`);
    return EXIT.usage;
  }
  const command = row.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    around.out(`${command.help}\n`);
    return EXIT.ok;
  }
  try {
    return await command.run(rest, around);
  } catch (error) {
    return tell(error, command, around);
  }
}

function tell(error: unknown, command: Command, around: Surroundings): number {
  if (error instanceof UsageError) {
    around.err(`sampo ${command.name}: ${error.message}\n\n${command.help}\n`);
    return EXIT.usage;
  }
  around.err(`sampo ${command.name}: ${explain(error)}`);
  if (around.signal.aborted) return EXIT.cancelled;
  return isBridgeError(error) && NO_SERVER.has(error.errorName) ? EXIT.noServer : EXIT.failed;
}
