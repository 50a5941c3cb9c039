import type { RgbPixels } from '../pixels';

/** A library that was tried, and what came of it. */
export interface LibraryTrial {
  readonly library: string;
  readonly outcome: 'found' | 'tooOld' | 'unusable';
  /** As the library says it. */
  readonly version?: string;
  readonly reason?: string;
}

/** What OpenSlide says about a slide, before anything is made of it. Sizes in pixels. */
export interface SlideDescription {
  readonly vendor: string;
  /** Finest first. */
  readonly levels: readonly {
    readonly width: number;
    readonly height: number;
    readonly downsample: number;
  }[];
  /** All properties, by OpenSlide's names. */
  readonly properties: Readonly<Record<string, string>>;
  /** Label, macro and thumbnail images, which are not read. */
  readonly associated: readonly string[];
  readonly hasColourProfile: boolean;
}

/** Which file, in which state: another size or time makes it another slide. */
export interface SlideFile {
  readonly path: string;
  readonly stamp: string;
}

/** Pixels of a level, transparency laid over white, and how many of them the scanner left out. */
export interface SlidePixels extends RgbPixels {
  readonly leftOut: number;
}

/** What the OpenSlide process can be asked. */
export interface OpenSlideQuestions {
  /** Loads the first library that is new enough; the last trial is that one if any is. */
  readonly load: { readonly given: readonly string[]; readonly answer: readonly LibraryTrial[] };
  readonly describe: { readonly given: SlideFile; readonly answer: SlideDescription };
  readonly read: {
    readonly given: SlideFile & {
      readonly level: number;
      /** Full-resolution pixels. */
      readonly origin: { readonly x: number; readonly y: number };
      /** Pixels of the level. */
      readonly width: number;
      readonly height: number;
    };
    readonly answer: SlidePixels;
  };
  /** Closes the file. */
  readonly forget: { readonly given: Pick<SlideFile, 'path'>; readonly answer: null };
}
