import { stat } from 'node:fs/promises';
import { BridgeError, isBridgeError } from '../../../errors';
import type { Warning } from '../../warning';
import { withFile } from '../byteSource';
import { HEADER_BYTES, type ImageFormat, type PixelRectangle, type RgbSource } from '../imageSource';
import { needsOpenSlide, type OpenSlide } from './openSlide';
import type { SlideDescription, SlidePixels } from './openSlideQuestions';
import {
  overviewRectangles,
  readLevels,
  scannedArea,
  slidePixelSize,
  type ScannedArea,
} from './slideGeometry';
import { slideKind, type SlideKind } from './slideKind';

/**
 * Slides of scanners, through OpenSlide. The row stands before TIFF and JPEG: most slides look like one of them.
 * @param openSlide without it they are refused by name
 */
export function slideFormat(openSlide: OpenSlide | undefined): ImageFormat {
  return {
    name: 'slides of scanners (through OpenSlide)',
    exclusive: true,
    sniff: async (header, path) => (await slideKind(header, path)) !== undefined,
    open: async (path) => {
      const kind = await slideKind(await withFile(path, (file) => file.read(0, HEADER_BYTES)), path);
      if (kind === undefined) throw new BridgeError('UnsupportedImage', 'the file is no slide of a scanner');
      if (openSlide === undefined) throw needsOpenSlide(kind, 'this server was started without it');
      return openSlideFile(openSlide, kind, path);
    },
  };
}

async function openSlideFile(openSlide: OpenSlide, kind: SlideKind, path: string): Promise<RgbSource> {
  const reader = await openSlide.process(kind);
  const { size, mtimeMs } = await stat(path);
  const file = { path, stamp: `${size} bytes of ${mtimeMs}` };
  const slide = await reader.ask('describe', file, path).catch((error: unknown) => {
    throw inKind(error, kind);
  });
  const [full] = slide.levels;
  if (full === undefined || full.width < 1 || full.height < 1)
    throw new BridgeError('ImageUnreadable', `OpenSlide finds no image in this ${kind}`);
  const area = scannedArea(slide);
  const levels = readLevels(slide, area);
  const readPixels = async (
    index: number,
    rectangle: PixelRectangle,
    signal?: AbortSignal,
  ): Promise<SlidePixels> => {
    const { width, height } = rectangle;
    const level = levels[index]!;
    const origin = {
      x: area.x + Math.round((rectangle.x * area.width) / level.width),
      y: area.y + Math.round((rectangle.y * area.height) / level.height),
    };
    const about = `${path}, ${width} x ${height} pixels at (${rectangle.x}, ${rectangle.y}) of level ${index}`;
    return reader.ask('read', { ...file, level: index, origin, width, height }, about, signal);
  };
  return {
    kind: 'rgb',
    format: kind,
    picture: `${kind}: ${levels.length} levels through OpenSlide (vendor "${slide.vendor}")`,
    width: area.width,
    height: area.height,
    levels,
    bitsPerSample: 8,
    channels: ['red', 'green', 'blue'].map((name) => ({ name })),
    pixelSize: slidePixelSize(slide),
    warnings: [
      ...areaWarning(slide, area),
      ...profileWarning(slide),
      ...(await overviewWarnings(levels, readPixels)),
    ],
    tiled: true,
    readRegion: readPixels,
    close: async () => {
      await reader.ask('forget', { path }, path);
    },
  };
}

function areaWarning({ levels }: SlideDescription, { x, y, width, height }: ScannedArea): Warning[] {
  const full = levels[0]!;
  if (width === full.width && height === full.height) return [];
  const message = `of ${full.width} x ${full.height} pixels only the scanned ${width} x ${height} are used; coordinates count from (${x}, ${y}) of the slide, as in QuPath`;
  return [{ name: 'ScannedAreaOnly', message }];
}

function profileWarning({ hasColourProfile }: SlideDescription): Warning[] {
  if (!hasColourProfile) return [];
  return [
    {
      name: 'ColourProfileIgnored',
      message: 'the slide has a colour profile; its pixels are taken as stored',
    },
  ];
}

/**
 * What the coarsest and the finest level show of parts that were never scanned (a coarse level may have them filled). A level
 * that cannot be read is told too: the others may still serve.
 */
async function overviewWarnings(
  levels: RgbSource['levels'],
  read: (level: number, rectangle: PixelRectangle) => Promise<SlidePixels>,
): Promise<Warning[]> {
  const warnings: Warning[] = [];
  let share = 0;
  for (const index of new Set([levels.length - 1, 0])) {
    try {
      const parts = await Promise.all(overviewRectangles(levels[index]!).map((part) => read(index, part)));
      const pixels = parts.reduce((sum, { width, height }) => sum + width * height, 0);
      share = Math.max(share, parts.reduce((sum, { leftOut }) => sum + leftOut, 0) / pixels);
    } catch (error) {
      if (!isBridgeError(error)) throw error;
      warnings.push({ name: 'LevelUnreadable', message: `level ${index} cannot be read: ${error.message}` });
    }
  }
  if (share === 0) return warnings;
  const percent = Math.max(1, Math.round(100 * share));
  const message = `about ${percent} % of the slide was not scanned and is shown white`;
  return [...warnings, { name: 'NotScannedIsWhite', message }];
}

/** An error of the library, which does not say what kind of file it was taken for. */
function inKind(error: unknown, kind: SlideKind): unknown {
  if (!isBridgeError(error)) return error;
  return new BridgeError(error.errorName, `this ${kind} cannot be opened: ${error.message}`, error.data);
}
