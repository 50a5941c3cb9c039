import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BridgeError, isBridgeError } from '../errors';
import type { BatchJob, BatchStartParams } from '../protocol/types.gen';
import { readPathMap, type PathMap } from '../services/batch/cluster/pathMap';
import { readAnnotations } from './annotations';
import { findImages } from './batchImages';
import {
  EXIT,
  UsageError,
  readOptions,
  setting,
  stateFolder,
  type Command,
  type Surroundings,
} from './command';
import { findIntent } from './intentChoice';
import { foldersOf } from './openedImage';
import { ABOVE_ZERO, SCORE, readNumbers, readOptionalNumber } from './optionValues';
import { PROJECT_ENDING, annotationFiles, readProject, shortPath } from './qupathProject';
import { ProgressBar } from './progressBar';
import type { RpcClient } from './rpcClient';
import { textTable } from './textTable';
import { withServer } from './withServer';

const OPTIONS = {
  intent: { type: 'string', multiple: true },
  out: { type: 'string' },
  tissue: { type: 'boolean' },
  recursive: { type: 'boolean' },
  region: { type: 'string' },
  annotations: { type: 'string', multiple: true },
  map: { type: 'string', multiple: true },
  mpp: { type: 'string' },
  'min-score': { type: 'string' },
  'min-area': { type: 'string' },
  'max-area': { type: 'string' },
  queue: { type: 'string' },
  geoparquet: { type: 'boolean' },
  json: { type: 'boolean' },
  state: { type: 'string' },
} as const;

/** How often a job is asked how far it is, ms. */
const LOOK_EVERY = 500;

/** `sampo batch` */
export const batch: Command = {
  name: 'batch',
  options: OPTIONS,
  help: `usage: sampo batch IMAGE|FOLDER|project.qpproj... --intent NAME... --out DIR [options]
       sampo batch list | status JOB | resume JOB | cancel JOB

Runs intents over many images, whole slides too, without a click. It goes on in the running server when this command ends;
without one, starts its own for as long as it takes. Interrupted, by whatever, the same command goes on where it was.

DIR gets NAME.geojson for each image, index.html to look at first, summary.csv (counts, densities, scores), errors.csv,
methods.txt (a paragraph for the paper), job.json and pictures/.

  --intent NAME      a stored intent, by name or id; several: each nucleus goes to the one that fits best
  --out DIR          folder of the results
  --tissue           search tissue alone, found on a small level
  --recursive        images of the folders inside a FOLDER too
  --region x,y,width,height  look there alone, in every image
  --annotations CLASS  of a QuPath project: look inside annotations of this class alone; several: in any of them. They are
                     read from GeoJSON beside the project (NAME.geojson, or in its annotations/), exported with
                     docs/examples/export_annotations.groovy: QuPath's own files hold Java objects
  --map FROM=TO      of a QuPath project: its images of the folder FROM are in TO now; may be given several times
  --mpp NUMBER       µm per pixel, in place of the images' own
  --min-score NUMBER least score, 0 to 1
  --min-area NUMBER  least area of an object, µm²
  --max-area NUMBER  largest area, µm²
  --geoparquet       NAME.parquet too: id, class, score, area in µm² and outline, for GeoPandas, DuckDB or QGIS
  --queue URL        Redis or Valkey (redis://HOST:PORT): parts of images are searched by the workers there (sampo worker)
                     on storage that all see; also SAMPO_QUEUE
  --json             prints how the job ended, or the list, as JSON
  --state DIR        state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 everything was done, 1 an image failed, wholly or in part (the others are written), 2 wrong use,
130 interrupted (what is finished stays)`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const [word = '', jobId, ...rest] = positionals;
    const state = stateFolder(values.state, around);
    const queue = values.queue ?? setting(around, 'SAMPO_QUEUE');
    if (values.intent === undefined && values.out === undefined && VERBS.has(word)) {
      if (rest.length > 0 || (word === 'list') !== (jobId === undefined))
        throw new UsageError(word === 'list' ? 'list takes no job' : `batch ${word} takes one job`);
      return withServer(
        { stateFolder: state, queue: word === 'resume' ? queue : undefined },
        around,
        (client) => jobVerb(client, word, jobId, values.json === true, around),
      );
    }
    const { intent: names = [], out } = values;
    if (positionals.length === 0)
      throw new UsageError('batch needs images, a folder of images, or a QuPath project');
    if (names.length === 0) throw new UsageError('batch needs an --intent');
    if (out === undefined) throw new UsageError('batch needs --out');
    const asked = collectImages(positionals, values, around);
    if (asked.length === 0) throw new UsageError('nothing is left to search');
    const paths = asked.map(({ path }) => path);
    const outputFolder = resolve(out);
    mkdirSync(outputFolder, { recursive: true });
    const filters = readFilters(values);
    const roots = [...new Set([...paths.flatMap(foldersOf), dirname(outputFolder), outputFolder])];
    return withServer({ stateFolder: state, roots, queue }, around, async (client) => {
      const intents = await Promise.all(names.map((name) => findIntent(client, name)));
      const { job } = await client.request('batch/start', {
        intentIds: intents.map(({ intentId }) => intentId),
        images: asked,
        outputFolder,
        filters,
        tissue: values.tissue === true,
        ...(values.geoparquet === true && { geoParquet: true }),
      });
      return follow(client, job, values.json === true, around);
    });
  },
};

const VERBS = new Set(['list', 'status', 'resume', 'cancel']);

async function jobVerb(
  client: RpcClient,
  word: string,
  jobId: string | undefined,
  json: boolean,
  around: Surroundings,
): Promise<number> {
  if (word === 'list') {
    const { jobs } = await client.request('batch/list', {});
    around.out(json ? `${JSON.stringify(jobs, null, 2)}\n` : table(jobs));
    return EXIT.ok;
  }
  const id = { jobId: jobId! };
  if (word === 'resume') return follow(client, (await client.request('batch/resume', id)).job, json, around);
  const method = word === 'cancel' ? 'batch/cancel' : 'batch/status';
  const { job } = await client.request(method, id);
  around.out(json ? `${JSON.stringify(job, null, 2)}\n` : describe(job));
  return EXIT.ok;
}

/** Waits until a job ends and says how; an interruption cancels it, and what is finished stays. */
async function follow(
  client: RpcClient,
  first: BatchJob,
  json: boolean,
  around: Surroundings,
): Promise<number> {
  const bar = new ProgressBar(around, 'batch');
  const { jobId } = first;
  let job = first;
  try {
    while (job.state === 'queued' || job.state === 'running') {
      if (around.signal.aborted) {
        await client.request('batch/cancel', { jobId });
        around.err(`cancelled; the same command goes on where it was\n`);
        return EXIT.cancelled;
      }
      bar.report(progressOf(job));
      await wait(LOOK_EVERY, undefined, { signal: around.signal }).catch(() => undefined);
      ({ job } = await client.request('batch/status', { jobId }));
    }
  } finally {
    bar.end();
  }
  around.out(json ? `${JSON.stringify(job, null, 2)}\n` : describe(job));
  if (job.state === 'stopped')
    throw new BridgeError('InternalError', `the job stands still: ${job.message}`, {
      jobId,
      hint: 'mend that, then run the same command again: finished parts stay',
    });
  return job.state === 'done' ? EXIT.ok : EXIT.failed;
}

function progressOf({ images, units, objects, etaSeconds, message }: BatchJob) {
  const finished = images.done + images.failed;
  const ended = units.done + units.failed;
  // Of the images opened so far, the share of their units; images not yet opened count as a whole.
  const opened = Math.min(images.total, finished + (units.total > ended ? 1 : 0));
  const share = units.total === 0 ? 0 : ended / units.total;
  const shown = Math.min(images.total, finished + 1);
  return {
    percentage: images.total === 0 ? 100 : (100 * share * opened) / images.total,
    message: message === '' ? `image ${shown} of ${images.total}, ${objects} objects` : message,
    ...(etaSeconds !== undefined && { etaSeconds }),
  };
}

function describe({
  jobId,
  state,
  message,
  images,
  units,
  objects,
  areaMm2,
  outputFolder,
}: BatchJob): string {
  const failed = images.failed > 0 ? `, ${images.failed} failed (errors.csv)` : '';
  const why = message === '' ? '' : `: ${message}`;
  return (
    `job ${jobId} is ${state}${why}\n` +
    `${images.done} of ${images.total} images${failed}; ${units.done} of ${units.total} parts of those opened; ` +
    `${objects} objects, ${areaMm2.toFixed(2)} mm²\n${join(outputFolder, 'index.html')}\n`
  );
}

function table(jobs: readonly BatchJob[]): string {
  if (jobs.length === 0) return 'no jobs yet: make one with sampo batch FOLDER --intent NAME --out DIR\n';
  const rows = jobs.map(({ jobId, state, createdAt, images, intents, outputFolder }) => [
    jobId,
    state,
    createdAt,
    `${images.done}/${images.total}`,
    intents.join(', '),
    outputFolder,
  ]);
  return textTable([['id', 'state', 'made', 'images', 'intents', 'folder'], ...rows]);
}

type Values = {
  readonly [Name in 'region' | 'mpp' | 'min-score' | 'min-area' | 'max-area']?: string | undefined;
} & { readonly annotations?: string[]; readonly map?: string[]; readonly recursive?: boolean };

type AskedImage = BatchStartParams['images'][number];

/** What the command line names: files, folders and QuPath projects, in order. @throws UsageError */
function collectImages(names: readonly string[], values: Values, around: Surroundings): AskedImage[] {
  const isProject = (name: string): boolean => name.endsWith(PROJECT_ENDING);
  if (!names.some(isProject) && (values.annotations ?? values.map) !== undefined)
    throw new UsageError(
      `--${values.map === undefined ? 'annotations' : 'map'} belongs to a QuPath project (${PROJECT_ENDING}), and none is given`,
    );
  return names.flatMap((name) =>
    isProject(name)
      ? projectImages(name, values, around)
      : readImages(findImages([name], values.recursive === true), values),
  );
}

/** The images of a project, each with its pixel size and, when asked for, its annotations. @throws UsageError */
function projectImages(file: string, values: Values, around: Surroundings): AskedImage[] {
  const maps = (values.map ?? []).map((text) => readMap(text));
  const { folder, images, notes } = readProject(file, maps);
  for (const note of notes) around.err(`note: ${note}\n`);
  const gone = images.filter(({ path }) => !existsSync(path));
  if (images.length === 0 || gone.length === images.length)
    throw new UsageError(
      images.length === 0
        ? `the project ${file} has no image that can be searched`
        : `no image of the project ${file} is where it says, for example ${gone[0]!.path}: say where they are now with --map FROM=TO`,
    );
  for (const { name, path } of gone) around.err(`note: "${name}" is not there (${path}); see --map\n`);
  return images.flatMap((image) => {
    const [asked] = readImages([image.path], values);
    const mpp = asked!.pixelSizeMicrons ?? image.pixelSizeMicrons;
    const sized: AskedImage = { ...asked!, ...(mpp !== undefined && { pixelSizeMicrons: mpp }) };
    if (values.annotations === undefined) return [sized];
    if (values.region !== undefined) throw new UsageError('give --region or --annotations, not both');
    const looked = annotationFiles(folder, image);
    const found = looked.find((path) => existsSync(path));
    if (found === undefined)
      throw new UsageError(
        `no exported annotations of "${image.name}" (looked for ${looked.map((path) => shortPath(folder, path)).join(', ')}): run docs/examples/export_annotations.groovy for the project in QuPath`,
      );
    const extent = readAnnotations(found, values.annotations);
    if (extent === undefined) {
      around.err(`note: "${image.name}" has no annotation of ${values.annotations.join(' or ')}: left out\n`);
      return [];
    }
    return [{ ...sized, extent }];
  });
}

/** @throws UsageError */
function readMap(text: string): PathMap {
  try {
    return readPathMap(text);
  } catch (error) {
    throw isBridgeError(error) ? new UsageError(error.message) : error;
  }
}

function readImages(paths: readonly string[], { region, mpp }: Values): AskedImage[] {
  const pixelSizeMicrons = readOptionalNumber('--mpp', mpp, ABOVE_ZERO);
  const [x, y, width, height] =
    region === undefined ? [] : readNumbers('--region', region, 4, 'x,y,width,height');
  return paths.map((path) => ({
    path,
    ...(region !== undefined && {
      extent: { type: 'rectangle' as const, x: x!, y: y!, width: width!, height: height! },
    }),
    ...(pixelSizeMicrons !== undefined && { pixelSizeMicrons }),
  }));
}

function readFilters(values: Values): NonNullable<BatchStartParams['filters']> {
  const threshold = readOptionalNumber('--min-score', values['min-score'], SCORE);
  const minAreaMicrons2 = readOptionalNumber('--min-area', values['min-area'], ABOVE_ZERO);
  const maxAreaMicrons2 = readOptionalNumber('--max-area', values['max-area'], ABOVE_ZERO);
  return {
    ...(threshold !== undefined && { threshold }),
    ...(minAreaMicrons2 !== undefined && { minAreaMicrons2 }),
    ...(maxAreaMicrons2 !== undefined && { maxAreaMicrons2 }),
  };
}
