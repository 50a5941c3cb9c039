import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { BridgeError } from '../errors';
import { PACKAGE_ROOT } from '../packageFiles';
import { EXIT, readOptions, stateFolder, UsageError, type Command, type Surroundings } from './command';
import { installNapariPlugin, uninstallNapariPlugin } from './napariPlugin';
import { EXTENSION_JAR as JAR, isFolder, qupathUserFolders, userFolderOf } from './qupathFolders';

/** Below QuPath's folder of scripts; QuPath lists it in its menu. */
const SCRIPTS = join('scripts', 'SAMPO');
/** In the state folder: how the plugin starts the server, one word of the command a line. */
const START_COMMAND = 'start-command.txt';

const OPTIONS = {
  to: { type: 'string' },
  python: { type: 'string' },
  new: { type: 'string' },
  state: { type: 'string' },
} as const;

/** `sampo plugin` */
export const plugin: Command = {
  name: 'plugin',
  options: OPTIONS,
  help: `usage: sampo plugin install qupath [--to DIR]
       sampo plugin uninstall qupath [--to DIR]
       sampo plugin install napari --python PATH | --new DIR
       sampo plugin uninstall napari --python PATH

qupath: install puts the extension into the user folder of every QuPath (0.5 to 0.7) of this account, and the three scripts beside it,
and notes how the plugin starts the server. Run again, it brings what is newer and leaves the rest. QuPath shows the button
SAMPO from its next start on.

uninstall takes away what install has put there; a script that you have changed stays.

napari: install puts the panel and the client for scripts into the Python environment that has napari, or makes a new one with
napari in it. It needs the Python package index. uninstall takes it out again.

  --to DIR     QuPath's user folder, where it is not found by itself (in QuPath: Edit > Preferences > QuPath user directory)
  --python PATH  the Python of the environment that has napari
  --new DIR    a new environment, with napari in it
  --state DIR  state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 done, 1 failed, 2 wrong use`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const [verb, viewer, ...rest] = positionals;
    if ((verb !== 'install' && verb !== 'uninstall') || rest.length > 0)
      throw new UsageError('plugin takes "install" or "uninstall", and qupath or napari');
    if (viewer === 'napari') {
      await napari(verb, values, around);
      return EXIT.ok;
    }
    if (viewer !== 'qupath')
      throw new UsageError(`there is no plugin for "${viewer ?? ''}" to ${verb}: only for qupath and napari`);
    const folders =
      values.to === undefined ? qupathUserFolders(homedir()) : [userFolderOf(resolve(values.to))];
    const state = stateFolder(values.state, around);
    if (verb === 'install') install(folders, state, around);
    else uninstall(folders, state, around);
    return EXIT.ok;
  },
};

/** @throws UsageError, and what `installNapariPlugin` throws */
async function napari(
  verb: 'install' | 'uninstall',
  {
    python,
    new: newEnvironment,
  }: { readonly python?: string | undefined; readonly new?: string | undefined },
  around: Surroundings,
): Promise<void> {
  if ((python === undefined) === (newEnvironment === undefined))
    throw new UsageError('say which environment: --python PATH, or --new DIR for one with napari in it');
  if (verb === 'install')
    return installNapariPlugin(
      python === undefined ? { newEnvironment: newEnvironment! } : { python },
      around,
    );
  if (python === undefined) throw new UsageError('uninstall takes --python PATH');
  return uninstallNapariPlugin(python, around);
}

function install(folders: readonly string[], state: string, around: Surroundings): void {
  const jar = shipped(JAR);
  if (folders.length === 0)
    throw new BridgeError('FileNotFound', 'no user folder of QuPath 0.5 or newer was found', {
      hint: `name it with --to DIR (in QuPath: Edit > Preferences > QuPath user directory), or drag this file onto QuPath's window: ${jar}`,
    });
  for (const folder of folders) {
    if (!isFolder(folder))
      throw new BridgeError('FileNotFound', `${folder} is no folder`, {
        hint: "name QuPath's user folder with --to; QuPath makes it when it asks for it, or make it and name it in QuPath's preferences",
      });
    around.out(`${folder}\n`);
    say(around, put(jar, join(folder, 'extensions'), JAR), join('extensions', JAR));
    for (const script of scripts())
      say(
        around,
        put(shipped(join('scripts', script)), join(folder, SCRIPTS), script),
        join(SCRIPTS, script),
      );
  }
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(state, START_COMMAND),
    `${process.execPath}\n${join(PACKAGE_ROOT, 'dist', 'main.js')}\n`,
  );
  around.out(
    'Start QuPath, or start it again: the button SAMPO is in its toolbar. It starts the server by itself.\n',
  );
}

function uninstall(folders: readonly string[], state: string, around: Surroundings): void {
  for (const folder of folders) {
    const present = [join('extensions', JAR), ...scripts().map((script) => join(SCRIPTS, script))].filter(
      (name) => existsSync(join(folder, name)),
    );
    around.out(`${folder}\n${present.length === 0 ? '  nothing of SAMPO is there\n' : ''}`);
    for (const name of present) {
      const changed =
        name.endsWith('.groovy') &&
        !same(join(folder, name), shipped(join('scripts', name.slice(SCRIPTS.length + 1))));
      if (!changed) change(() => rmSync(join(folder, name)), join(folder, name));
      around.out(`  ${changed ? 'kept, since you have changed it:' : 'removed'} ${name}\n`);
    }
    const left = join(folder, SCRIPTS);
    if (isFolder(left) && readdirSync(left).length === 0) rmdirSync(left);
  }
  rmSync(join(state, START_COMMAND), { force: true });
  if (folders.length === 0) around.out('No user folder of QuPath was found: nothing to remove.\n');
}

/** A file of the plugin as it ships. @throws BridgeError `FileNotFound` when the package is not whole */
function shipped(name: string): string {
  const path = join(PACKAGE_ROOT, 'plugins', 'qupath-groovy', name);
  if (!existsSync(path))
    throw new BridgeError('FileNotFound', `the package lacks ${path}`, { hint: 'install it again' });
  return path;
}

function scripts(): string[] {
  return readdirSync(shipped('scripts')).filter((name) => name.endsWith('.groovy'));
}

function put(from: string, folder: string, name: string): 'brought' | 'replaced' | 'left' {
  const to = join(folder, name);
  const before = existsSync(to);
  if (before && same(from, to)) return 'left';
  change(() => {
    mkdirSync(folder, { recursive: true });
    copyFileSync(from, to);
  }, to);
  return before ? 'replaced' : 'brought';
}

function same(a: string, b: string): boolean {
  return readFileSync(a).equals(readFileSync(b));
}

/** @throws BridgeError `StoreReadOnly` where the file may not be written, or QuPath holds it */
function change(work: () => void, path: string): void {
  try {
    work();
  } catch (error) {
    throw new BridgeError('StoreReadOnly', `${path} cannot be changed: ${(error as Error).message}`, {
      hint: 'close QuPath, check the permissions of the folder, then run this again',
    });
  }
}

function say(around: Surroundings, what: 'brought' | 'replaced' | 'left', name: string): void {
  around.out(
    `  ${{ brought: 'brought', replaced: 'replaced the older', left: 'already there:' }[what]} ${name}\n`,
  );
}
