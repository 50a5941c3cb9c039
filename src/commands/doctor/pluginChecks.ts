import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findOpenSlide } from '../../services/images/openSlide/openSlide';
import { openSlideSearch, type Surroundings } from '../command';
import { note, ok, problem, type Finding } from './finding';

/** Plugins and optional libraries. None of them is needed by the server itself, so a missing one is a note. */
export async function pluginChecks(around: Surroundings, home: string): Promise<Finding[]> {
  return [qupath(home), napari(around), await openSlide(around)];
}

/** QuPath keeps what users add in `~/QuPath` or `~/QuPath/vX.Y`; a plugin that we put there says its version in sampo.json. */
function qupath(home: string): Finding {
  const root = join(home, 'QuPath');
  const folders = existsSync(root)
    ? [root, ...subfolders(root).filter((path) => /[\\/]v\d[^\\/]*$/.test(path))]
    : [];
  const installed = folders.flatMap((folder) =>
    subfolders(folder)
      .filter((path) => /[\\/](extensions|scripts|sampo)$/.test(path))
      .flatMap((path) =>
        [path, ...subfolders(path)].flatMap((place) =>
          readdirSync(place)
            .filter((name) => /^(qupath-)?sampo.*\.(groovy|jar)$/i.test(name))
            .map((name) => `${join(place, name)}${versionBeside(place)}`),
        ),
      ),
  );
  if (installed.length > 0) return ok('QuPath', `plugin at ${installed.join(' and ')}`);
  return note(
    'QuPath',
    folders.length > 0
      ? `used here (${root}), without the plugin`
      : `no user folder of QuPath found (${root})`,
    'the plugin lies in the package below plugins/',
  );
}

function subfolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

function versionBeside(folder: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'sampo.json'), 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? `, version ${version}` : '';
  } catch {
    return '';
  }
}

const ASK_PYTHON = `
import importlib.metadata as metadata, sys
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(sys.prefix, version("napari"), version("napari-sampo"), sep="\\n")
`;

/** napari and its plugin, in the Python that this shell would start. */
function napari({ env, platform }: Surroundings): Finding {
  const program = platform === 'win32' ? 'python' : 'python3';
  const { status, stdout } = spawnSync(program, ['-c', ASK_PYTHON], {
    env: { ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status !== 0) return note('napari', `no Python found (${program})`);
  const [prefix = '', viewer = 'None', plugin = 'None'] = stdout.trim().split(/\r?\n/);
  const advice = 'the plugin lies in the package below plugins/; activate the environment that has napari';
  if (plugin !== 'None')
    return ok('napari', `napari-sampo ${plugin} in ${prefix}${viewer === 'None' ? ', without napari' : ''}`);
  return viewer === 'None'
    ? note('napari', `not in ${prefix}`, advice)
    : note('napari', `${viewer} in ${prefix}, without napari-sampo`, advice);
}

/** OpenSlide reads slides of scanners; found, too old, broken or missing as the server itself would say it. */
async function openSlide(around: Surroundings): Promise<Finding> {
  const search = openSlideSearch(undefined, around);
  const { state, message, hint } = await findOpenSlide(search);
  if (state === 'found') return ok('OpenSlide', message);
  // Who names a library means it to be used.
  const report = search.named === undefined ? note : problem;
  return report('OpenSlide', message, `needed only for slides of scanners (NDPI, MRXS, SCN …): ${hint}`);
}
