import { join } from 'node:path';
import { BridgeError } from '../../../errors';
import type { Log } from '../../../log';
import { ReaderProcess } from '../readerProcess/readerProcess';
import { libraryCandidates, type LibrarySearch } from './librarySearch';
import type { LibraryTrial, OpenSlideQuestions } from './openSlideQuestions';
import { LEAST_OPENSLIDE } from './openSlideVersion';

/** Whether OpenSlide is there: what `doctor` prints and what an error is made of. */
export interface OpenSlideReport {
  /** `unusable`: a library that was named by the user, or lies there, and cannot be loaded. */
  readonly state: 'found' | 'tooOld' | 'unusable' | 'missing';
  readonly version?: string;
  /** Path, or the name under which the system has it. */
  readonly library?: string;
  /** One sentence. */
  readonly message: string;
  /** What to install; absent when found. */
  readonly hint?: string;
}

export interface OpenSlideOptions extends LibrarySearch {
  /** How long one read may take, ms; 60 s when left out. */
  readonly timeout?: number | undefined;
  readonly log?: Log | undefined;
}

/** OpenSlide in its own process: looked for when the first slide is opened, started anew after a fault. */
export class OpenSlide {
  readonly #options: OpenSlideOptions;
  #process: Promise<ReaderProcess<OpenSlideQuestions>> | undefined;
  #closed = false;

  constructor(options: OpenSlideOptions) {
    this.#options = options;
  }

  /** The process, with the library loaded. @throws BridgeError `UnsupportedImage` saying what to install, for `kind` */
  async process(kind: string): Promise<ReaderProcess<OpenSlideQuestions>> {
    const report = await this.report();
    if (report.state === 'found') return this.#started();
    throw needsOpenSlide(kind, report.message, report.hint);
  }

  /** Looks again when it was not found before, so nobody restarts the server after an installation. */
  async report(): Promise<OpenSlideReport> {
    const candidates = await libraryCandidates(this.#options);
    const process = await this.#started();
    return reportOf(await process.ask('load', candidates, 'its library'), this.#options);
  }

  /** The process's id, while it runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#process)?.pid;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#process)?.close();
  }

  #started(): Promise<ReaderProcess<OpenSlideQuestions>> {
    if (this.#closed)
      throw new BridgeError('ShuttingDown', 'OpenSlide is closed: the server is shutting down');
    this.#process ??= libraryCandidates(this.#options).then(
      (candidates) =>
        new ReaderProcess<OpenSlideQuestions>({
          library: 'OpenSlide',
          module: join(__dirname, 'openSlideProcess'),
          first: { name: 'load', given: candidates },
          timeout: this.#options.timeout,
          log: this.#options.log,
        }),
    );
    return this.#process;
  }
}

/** Looks for OpenSlide once, in a process that ends with the answer. For `sampo doctor`. */
export async function findOpenSlide(search: LibrarySearch): Promise<OpenSlideReport> {
  const openSlide = new OpenSlide(search);
  try {
    return await openSlide.report();
  } finally {
    await openSlide.close();
  }
}

/** What the trials come to. Exported for its tests. */
export function reportOf(
  trials: readonly LibraryTrial[],
  { named, platform }: Pick<LibrarySearch, 'named' | 'platform'>,
): OpenSlideReport {
  const hint = installation(platform);
  const found = trials.find(({ outcome }) => outcome === 'found');
  if (found?.version !== undefined) {
    const { library, version } = found;
    return { state: 'found', version, library, message: `OpenSlide ${version} (${library})` };
  }
  const old = trials.find(({ outcome }) => outcome === 'tooOld');
  if (old?.version !== undefined) {
    const { library, version } = old;
    const message = `OpenSlide ${version} (${library}) is too old: versions before ${LEAST_OPENSLIDE} have memory faults that a crafted file can use`;
    return { state: 'tooOld', version, library, message, hint };
  }
  // A plain name that the system does not know says nothing; a file that is there and does not load does.
  const broken = trials.find(({ library }) => library === named || /[\\/]/.test(library));
  if (broken !== undefined) {
    const { library, reason = '' } = broken;
    return {
      state: 'unusable',
      library,
      message: `the OpenSlide library ${library} cannot be loaded: ${reason}`,
      hint: library === named ? `check what --openslide or SAMPO_OPENSLIDE names; ${hint}` : hint,
    };
  }
  return { state: 'missing', message: 'OpenSlide was not found on this computer', hint };
}

/** How a user gets a library that is new enough. */
function installation(platform: NodeJS.Platform): string {
  const least = `OpenSlide ${LEAST_OPENSLIDE} or newer`;
  const named = 'or name its library with --openslide or SAMPO_OPENSLIDE';
  if (platform === 'darwin') return `install ${least}: brew install openslide, ${named}`;
  if (platform === 'win32')
    return `install ${least}: unpack the Windows build of https://openslide.org/download and name its libopenslide-1.dll with --openslide or SAMPO_OPENSLIDE`;
  return `install ${least}: pip install --user openslide-bin, or your system's libopenslide1, ${named}`;
}

/** The refusal of a slide where OpenSlide is not there: what was found, why not, what to install. */
export function needsOpenSlide(kind: string, why: string, install?: string): BridgeError {
  const viewer = 'open it in the viewer and use source "client"';
  return new BridgeError(
    'UnsupportedImage',
    `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind} is read through OpenSlide, and ${why}`,
    { hint: install === undefined ? viewer : `${install}; or ${viewer}` },
  );
}
