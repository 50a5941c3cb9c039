import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../packageFiles';
import { findOpenSlide } from '../../services/images/openSlide/openSlide';
import { openSlideSearch, type Surroundings } from '../command';
import { EXTENSION_JAR, qupathUserFolders } from '../qupathFolders';
import { note, ok, problem, type Finding } from './finding';

/** Plugins and optional libraries. None of them is needed by the server itself, so a missing one is a note. */
export async function pluginChecks(around: Surroundings, home: string): Promise<Finding[]> {
  return [qupath(home), napari(around), await openSlide(around)];
}

/** The extension in QuPath's user folders, where `sampo plugin install qupath` puts it, against the one of this package. */
function qupath(home: string): Finding {
  const folders = qupathUserFolders(home);
  const advice = 'sampo plugin install qupath';
  if (folders.length === 0) return note('QuPath', 'no user folder of QuPath 0.5 or newer found', advice);
  const installed = folders
    .map((folder) => join(folder, 'extensions', EXTENSION_JAR))
    .filter((path) => existsSync(path));
  if (installed.length === 0)
    return note('QuPath', `used here (${folders.join(', ')}), without the plugin`, advice);
  const shipped = join(PACKAGE_ROOT, 'plugins', 'qupath-groovy', EXTENSION_JAR);
  const other = installed.filter((path) => !readFileSync(path).equals(readFileSync(shipped)));
  if (other.length > 0)
    return problem('QuPath', `the plugin of another version at ${other.join(' and ')}`, advice);
  return ok('QuPath', `plugin of this version at ${installed.join(' and ')}`);
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
  const advice = 'sampo plugin install napari --python PATH, or activate the environment that has napari';
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
