import type { ImageLevel, PixelRectangle, PixelSize } from '../imageSource';
import { choosePixelSize } from '../pixelSize';
import type { SlideDescription } from './openSlideQuestions';

// What a slide's description means for the image that is searched. Pure.

/** The part of a slide that was scanned, in full-resolution pixels of the slide. */
export interface ScannedArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The area that the scanner says it scanned (`openslide.bounds-…`), or the whole slide. Coordinates count from its corner, as in
 * QuPath, so that clicks and outlines of QuPath fit.
 */
export function scannedArea({ levels, properties }: SlideDescription): ScannedArea {
  const { width, height } = levels[0]!;
  const bound = (side: string) => Number(properties[`openslide.bounds-${side}`] ?? NaN);
  const area = { x: bound('x'), y: bound('y'), width: bound('width'), height: bound('height') };
  const inside =
    Object.values(area).every(Number.isInteger) &&
    area.x >= 0 &&
    area.y >= 0 &&
    area.width >= 1 &&
    area.height >= 1 &&
    area.x + area.width <= width &&
    area.y + area.height <= height;
  return inside ? area : { x: 0, y: 0, width, height };
}

/** The slide's levels, of which only `area` is used. */
export function readLevels({ levels }: SlideDescription, area: ScannedArea): readonly ImageLevel[] {
  const full = levels[0]!;
  const isWhole = area.width === full.width && area.height === full.height;
  return levels.map(({ width, height, downsample }) => ({
    width: isWhole ? width : Math.max(1, Math.round(area.width / downsample)),
    height: isWhole ? height : Math.max(1, Math.round(area.height / downsample)),
    downsample,
  }));
}

/** Most pixels of a level read at open to see what the scanner left out. */
const OVERVIEW_PIXELS = 2 ** 20;
/** Of a larger level, so many parts in each direction are read instead of the whole, and so wide, px. */
const SAMPLED = { across: 4, side: 256 } as const;

/** Parts of a level that stand for it: itself when it is small, or parts spread evenly over it. */
export function overviewRectangles({ width, height }: ImageLevel): PixelRectangle[] {
  if (width * height <= OVERVIEW_PIXELS) return [{ x: 0, y: 0, width, height }];
  const { across, side } = SAMPLED;
  const part = { width: Math.min(side, width), height: Math.min(side, height) };
  return Array.from({ length: across * across }, (_, index) => ({
    x: Math.floor(((width - part.width) * (index % across)) / (across - 1)),
    y: Math.floor(((height - part.height) * Math.floor(index / across)) / (across - 1)),
    ...part,
  }));
}

/** µm per pixel as OpenSlide gives it, from whatever the scanner wrote. */
export function slidePixelSize({ properties }: SlideDescription): PixelSize {
  const from = 'OpenSlide openslide.mpp-x';
  const number = (name: string) => (properties[name] === undefined ? undefined : Number(properties[name]));
  const [x, y] = [number('openslide.mpp-x'), number('openslide.mpp-y')];
  const power = properties['openslide.objective-power'];
  if (x !== undefined || y !== undefined) return choosePixelSize([{ from, x, y }]);
  return choosePixelSize(
    power === undefined ? [] : [{ from: 'objective power', problem: `${power} times is no size of a pixel` }],
  );
}
