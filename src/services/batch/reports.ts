import type { ImageOutcome, JobDocument } from './job';
import type { JobError, StoredImage, StoredJob } from './jobStore';

/** A fault as `errors.csv` tells it. */
export interface ErrorRow extends JobError {
  readonly image: string;
  /** Of the unit, full-resolution px; absent for a whole image. */
  readonly x?: number | undefined;
  readonly y?: number | undefined;
}

/** One line per image and class: what a statistics program reads. */
export function summaryCsv({ images }: JobDocument, stored: readonly StoredImage[]): string {
  const head = ['image', 'file', 'state', 'class', 'count', 'mean score', 'mean area µm²', 'area mm²', 'per mm²', 'failed units']; // prettier-ignore
  const rows = stored.flatMap(({ position, state, outcome }) =>
    outcome === undefined
      ? [[images[position]!.path, '', state, '', '', '', '', '', '', '']]
      : outcome.classes.map(({ name, count, meanScore, meanArea, density }) => [
          images[position]!.path,
          outcome.file,
          state,
          name,
          String(count),
          meanScore.toFixed(4),
          meanArea.toFixed(2),
          outcome.areaMm2.toFixed(6),
          density.toFixed(3),
          String(outcome.failedUnits),
        ]),
  );
  return csv([head, ...rows]);
}

/** One line per fault; the head alone when there was none. */
export function errorsCsv(rows: readonly ErrorRow[]): string {
  return csv([
    ['image', 'x', 'y', 'error', 'message'],
    ...rows.map(({ image, x, y, name, message }) => [
      image,
      x === undefined ? '' : String(x),
      y === undefined ? '' : String(y),
      name,
      message,
    ]),
  ]);
}

/** RFC 4180: quoted where a comma, a quote or a line break makes it necessary. */
function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** A paragraph for the methods section of a paper. */
export function methodsText({ document, jobId }: StoredJob, stored: readonly StoredImage[]): string {
  const { intents, images, filters, modelId, tissue, version } = document;
  const names = intents.map(
    ({ name, round }) => `"${name}" (${round === 0 ? 'not refined' : `refined ${counted(round, 'time')}`})`,
  );
  const done = stored.flatMap(({ outcome }) => outcome ?? []);
  const area = done.reduce((sum, { areaMm2 }) => sum + areaMm2, 0);
  const sizes = [...new Set(stored.flatMap(({ plan }) => plan?.pixelSizeMicrons ?? []))].sort(
    (a, b) => a - b,
  );
  const set = [
    filters.threshold === undefined
      ? 'the score threshold of each intent'
      : `a score of at least ${filters.threshold}`,
    ...(filters.minAreaMicrons2 === undefined ? [] : [`an area of at least ${filters.minAreaMicrons2} µm²`]),
    ...(filters.maxAreaMicrons2 === undefined ? [] : [`an area of at most ${filters.maxAreaMicrons2} µm²`]),
  ];
  const left = images.length - done.length;
  return [
    `Nuclei of ${names.join(', ')} were found with SAMPO ${version} (model ${modelId}), a promptable nucleus segmenter`,
    `that learns a type from examples by preference optimization (SAMPO, arXiv 2508.02464). ${counted(done.length, 'image')} with pixel`,
    `sizes of ${sizes.join(', ') || 'unknown'} µm ${done.length === 1 ? 'was' : 'were'} searched ${tissue ? 'where tissue was found on a small level (optical density, Otsu 1979)' : 'as a whole'},`,
    `${area.toFixed(2)} mm² in all${left === 0 ? '' : `; ${counted(left, 'image')} of the job had no result`}. Objects are reported with ${set.join(', ')}. Job ${jobId}; job.json holds every setting.`,
    '',
  ].join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Everything that made the results, for another program. */
export function jobJson(job: StoredJob, stored: readonly StoredImage[]): string {
  const { jobId, createdAt, document } = job;
  const images = stored.map(({ position, state, plan, outcome, error }) => ({
    ...document.images[position],
    state,
    ...(plan && { plan }),
    ...(outcome && { outcome: outcome satisfies ImageOutcome }),
    ...(error && { error }),
  }));
  return `${JSON.stringify({ format: 'sampo-batch', formatVersion: 1, jobId, createdAt, ...document, images }, null, 2)}\n`;
}
