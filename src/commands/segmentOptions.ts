import { existsSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import type { ImageOpenParams, SegmentPromptParams } from '../protocol/types.gen';
import type { OverlayClick } from '../services/search/overlay';
import { STAINS } from '../services/images/stains';
import { UsageError, readOptions } from './command';
import { SCORE, readNumbers, readOptionalNumber, type NumberKind } from './optionValues';

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
  /** µm per px, in place of the image's own; null: the file's own again. */
  readonly pixelSizeMicrons?: number | null | undefined;
  /** How channels are shown; as before, or guessed, when absent. */
  readonly stains?: ImageOpenParams['stains'];
  /** Least score, 0 to 1. */
  readonly threshold?: number | undefined;
  /** As in `model/list`; the bundled one when absent. */
  readonly modelId?: string | undefined;
  readonly state?: string | undefined;
}

export const SEGMENT_OPTIONS = {
  click: { type: 'string', multiple: true },
  intent: { type: 'string', multiple: true },
  box: { type: 'string', multiple: true },
  region: { type: 'string' },
  mpp: { type: 'string' },
  stain: { type: 'string' },
  model: { type: 'string' },
  'min-score': { type: 'string' },
  out: { type: 'string' },
  overlay: { type: 'string' },
  state: { type: 'string' },
} as const;

/** µm per px. */
const PIXEL_SIZE: NumberKind = { takes: 'a size in µm per px, above 0', fits: (value) => value > 0 };

/** Reads the command line of `sampo segment`. @throws UsageError */
export function readSegmentOptions(argv: string[]): SegmentOptions {
  const { values, positionals } = readOptions(argv, SEGMENT_OPTIONS);
  const { click = [], intent: intents = [], box = [], region, mpp, stain, model: modelId, state } = values;
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
  const threshold = readOptionalNumber('--min-score', values['min-score'], SCORE);
  const pixelSizeMicrons = mpp === 'file' ? null : readOptionalNumber('--mpp', mpp, PIXEL_SIZE);
  const [x, y, width, height] =
    region === undefined ? [] : readNumbers('--region', region, 4, 'x,y,width,height');
  return {
    tasks: planTasks(positionals, values.out, values.overlay),
    intents,
    clicks: click.map(readClick),
    boxes: box.map((text) => readNumbers('--box', text, 4, 'x,y,width,height')),
    extent:
      region === undefined
        ? { type: 'image' }
        : { type: 'rectangle', x: x!, y: y!, width: width!, height: height! },
    pixelSizeMicrons,
    stains: stain === undefined ? undefined : readStains(stain),
    threshold,
    modelId,
    state,
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

/** `auto`, `rgb`, or channels by name or number: `DAPI=haematoxylin,CD3=dab`. */
function readStains(text: string): NonNullable<ImageOpenParams['stains']> {
  if (text === 'auto' || text === 'rgb') return text;
  return text.split(',').map((part) => {
    const at = part.lastIndexOf('=');
    const channel = part.slice(0, at).trim();
    const name = part
      .slice(at + 1)
      .trim()
      .toLowerCase();
    const stain = STAINS.find((each) => each === name || (each === 'haematoxylin' && name === 'hematoxylin'));
    if (at < 1 || channel === '' || stain === undefined)
      throw new UsageError(
        `--stain takes auto, rgb, or CHANNEL=STAIN,… with ${STAINS.join(', ')}, not "${text}"`,
      );
    return { channel, stain };
  });
}

function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || (existsSync(path) && statSync(path).isDirectory());
}

function readClick(text: string): OverlayClick {
  const sign = /,([+-])$/.exec(text);
  const [x, y] = readNumbers('--click', sign ? text.slice(0, -2) : text, 2, 'x,y or x,y,+ or x,y,-');
  return { x: x!, y: y!, positive: sign?.[1] !== '-' };
}
