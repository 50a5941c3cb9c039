import { BridgeError } from '../../../errors';

/** A folder as the server spells it, and the same folder as this machine does. */
export interface PathMap {
  readonly from: string;
  readonly to: string;
}

/** How absolute folders begin: `/data`, `Z:\data`, `Z:/data`, `\\server\share`. */
const ABSOLUTE = /^(\/|[a-z]:[\\/]|[a-z]:$|\\\\)/i;

/**
 * `FROM=TO` of the command line. Either may be a Windows path; a path may hold an equals sign, as long as only one way of
 * reading leaves two absolute paths.
 * @throws BridgeError `InvalidParams`
 */
export function readPathMap(text: string): PathMap {
  const readings: PathMap[] = [];
  for (let at = text.indexOf('='); at >= 0; at = text.indexOf('=', at + 1)) {
    const [from, to] = [text.slice(0, at), text.slice(at + 1)];
    if (ABSOLUTE.test(from) && ABSOLUTE.test(to)) readings.push({ from: trimmed(from), to: trimmed(to) });
  }
  if (readings.length === 1) return readings[0]!;
  throw new BridgeError(
    'InvalidParams',
    readings.length === 0
      ? `"${text}" is not FROM=TO with two absolute folders`
      : `"${text}" can be read in ${readings.length} ways: more than one equals sign stands between absolute folders`,
    { hint: 'for example --map /data=/mnt/data, or --map /data=Z:\\data' },
  );
}

/** A path of the server as this machine spells it, by the longest folder that fits; itself where none does. */
export function mapPath(path: string, maps: readonly PathMap[]): string {
  const fitting = maps
    .filter(({ from }) => restBelow(path, from) !== undefined)
    .sort((a, b) => b.from.length - a.from.length)[0];
  if (fitting === undefined) return path;
  const { from, to } = fitting;
  const separator = isWindows(to) ? '\\' : '/';
  const steps = restBelow(path, from)!.split(isWindows(from) ? /[\\/]/ : '/');
  const rest = steps.filter((step) => step !== '').join(separator);
  if (rest === '') return to === '' ? '/' : to;
  return to.endsWith(separator) ? `${to}${rest}` : `${to}${separator}${rest}`;
}

/** What follows a folder in a path; undefined when the path does not lie in it. */
function restBelow(path: string, folder: string): string | undefined {
  const windows = isWindows(folder);
  // Windows tells neither capitals nor the two slashes apart.
  const plain = (text: string): string => (windows ? text.replaceAll('/', '\\').toLowerCase() : text);
  if (!plain(path).startsWith(plain(folder))) return undefined;
  const rest = path.slice(folder.length);
  const whole = rest === '' || /[\\/]$/.test(folder) || (windows ? /^[\\/]/ : /^\//).test(rest);
  return whole ? rest : undefined;
}

function isWindows(path: string): boolean {
  return /^([a-z]:|\\\\)/i.test(path);
}

/** Without a slash at its end, except where that is all there is (`/`, `Z:\`). */
function trimmed(folder: string): string {
  if (/^([a-z]:)?[\\/]$/i.test(folder)) return folder;
  return folder.replace(/[\\/]+$/, '');
}
