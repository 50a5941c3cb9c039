import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isBridgeError } from '../../../src/errors';
import { openImageFile } from '../../../src/services/images/imageFormats';
import type { ImageFormat, PixelRectangle, RgbSource } from '../../../src/services/images/imageSource';
import { resample, type RgbPixels } from '../../../src/services/images/pixels';
import { renderSource } from '../../../src/services/images/rendering';

/** One file of a format, and what it must come out as. */
export interface FormatFile {
  /** Writes the file (or folder) into `folder`. @returns its path */
  write(folder: string): Promise<string> | string;
  /** The full resolution as RGB. */
  readonly truth: RgbPixels;
  /** Downsamples of the levels, 1 first. */
  readonly levels: readonly number[];
  /** Largest difference of a sample that the format's compression may make. */
  readonly tolerance: number;
  /** µm per px that the file says, null where it says nothing. */
  readonly pixelSizeMicrons: number | null;
}

const LIMITS = { imagePixels: 2 ** 24 };

/** The suite that every row of `IMAGE_FORMATS` passes: size, levels, regions, pixel size, and what damage does. */
export function formatSuite(
  format: ImageFormat,
  files: Readonly<Record<string, FormatFile>>,
  formats: readonly ImageFormat[] = [format],
): void {
  describe.each(Object.entries(files))(`${format.name}: %s`, (_, file) => {
    const { truth, levels, tolerance, pixelSizeMicrons } = file;
    let folder: string;
    let path: string;
    let source: RgbSource;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sampo-format-'));
      path = await file.write(folder);
      source = await asStored(path, formats);
    });
    afterAll(async () => {
      await source.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test('says its size, levels and pixel size', () => {
      expect({ width: source.width, height: source.height }).toEqual({
        width: truth.width,
        height: truth.height,
      });
      expect(source.levels.map(({ downsample }) => Math.round(downsample))).toEqual(levels);
      expect(source.levels[0]).toMatchObject({ width: truth.width, height: truth.height, downsample: 1 });
      expect(source.format).not.toBe('');
      if (pixelSizeMicrons === null) {
        expect(source.pixelSize).toMatchObject({ microns: null, from: null });
        expect(source.pixelSize.warnings.map(({ name }) => name)).toContain('PixelSizeUnknown');
      } else {
        expect(source.pixelSize.microns).toBeCloseTo(pixelSizeMicrons, 6);
        expect(source.pixelSize.from).toMatch(/\w/);
      }
    });

    test('the whole is the truth', async () => {
      const whole = await source.readRegion(0, all(truth));
      expect(difference(whole, truth)).toBeLessThanOrEqual(tolerance);
    });

    test('parts are what the whole is: corners, single pixels, rows across tiles', async () => {
      const { width, height } = truth;
      const whole = await source.readRegion(0, all(truth));
      const parts: PixelRectangle[] = [
        { x: 0, y: 0, width: 1, height: 1 },
        { x: width - 1, y: height - 1, width: 1, height: 1 },
        { x: 0, y: Math.floor(height / 2), width, height: 1 },
        { x: Math.floor(width / 3), y: 0, width: 2, height },
        { x: Math.floor(width / 4), y: Math.floor(height / 4), width: 37, height: 23 },
      ];
      for (const part of parts) {
        const pixels = await source.readRegion(0, part);
        expect(pixels).toMatchObject({ width: part.width, height: part.height, channels: 3 });
        expect(difference(pixels, resample(whole, part, part.width, part.height))).toBe(0);
      }
    });

    test('every level shows the same picture', async () => {
      for (const [index, level] of source.levels.entries()) {
        const pixels = await source.readRegion(index, all(level));
        expect(pixels).toMatchObject({ width: level.width, height: level.height });
        const expected = resample(truth, all(truth), level.width, level.height);
        expect(meanDifference(pixels, expected)).toBeLessThanOrEqual(tolerance + 3);
      }
    });

    test('regions read at the same time do not mix', async () => {
      const part = (x: number): PixelRectangle => ({ x, y: 1, width: 5, height: 9 });
      const lefts = Array.from({ length: 16 }, (_, index) => index * 3);
      const alone: RgbPixels[] = [];
      for (const x of lefts) alone.push(await source.readRegion(0, part(x)));
      const together = await Promise.all(lefts.map((x) => source.readRegion(0, part(x))));
      expect(together).toEqual(alone);
    });

    test('a file cut short is refused or fails by name; it never gives other pixels', async () => {
      if (statSync(path).isDirectory()) return;
      const whole = await source.readRegion(0, all(truth));
      for (const share of [0.1, 0.5, 0.9]) {
        const cut = join(folder, `cut-${basename(path)}`);
        copyFileSync(path, cut);
        truncateSync(cut, Math.floor(statSync(path).size * share));
        const outcome = await readWhole(cut, formats).catch((error: unknown) => error);
        if (isBridgeError(outcome)) {
          expect(['ImageUnreadable', 'UnsupportedImage']).toContain(outcome.errorName);
        } else {
          expect(outcome).toEqual(whole);
        }
      }
    });
  });

  test(`${format.name} leaves other files alone`, async () => {
    expect(await format.sniff(new Uint8Array(), '/nothing')).toBe(false);
    expect(await format.sniff(Buffer.from('hello, this is no image'), '/text.txt')).toBe(false);
  });
}

/** The file without a guess at stains: a grey picture as grey, of several channels the first. */
async function asStored(path: string, formats: readonly ImageFormat[]): Promise<RgbSource> {
  return (await renderSource(await openImageFile(path, LIMITS, formats), 'rgb')).source;
}

async function readWhole(path: string, formats: readonly ImageFormat[]): Promise<RgbPixels> {
  const source = await asStored(path, formats);
  try {
    return await source.readRegion(0, all(source));
  } finally {
    await source.close();
  }
}

function all({ width, height }: { readonly width: number; readonly height: number }): PixelRectangle {
  return { x: 0, y: 0, width, height };
}

function difference(a: RgbPixels, b: RgbPixels): number {
  return a.data.reduce((worst, sample, at) => Math.max(worst, Math.abs(sample - b.data[at]!)), 0);
}

function meanDifference(a: RgbPixels, b: RgbPixels): number {
  return a.data.reduce((sum, sample, at) => sum + Math.abs(sample - b.data[at]!), 0) / a.data.length;
}
