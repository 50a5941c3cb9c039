import { parseArgs, type ParseArgsConfig } from 'node:util';
import { homedir } from 'node:os';
import type { LibrarySearch } from '../services/images/openSlide/librarySearch';
import { defaultStateFolder } from '../store/stateFolder';

/** Exit codes of `sampo`; documented in every --help. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noServer: 3, cancelled: 130 } as const;

/** A misuse of the command line: told with the command's help, exit code 2. */
export class UsageError extends Error {}

/** What a command may touch of its surroundings. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  out(text: string): void;
  err(text: string): void;
  /** Standard error is a terminal: what is written may be redrawn. */
  readonly interactive?: boolean;
  /** Aborted by Ctrl-C or a request to end. */
  readonly signal: AbortSignal;
}

/** Options of a command, by name. */
export type CommandOptions = NonNullable<ParseArgsConfig['options']>;

/** One subcommand. */
export interface Command {
  readonly name: string;
  readonly help: string;
  /** Every option it takes; its help names each. */
  readonly options: CommandOptions;
  run(argv: string[], around: Surroundings): Promise<number>;
}

/** Reads options strictly. @throws UsageError for an unknown flag or a missing value */
export function readOptions<T extends CommandOptions>(argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The state folder: --state, SAMPO_STATE, or the system's usual place. */
export function stateFolder(option: string | undefined, around: Surroundings): string {
  const { env, platform } = around;
  return option ?? setting(around, 'SAMPO_STATE') ?? defaultStateFolder(platform, env, homedir());
}

/** A setting of the environment; an empty one is none. */
export function setting({ env }: Surroundings, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** Where OpenSlide is looked for: --openslide, SAMPO_OPENSLIDE, else the system and the Python environments. */
export function openSlideSearch(option: string | undefined, around: Surroundings): LibrarySearch {
  const { env, platform } = around;
  return { named: option ?? setting(around, 'SAMPO_OPENSLIDE'), platform, env, home: homedir() };
}
