import { existsSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import type { SegmentPromptParams } from '../protocol/types.gen';
import type { OverlayClick } from '../services/search/overlay';
import { UsageError, readOptions } from './command';

/** One image of a run and where its files go; absolute paths. */
export interface SegmentTask {
  readonly image: string;
  readonly out: string;
  readonly overlay?: string;
}

/** What `sampo segment` is asked to do. */
export interface SegmentOptions {
  readonly tasks: readonly SegmentTask[];
  readonly intents: readonly string[];
  /** Full-resolution px. */
  readonly clicks: readonly OverlayClick[];
  /** [x, y, width, height], px. */
  readonly boxes: readonly number[][];
  readonly extent: SegmentPromptParams['extent'];
  /** µm per px, in place of the image's own. */
  readonly pixelSizeMicrons?: number;
  /** Least score, 0 to 1. */
  readonly threshold?: number;
  /** As in `model/list`; the bundled one when absent. */
  readonly modelId?: string;
  readonly state?: string;
}

/** Reads the command line of `sampo segment`. @throws UsageError */
export function readSegmentOptions(argv: string[]): SegmentOptions {
  const many = { type: 'string', multiple: true } as const;
  const one = { type: 'string' } as const;
  const { values, positionals } = readOptions(argv, {
    click: many,
    intent: many,
    box: many,
    region: one,
    mpp: one,
    model: one,
    'min-score': one,
    out: one,
    overlay: one,
    state: one,
  });
  const { click = [], intent: intents = [], box = [], region, mpp, model: modelId, state } = values;
  if (positionals.length === 0) throw new UsageError('segment needs an image');
  if (values.out === undefined) throw new UsageError('segment needs --out');
  const hasExamples = click.length + box.length > 0;
  if (!hasExamples && intents.length === 0)
    throw new UsageError('segment needs a --click or a --box on a nucleus of the type, or an --intent');
  if (hasExamples && positionals.length > 1)
    throw new UsageError(
      'clicks and boxes belong to one image: teach an --intent on one, then run it over all',
    );
  if (hasExamples && intents.length > 1)
    throw new UsageError('clicks and boxes belong to one intent: give one --intent with them');
  const threshold =
    values['min-score'] === undefined ? undefined : number(values['min-score'], '--min-score');
  if (threshold !== undefined && (threshold < 0 || threshold > 1))
    throw new UsageError(`--min-score is 0 to 1, not ${threshold}`);
  const pixelSizeMicrons = mpp === undefined ? undefined : number(mpp, '--mpp');
  if (pixelSizeMicrons !== undefined && !(pixelSizeMicrons > 0))
    throw new UsageError('--mpp is a size in µm per px, above 0');
  const [x, y, width, height] =
    region === undefined ? [] : numbers(region, 4, '--region', 'x,y,width,height');
  return {
    tasks: planTasks(positionals, values.out, values.overlay),
    intents,
    clicks: click.map(readClick),
    boxes: box.map((text) => numbers(text, 4, '--box', 'x,y,width,height')),
    extent:
      region === undefined
        ? { type: 'image' }
        : { type: 'rectangle', x: x!, y: y!, width: width!, height: height! },
    ...(pixelSizeMicrons !== undefined && { pixelSizeMicrons }),
    ...(threshold !== undefined && { threshold }),
    ...(modelId !== undefined && { modelId }),
    ...(state !== undefined && { state }),
  };
}

/** One image: a file, or a name inside an existing folder. Several: names inside folders, told apart by their images'. */
function planTasks(images: readonly string[], out: string, overlay: string | undefined): SegmentTask[] {
  const seen = new Map<string, string>();
  return images.map((image) => {
    const stem = basename(image, extname(image));
    const place = (target: string, suffix: string) =>
      images.length > 1 || isFolder(target) ? join(resolve(target), stem + suffix) : resolve(target);
    const task = {
      image: resolve(image),
      out: place(out, '.geojson'),
      ...(overlay !== undefined && { overlay: place(overlay, '.png') }),
    };
    const other = seen.get(task.out);
    if (other !== undefined)
      throw new UsageError(`${other} and ${image} would be written to the same file ${task.out}`);
    seen.set(task.out, image);
    if ([task.out, task.overlay].includes(task.image))
      throw new UsageError(`${image} would be overwritten by its own result`);
    return task;
  });
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (existsSync(path) && statSync(path).isDirectory());
}

function readClick(text: string): OverlayClick {
  const sign = /,([+-])$/.exec(text);
  const [x, y] = numbers(sign ? text.slice(0, -2) : text, 2, '--click', 'x,y or x,y,+ or x,y,-');
  return { x: x!, y: y!, positive: sign?.[1] !== '-' };
}

function numbers(text: string, count: number, option: string, form: string): number[] {
  const parts = text.split(',');
  if (parts.length !== count) throw new UsageError(`${option} is ${form}, not "${text}"`);
  return parts.map((part) => number(part, option));
}

function number(text: string, option: string): number {
  if (text.trim() === '' || !Number.isFinite(Number(text)))
    throw new UsageError(`${option}: "${text}" is no number`);
  return Number(text);
}
