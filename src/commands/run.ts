import { isBridgeError } from '../errors';
import { EXIT, UsageError, type Command, type Surroundings } from './command';
import { bench } from './bench';
import { checkpoints } from './checkpoints';
import { demo } from './demo';
import { explain } from './explain';
import { intents } from './intents';
import { models } from './models';
import { judge } from './judge';
import { refine } from './refine';
import { segment } from './segment';
import { serve } from './serve';
import { call, status, stop } from './talk';
import { train } from './train';

const COMMANDS: readonly Command[] = [
  segment,
  intents,
  judge,
  refine,
  checkpoints,
  models,
  serve,
  status,
  stop,
  call,
  train,
  bench,
  demo,
];

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: sampo COMMAND [options]

Click a few nuclei, get all nuclei of that type: a local server for QuPath, napari and scripts.

${lines.join('\n')}

sampo COMMAND --help tells more.
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
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) {
    around.err(`sampo: no command "${name}"\n\n${overview()}`);
    return EXIT.usage;
  }
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
