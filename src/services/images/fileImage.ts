import type { RgbSource } from './imageSource';
import { crop, resample, type RgbPixels } from './pixels';
import { levelFor } from './pyramid';
import { checkRegionPixels, outputSize, type Region } from './region';

/** An untiled file of at most this many pixels (3 bytes each) is decoded once and kept while it is the last one read. */
const KEPT_PIXELS = 16_000_000;

/** Room for one decoded image, shared by all files: the last one read has it. */
export class DecodedImage {
  #owner: FileImage | undefined;
  #pixels: Promise<RgbPixels> | undefined;

  get(owner: FileImage, decode: () => Promise<RgbPixels>): Promise<RgbPixels> {
    if (this.#owner !== owner || this.#pixels === undefined) {
      const pixels = decode();
      this.#owner = owner;
      this.#pixels = pixels;
      pixels.catch(() => this.drop(owner));
    }
    return this.#pixels;
  }

  drop(owner: FileImage): void {
    if (this.#owner === owner) this.#owner = this.#pixels = undefined;
  }
}

/** An image file that the server reads itself. */
export class FileImage {
  readonly #source: RgbSource;
  readonly #regionPixels: number;
  readonly #decoded: DecodedImage;

  constructor(source: RgbSource, regionPixels: number, decoded: DecodedImage) {
    this.#source = source;
    this.#regionPixels = regionPixels;
    this.#decoded = decoded;
  }

  /** @param region inside the image @throws BridgeError `LimitExceeded`, `ImageUnreadable` */
  async read(region: Region, signal?: AbortSignal): Promise<RgbPixels> {
    const source = this.#source;
    const index = levelFor(source.levels, region.downsample);
    const level = source.levels[index]!;
    const xScale = source.width / level.width;
    const yScale = source.height / level.height;
    const window = {
      x: region.x / xScale,
      y: region.y / yScale,
      width: region.width / xScale,
      height: region.height / yScale,
    };
    const across = wholePixels(window.x, window.width, level.width);
    const down = wholePixels(window.y, window.height, level.height);
    const rectangle = { x: across.first, y: down.first, width: across.count, height: down.count };
    const { width, height } = outputSize(region);
    checkRegionPixels(Math.max(rectangle.width * rectangle.height, width * height), this.#regionPixels);
    const decoded =
      !source.tiled && source.width * source.height <= KEPT_PIXELS
        ? crop(await this.#whole(), rectangle)
        : await source.readRegion(index, rectangle, signal);
    const asStored = level.downsample === region.downsample;
    if (asStored && decoded.width === width && decoded.height === height) return decoded;
    return resample(
      decoded,
      { ...window, x: window.x - rectangle.x, y: window.y - rectangle.y },
      width,
      height,
    );
  }

  release(): void {
    this.#decoded.drop(this);
    // Nobody waits for it: what fails while closing has no reader left.
    this.#source.close().catch(() => undefined);
  }

  /** The whole of an untiled file: reading it tile by tile would decode the rows above each tile again. */
  #whole(): Promise<RgbPixels> {
    const { width, height } = this.#source;
    return this.#decoded.get(this, () => this.#source.readRegion(0, { x: 0, y: 0, width, height }));
  }
}

/** The whole pixels that [start, start + length) touches, within 0 … limit − 1. */
function wholePixels(start: number, length: number, limit: number): { first: number; count: number } {
  const first = Math.min(limit - 1, Math.floor(start + 1e-6));
  return { first, count: Math.min(limit, Math.max(first + 1, Math.ceil(start + length - 1e-6))) - first };
}
