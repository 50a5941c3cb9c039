import { BridgeError } from '../../../errors';
import { answerQuestions } from '../readerProcess/readerHost';
import { libraryVersion, loadOpenSlide, type OpenSlideLibrary, type SlidePointer } from './openSlideLibrary';
import type { LibraryTrial, OpenSlideQuestions, SlideDescription, SlideFile } from './openSlideQuestions';
import { isNewEnough } from './openSlideVersion';
import { overWhite } from './overWhite';

// The process that OpenSlide runs in. Nothing here survives a fault, so every question names its file.

/** Slides kept open; the one that was used longest ago is closed for the next. */
const OPEN_SLIDES = 8;

interface OpenSlide {
  readonly stamp: string;
  readonly pointer: Promise<SlidePointer>;
  /** Reads under way; a slide is closed when there are none. */
  users: number;
  /** Out of the table: to be closed by its last user. */
  leaving: boolean;
}

let library: OpenSlideLibrary | undefined;
/** By path, the one used last at the end. */
const slides = new Map<string, OpenSlide>();

function load(candidates: readonly string[]): readonly LibraryTrial[] {
  const trials: LibraryTrial[] = [];
  for (const candidate of candidates) {
    try {
      const version = libraryVersion(candidate);
      if (isNewEnough(version)) {
        library = loadOpenSlide(candidate);
        return [...trials, { library: candidate, outcome: 'found', version }];
      }
      trials.push({ library: candidate, outcome: 'tooOld', version });
    } catch (error) {
      trials.push({ library: candidate, outcome: 'unusable', reason: textOf(error) });
    }
  }
  return trials;
}

function loaded(): OpenSlideLibrary {
  if (library === undefined) throw new BridgeError('UnsupportedImage', 'OpenSlide is not there');
  return library;
}

/** Works with an open slide; whatever is wrong with it afterwards is the answer, and the next question opens it anew. */
async function withSlide<Result>(
  file: SlideFile,
  doing: string,
  work: (openSlide: OpenSlideLibrary, pointer: SlidePointer) => Promise<Result> | Result,
): Promise<Result> {
  const openSlide = loaded();
  const slide = opened(openSlide, file);
  slide.users += 1;
  try {
    const pointer = await slide.pointer;
    check(openSlide, pointer, 'opening it');
    const result = await work(openSlide, pointer);
    check(openSlide, pointer, doing);
    return result;
  } catch (error) {
    if (slides.get(file.path) === slide) leave(file.path, slide);
    throw error;
  } finally {
    slide.users -= 1;
    await closeUnused(openSlide, slide);
  }
}

function opened(openSlide: OpenSlideLibrary, { path, stamp }: SlideFile): OpenSlide {
  const known = slides.get(path);
  slides.delete(path);
  if (known !== undefined && known.stamp === stamp) {
    slides.set(path, known);
    return known;
  }
  if (known !== undefined) leave(path, known);
  const slide: OpenSlide = {
    stamp,
    users: 0,
    leaving: false,
    pointer: openSlide.open(path).then((pointer) => {
      if (pointer === null)
        throw new BridgeError('ImageUnreadable', 'OpenSlide does not know this file as a slide');
      return pointer;
    }),
  };
  // Whoever asked hears of it; nobody else waits on it.
  slide.pointer.catch(() => undefined);
  slides.set(path, slide);
  for (const [oldest, { users }] of slides) {
    if (slides.size <= OPEN_SLIDES) break;
    if (users === 0 && oldest !== path) leave(oldest, slides.get(oldest)!);
  }
  return slide;
}

function leave(path: string, slide: OpenSlide): void {
  slides.delete(path);
  slide.leaving = true;
  if (library !== undefined) void closeUnused(library, slide);
}

async function closeUnused(openSlide: OpenSlideLibrary, slide: OpenSlide): Promise<void> {
  if (!slide.leaving || slide.users > 0) return;
  slide.leaving = false;
  const pointer = await slide.pointer.catch(() => undefined);
  if (pointer !== undefined) openSlide.close(pointer);
}

function check(openSlide: OpenSlideLibrary, pointer: SlidePointer, doing: string): void {
  const reason = openSlide.error(pointer);
  if (reason !== null)
    throw new BridgeError('ImageUnreadable', `OpenSlide failed ${doing}: ${reason}`, { reason });
}

function describe(openSlide: OpenSlideLibrary, pointer: SlidePointer): SlideDescription {
  const properties = Object.fromEntries(
    openSlide.propertyNames(pointer).map((name) => [name, openSlide.property(pointer, name) ?? '']),
  );
  return {
    vendor: properties['openslide.vendor'] ?? '',
    properties,
    levels: Array.from({ length: openSlide.levelCount(pointer) }, (_, level) => {
      const [width, height] = openSlide.levelSize(pointer, level);
      return { width, height, downsample: openSlide.downsample(pointer, level) };
    }),
    associated: openSlide.associatedNames(pointer),
    hasColourProfile: openSlide.colourProfileBytes(pointer) > 0,
  };
}

answerQuestions<OpenSlideQuestions>({
  load,
  describe: (file) => withSlide(file, 'describing it', describe),
  read: ({ level, origin, width, height, ...file }) =>
    withSlide(file, `reading ${width} x ${height} pixels of level ${level}`, async (openSlide, pointer) => {
      const words = await openSlide.read(pointer, level, origin.x, origin.y, width, height);
      return overWhite(words, width, height);
    }),
  forget: ({ path }) => {
    const slide = slides.get(path);
    if (slide !== undefined) leave(path, slide);
    return null;
  },
});

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
