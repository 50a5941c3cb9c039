import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The extension, in the package and below a user folder's `extensions`. */
export const EXTENSION_JAR = 'qupath-extension-sampo.jar';
/** Oldest QuPath that the plugin runs in. */
const OLDEST_MINOR = 5;

/**
 * QuPath's user folders of this account, each version's own: what QuPath itself noted (Linux keeps it in readable files), and
 * the places it proposes, `~/QuPath/v0.5` and so on. Folders that are not there are left out.
 */
export function qupathUserFolders(home: string): string[] {
  const proposed = entries(join(home, 'QuPath'))
    .filter((name) => Number(/^v0\.(\d+)$/.exec(name)?.[1] ?? -1) >= OLDEST_MINOR)
    .map((name) => join(home, 'QuPath', name));
  const noted = preferenceFiles(join(home, '.java', '.userPrefs')).flatMap(notedUserFolders);
  return [...new Set([...proposed, ...noted])].filter(isFolder).sort();
}

/** The user folder that a person means who names it, or the folder of extensions in it. */
export function userFolderOf(named: string): string {
  return basename(named) === 'extensions' ? dirname(named) : named;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Java writes one prefs.xml for each node; QuPath's hold an entry `userPath`. */
function notedUserFolders(file: string): string[] {
  const value = /<entry key="userPath" value="([^"]*)"/.exec(readFileSync(file, 'utf8'))?.[1];
  return value === undefined ? [] : [unescapeXml(value)];
}

function preferenceFiles(folder: string): string[] {
  return entries(folder).flatMap((name) => {
    const path = join(folder, name);
    if (isFolder(path)) return preferenceFiles(path);
    return name === 'prefs.xml' ? [path] : [];
  });
}

function unescapeXml(text: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? '');
}

function entries(folder: string): string[] {
  return isFolder(folder) ? readdirSync(folder) : [];
}
