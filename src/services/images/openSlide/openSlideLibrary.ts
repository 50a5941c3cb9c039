import koffi from 'koffi';

// The C interface of OpenSlide 4, as `openslide.h` declares it. The only place that touches native code through koffi; it runs
// in the OpenSlide process and nowhere else.

/** An `openslide_t *`. */
export type SlidePointer = bigint;

/** The functions of a loaded library. Strings that OpenSlide lends are copied. */
export interface OpenSlideLibrary {
  readonly version: string;
  /** Null for a file that OpenSlide does not know; a slide with an error on it for one that it cannot read. */
  open(path: string): Promise<SlidePointer | null>;
  close(slide: SlidePointer): void;
  /** What went wrong, or null. After an error a slide answers nothing but it. */
  error(slide: SlidePointer): string | null;
  levelCount(slide: SlidePointer): number;
  /** Width and height, px. */
  levelSize(slide: SlidePointer, level: number): readonly [number, number];
  downsample(slide: SlidePointer, level: number): number;
  propertyNames(slide: SlidePointer): string[];
  property(slide: SlidePointer, name: string): string | null;
  associatedNames(slide: SlidePointer): string[];
  colourProfileBytes(slide: SlidePointer): number;
  /**
   * Reads on a thread of its own. @param x @param y full-resolution pixels @param width @param height pixels of the level
   * @returns premultiplied ARGB, one 32-bit word a pixel; all 0 when the slide has an error
   */
  read(
    slide: SlidePointer,
    level: number,
    x: number,
    y: number,
    width: number,
    height: number,
  ): Promise<Uint32Array>;
}

/** The version that a library says it has. @throws Error when it cannot be loaded or is none */
export function libraryVersion(path: string): string {
  const version = koffi.load(path).func('const char *openslide_get_version()') as () => string;
  return version();
}

/** @throws Error when a function is missing: only 4.0.0 and newer have all */
export function loadOpenSlide(path: string): OpenSlideLibrary {
  const library = koffi.load(path);
  const bind = (prototype: string) => library.func(prototype);
  const open = bind('void *openslide_open(const char *path)');
  const close = bind('void openslide_close(void *slide)');
  const error = bind('const char *openslide_get_error(void *slide)');
  const levelCount = bind('int32_t openslide_get_level_count(void *slide)');
  const levelSize = bind(
    'void openslide_get_level_dimensions(void *slide, int32_t level, _Out_ int64_t *width, _Out_ int64_t *height)',
  );
  const downsample = bind('double openslide_get_level_downsample(void *slide, int32_t level)');
  const propertyNames = bind('const char **openslide_get_property_names(void *slide)');
  const property = bind('const char *openslide_get_property_value(void *slide, const char *name)');
  const associatedNames = bind('const char **openslide_get_associated_image_names(void *slide)');
  const colourProfileBytes = bind('int64_t openslide_get_icc_profile_size(void *slide)');
  const read = bind(
    'void openslide_read_region(void *slide, uint32_t *pixels, int64_t x, int64_t y, int32_t level, int64_t width, int64_t height)',
  );
  return {
    version: libraryVersion(path),
    open: (slidePath) => inThread<SlidePointer | null>(open, slidePath),
    close: (slide) => void close(slide),
    error: (slide) => error(slide) as string | null,
    levelCount: (slide) => levelCount(slide) as number,
    levelSize: (slide, level) => {
      const width = [0];
      const height = [0];
      levelSize(slide, level, width, height);
      return [Number(width[0]), Number(height[0])];
    },
    downsample: (slide, level) => downsample(slide, level) as number,
    propertyNames: (slide) => strings(propertyNames(slide)),
    property: (slide, name) => property(slide, name) as string | null,
    associatedNames: (slide) => strings(associatedNames(slide)),
    colourProfileBytes: (slide) => Number(colourProfileBytes(slide)),
    read: async (slide, level, x, y, width, height) => {
      const pixels = new Uint32Array(width * height);
      await inThread<void>(read, slide, pixels, x, y, level, width, height);
      return pixels;
    },
  };
}

/** Most names OpenSlide is believed to list. */
const MOST_NAMES = 100_000;

/** A list of C strings that ends with NULL, copied. */
function strings(list: unknown): string[] {
  const copied: string[] = [];
  if (list === null) return copied;
  while (copied.length < MOST_NAMES) {
    const name = koffi.decode(list, copied.length * koffi.sizeof('char *'), 'const char *') as string | null;
    if (name === null) break;
    copied.push(name);
  }
  return copied;
}

function inThread<Result>(
  native: ReturnType<ReturnType<typeof koffi.load>['func']>,
  ...given: unknown[]
): Promise<Result> {
  return new Promise((resolve, reject) => {
    native.async(...given, (error: Error | null, result: Result) =>
      error === null || error === undefined ? resolve(result) : reject(error),
    );
  });
}
