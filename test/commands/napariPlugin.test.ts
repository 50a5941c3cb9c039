import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Surroundings } from '../../src/commands/command';
import { installNapariPlugin, uninstallNapariPlugin } from '../../src/commands/napariPlugin';

const folder = mkdtempSync(join(tmpdir(), 'sampo-napari-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that stands for a Python: notes what it is asked, lists the folder it is to install, and ends with `code`. */
function python(path: string, code = 0): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `#!/bin/sh\necho "$@" >> '${folder}/asked'\nfor last; do :; done\nls "\${last%%[*}" 2>/dev/null\necho some words >&2\nexit ${code}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

function around(): Surroundings & { said: string[] } {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  return {
    env: {},
    platform: process.platform,
    out: say,
    err: say,
    signal: new AbortController().signal,
    said,
  };
}

const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n').at(-1)!;

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('the plugin is built from a copy of the package, which is gone afterwards', async () => {
  const here = around();
  await installNapariPlugin({ python: python(join(folder, 'python')) }, here);
  const [, copy] = /-m pip install --upgrade (\S+)$/.exec(asked())!;
  expect(existsSync(copy!)).toBe(false);
  const said = here.said.join('');
  expect(said).toContain('pyproject.toml');
  expect(said).not.toContain('.venv');
  expect(said).toContain('Start napari again');
});

onPosix('a new environment gets napari too', async () => {
  const here = around();
  python(join(folder, 'env', 'bin', 'python'));
  await installNapariPlugin({ newEnvironment: join(folder, 'env') }, here);
  expect(asked()).toMatch(/-m pip install --upgrade \S+\[all\]$/);
  expect(here.said.join('')).toContain(join(folder, 'env', 'bin/napari'));
});

onPosix('a Python that is not there and a pip that fails are told apart', async () => {
  await expect(installNapariPlugin({ python: join(folder, 'no-python') }, around())).rejects.toMatchObject({
    errorName: 'FileNotFound',
    data: { hint: expect.stringContaining('--python') as string },
  });
  const here = around();
  await expect(installNapariPlugin({ python: python(join(folder, 'bad'), 3) }, here)).rejects.toMatchObject({
    errorName: 'DownloadFailed',
    message: 'pip install failed (3)',
  });
  expect(here.said.join('')).toContain('some words');
});

onPosix('uninstalling takes the plugin alone', async () => {
  await uninstallNapariPlugin(python(join(folder, 'python')), around());
  expect(asked()).toBe('-m pip uninstall --yes napari-sampo');
});
