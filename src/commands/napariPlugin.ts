import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BridgeError } from '../errors';
import { PACKAGE_ROOT } from '../packageFiles';
import type { Surroundings } from './command';

/** Which Python gets the plugin: one that is there (the environment of napari), or a new environment with napari in it. */
export type PythonChoice = { readonly python: string } | { readonly newEnvironment: string };

/** `sampo plugin install napari`. @throws BridgeError `FileNotFound` for a Python that is not there, `DownloadFailed` when pip fails */
export async function installNapariPlugin(choice: PythonChoice, around: Surroundings): Promise<void> {
  const python = 'python' in choice ? choice.python : await environment(choice.newEnvironment, around);
  // Built from a copy: the package may lie where nobody may write, and pip writes beside what it builds.
  const copy = mkdtempSync(join(tmpdir(), 'sampo-napari-'));
  try {
    cpSync(join(PACKAGE_ROOT, 'plugins', 'napari-py'), copy, {
      recursive: true,
      filter: (path) => !path.includes(`${join('napari-py', '.venv')}`),
    });
    const wanted = 'python' in choice ? [copy] : [`${copy}[all]`];
    await pip(python, ['install', '--upgrade', ...wanted], around);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  const napari = process.platform === 'win32' ? 'Scripts\\napari' : 'bin/napari';
  around.out(
    'newEnvironment' in choice
      ? `Start napari with ${join(resolve(choice.newEnvironment), napari)}; the panel is in its menu Plugins > SAMPO.\n`
      : 'Start napari again: the panel is in its menu Plugins > SAMPO.\n',
  );
}

/** `sampo plugin uninstall napari`: takes the plugin out of an environment. */
export async function uninstallNapariPlugin(python: string, around: Surroundings): Promise<void> {
  await pip(python, ['uninstall', '--yes', 'napari-sampo'], around);
}

/** The Python of a new environment. */
async function environment(folder: string, around: Surroundings): Promise<string> {
  const python = join(
    resolve(folder),
    process.platform === 'win32' ? join('Scripts', 'python.exe') : 'bin/python',
  );
  if (!existsSync(python))
    await run(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', resolve(folder)], around, {
      failed: `no environment could be made in ${folder}`,
      hint: 'install Python 3.10 or newer with venv (Debian: apt-get install python3-venv)',
    });
  return python;
}

function pip(python: string, args: readonly string[], around: Surroundings): Promise<void> {
  return run(python, ['-m', 'pip', ...args], around, {
    failed: `pip ${args[0]} failed`,
    hint: 'its own words stand above; it needs the Python package index, and write permission in the environment',
  });
}

/** Runs a program, and passes on what it says. */
function run(
  program: string,
  args: readonly string[],
  around: Surroundings,
  told: { readonly failed: string; readonly hint: string },
): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { signal: around.signal, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (text: Buffer) => around.out(text.toString('utf8')));
    child.stderr.on('data', (text: Buffer) => around.err(text.toString('utf8')));
    child.on('error', (error: NodeJS.ErrnoException) =>
      fail(
        error.code === 'ENOENT'
          ? new BridgeError('FileNotFound', `there is no ${program}`, {
              hint: 'name the Python of napari with --python PATH, or make a new environment with --new DIR',
            })
          : error,
      ),
    );
    child.on('close', (code) =>
      code === 0
        ? done()
        : fail(new BridgeError('DownloadFailed', `${told.failed} (${code ?? 'ended'})`, { hint: told.hint })),
    );
  });
}
