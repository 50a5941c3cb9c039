import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where OpenSlide is looked for. */
export interface LibrarySearch {
  /** The library, or its folder, as the user named it; nothing else is then tried. */
  readonly named?: string | undefined;
  /** Node's name of the platform. */
  readonly platform: NodeJS.Platform;
  /** Environment and home folder: OpenSlide comes with Python and Conda environments too. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** File names of OpenSlide 4 and, last, of OpenSlide 3, which is looked for only to be told apart from none. */
const NAMES: Readonly<Partial<Record<NodeJS.Platform, readonly [current: string, older: string]>>> = {
  win32: ['libopenslide-1.dll', 'libopenslide-0.dll'],
  darwin: ['libopenslide.1.dylib', 'libopenslide.0.dylib'],
};
const UNIX_NAMES = ['libopenslide.so.1', 'libopenslide.so.0'] as const;

/** Libraries to try, best first: paths, and plain names that the system's loader looks up. */
export async function libraryCandidates(search: LibrarySearch): Promise<readonly string[]> {
  const { named, platform } = search;
  const [current, older] = NAMES[platform] ?? UNIX_NAMES;
  if (named !== undefined) return [(await isFolder(named)) ? join(named, current) : named];
  const system = platform === 'darwin' ? ['/opt/homebrew/lib', '/usr/local/lib'] : [];
  const folders = [...system, ...(await environmentFolders(search))];
  const paths = folders.map((folder) => join(folder, current));
  const there = await Promise.all(paths.map(isFile));
  return [current, ...paths.filter((_, index) => there[index]), older];
}

/** Folders where Conda's `openslide` and pip's `openslide-bin` put the library. */
async function environmentFolders({ env, home, platform }: LibrarySearch): Promise<string[]> {
  const { CONDA_PREFIX: conda, VIRTUAL_ENV: virtual, APPDATA: roaming } = env;
  const windows = platform === 'win32';
  const environments = [virtual, conda].filter((folder) => folder !== undefined);
  const packages: string[] = [];
  if (windows) packages.push(...environments.map((folder) => join(folder, 'Lib', 'site-packages')));
  else
    for (const folder of [...environments, join(home, '.local'), '/usr/local'])
      packages.push(...(await pythonPackages(join(folder, 'lib'))));
  const roamingPackages =
    windows && roaming !== undefined ? await pythonPackages(join(roaming, 'Python')) : [];
  const condaLibraries =
    conda === undefined ? [] : [windows ? join(conda, 'Library', 'bin') : join(conda, 'lib')];
  return [
    ...condaLibraries,
    ...[...packages, ...roamingPackages].map((folder) => join(folder, 'openslide_bin')),
  ];
}

/** `site-packages` and Debian's `dist-packages` of each Python 3 below `folder`, the newest first. */
async function pythonPackages(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  return entries
    .filter((name) => /^python3/i.test(name))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .flatMap((name) => [join(folder, name, 'site-packages'), join(folder, name, 'dist-packages')]);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
