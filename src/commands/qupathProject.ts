import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { mapPath, type PathMap } from '../services/batch/cluster/pathMap';
import { UsageError } from './command';
import { record, text } from './jsonValues';

/** The file that a QuPath project is opened by (0.2 and newer write the same form). */
export const PROJECT_ENDING = '.qpproj';
/** Pixel width and height may differ by this share before one pixel size says neither. */
const MOST_ANISOTROPY = 0.01;

/** An image of a project that can be searched. */
export interface ProjectImage {
  /** As the project's list shows it. */
  readonly name: string;
  /** Absolute, of this machine; whether it is there is found out when it is opened. */
  readonly path: string;
  /** As the project has it, µm/px; undefined where it does not know. */
  readonly pixelSizeMicrons: number | undefined;
}

/** What is in a project, and why some of it cannot be searched. */
export interface QuPathProject {
  readonly folder: string;
  readonly images: readonly ProjectImage[];
  /** One sentence for each image that is left out, or that is read otherwise than QuPath shows it. */
  readonly notes: readonly string[];
}

/** The parts that count of QuPath's JSON of how an image is opened (`ImageServerBuilder.ServerBuilder`). */
interface ServerBuilder {
  readonly builderType?: unknown;
  readonly uri?: unknown;
  readonly args?: unknown;
  readonly metadata?: unknown;
}

/**
 * Reads a QuPath project: its images and their pixel sizes. Annotations lie in `data.qpdata`, which only Java reads: see `readAnnotations`.
 * @param maps folders of the project's paths, and where they are here
 * @throws UsageError for what is no project
 */
export function readProject(file: string, maps: readonly PathMap[]): QuPathProject {
  let project: unknown;
  try {
    project = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`the project ${file} cannot be read: ${(error as Error).message}`);
  }
  const { images: entries, uri } = record(project);
  if (!Array.isArray(entries)) throw new UsageError(`${file} is no QuPath project: it has no list of images`);
  const folder = dirname(resolve(file));
  // Where the project lay when it was saved: images that lay in it or beside it have moved with it.
  const savedFolder = typeof uri === 'string' ? parentOf(pathOf(uri)) : undefined;
  const images: ProjectImage[] = [];
  const notes: string[] = [];
  for (const [i, value] of entries.entries()) {
    const entry = record(value);
    const builder = record(entry['serverBuilder']) as ServerBuilder;
    const metadata = record(builder.metadata);
    const name = text(entry['imageName']) ?? text(metadata['name']) ?? `image ${i + 1}`;
    const obstacle = obstacleOf(builder);
    if (obstacle !== undefined) {
      notes.push(`"${name}" is left out: ${obstacle}`);
      continue;
    }
    const path = locate(pathOf(builder.uri as string), { folder, savedFolder, maps });
    const { microns, note } = pixelSize(record(metadata['pixelCalibration']));
    if (note !== undefined) notes.push(`"${name}": ${note}`);
    images.push({ name, path, pixelSizeMicrons: microns });
  }
  return { folder, images, notes };
}

/** Why an image cannot be searched as QuPath shows it; undefined when it can. */
function obstacleOf({ builderType, uri, args }: ServerBuilder): string | undefined {
  if (builderType !== 'uri' || typeof uri !== 'string')
    return `QuPath shows it changed (${text(builderType) ?? 'in a way that is not named'}), and objects found in the file would lie elsewhere; export the changed image and search that`;
  if (!/^file:/i.test(uri)) return `it is not a file (${uri.split('?')[0]!.slice(0, 80)})`;
  const words = Array.isArray(args) ? args.map(String) : [];
  const at = words.findIndex((word) => /^(--series|-s)$/i.test(word));
  const inUri = /[?&#](?:series|name)=([^&]*)/i.exec(uri)?.[1] ?? /#(\d+)$/.exec(uri)?.[1];
  const series = at >= 0 ? words[at + 1] : inUri;
  if (series !== undefined && series !== '0')
    return `it is the picture "${decodeURIComponent(series)}" of a file with several, and only the first is read`;
  return undefined;
}

/** A `file:` URI as the path that its system writes: `/data/a.svs`, `C:\data\a.svs`, `\\server\share\a.svs`. */
export function pathOf(uri: string): string {
  const [, host = '', rest = ''] = /^file:(?:\/\/([^/]*))?(.*)$/i.exec(uri.split(/[?#]/)[0]!) ?? [];
  let path = rest;
  try {
    path = decodeURIComponent(rest);
  } catch {
    // A percent sign that stands for itself.
  }
  if (/^\/[a-z]:/i.test(path)) return path.slice(1).replaceAll('/', '\\');
  // Java writes a share as file:////server/share too.
  if (/^\/\/[^/]/.test(path)) return path.replaceAll('/', '\\');
  return host === '' || host === 'localhost' ? path : `\\\\${host}${path.replaceAll('/', '\\')}`;
}

/** Where an image is on this machine: by --map, as it stands, or moved together with the project. */
function locate(
  path: string,
  {
    folder,
    savedFolder,
    maps,
  }: { folder: string; savedFolder: string | undefined; maps: readonly PathMap[] },
): string {
  const mapped = mapPath(path, maps);
  if (mapped !== path || existsSync(path) || savedFolder === undefined) return mapped;
  // The project's own folder, and the two above it: a lab moves `study/` with `study/slides` and `study/qupath`.
  for (let [was, is, up] = [savedFolder, folder, 0]; up < 3; was = parentOf(was), is = dirname(is), up++) {
    const moved = mapPath(path, [{ from: was, to: is }]);
    if (was !== '' && moved !== path && existsSync(moved)) return moved;
  }
  return path;
}

function parentOf(path: string): string {
  return path.replace(/[\\/][^\\/]*$/, '');
}

function pixelSize(calibration: Record<string, unknown>): { microns?: number; note?: string } {
  const [width, height] = ['pixelWidth', 'pixelHeight'].map((side) => {
    const { value, unit } = record(calibration[side]);
    return typeof value === 'number' && value > 0 && /^(µm|μm|um|micron)/i.test(text(unit) ?? '')
      ? value
      : undefined;
  });
  if (width === undefined || height === undefined) return {};
  const microns = (width + height) / 2;
  if (Math.abs(width - height) <= MOST_ANISOTROPY * microns) return { microns };
  return {
    note: `its pixels are ${width} x ${height} µm, not square: the file's own pixel size is used`,
  };
}

/** GeoJSON files with an image's annotations, in the order in which they are looked for: beside the project, or in its `annotations/`. */
export function annotationFiles(folder: string, image: ProjectImage): string[] {
  const stems = [image.name, image.name.slice(0, image.name.length - extname(image.name).length)];
  return [...new Set(stems)].flatMap((stem) =>
    // An image's name may be a path, with series and other marks in it.
    ['', 'annotations', 'export'].map((inside) =>
      join(folder, inside, `${stem.replaceAll(/[\\/:]/g, '_')}.geojson`),
    ),
  );
}

/** A path for people: relative to a folder where it lies in it. */
export function shortPath(folder: string, path: string): string {
  const way = relative(folder, path);
  return way.startsWith(`..${sep}`) ? path : way;
}
