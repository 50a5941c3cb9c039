import { bounded } from '../../abort';
import { BridgeError } from '../../errors';
import { decodeBytes } from './imageDecoder';
import { toRgb8, type Pixels, type RgbPixels } from './pixels';
import { checkRegionPixels, outputSize, type Region } from './region';

/** Pixels as a viewer sends them; `data` holds the file for `png` and `jpeg`, the samples for `raw`. */
export interface EncodedPixels {
  readonly encoding: 'png' | 'jpeg' | 'raw';
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Asks the viewer for pixels (`image/readRegion`, server to client). */
export type ViewerReader = (
  request: Region & { readonly imageId: string; readonly uri: string },
  signal: AbortSignal,
) => Promise<EncodedPixels>;

/** An image whose pixels only its viewer has. */
export class ViewerImage {
  readonly #names: { readonly imageId: string; readonly uri: string };
  readonly #reader: ViewerReader;
  readonly #regionPixels: number;
  readonly #timeout: number;

  /** @param timeout how long the viewer may take, ms */
  constructor(
    names: { readonly imageId: string; readonly uri: string },
    reader: ViewerReader,
    regionPixels: number,
    timeout: number,
  ) {
    this.#names = names;
    this.#reader = reader;
    this.#regionPixels = regionPixels;
    this.#timeout = timeout;
  }

  /** @throws BridgeError `LimitExceeded`, `ViewerTimeout`, `PixelsInvalid`, `RequestCancelled`, and what the reader throws */
  async read(region: Region, signal?: AbortSignal): Promise<RgbPixels> {
    const expected = outputSize(region);
    checkRegionPixels(expected.width * expected.height, this.#regionPixels);
    const request = { ...this.#names, ...region };
    const late = () =>
      new BridgeError('ViewerTimeout', `the viewer sent no pixels within ${this.#timeout / 1000} s`, {
        hint: 'check that the image is still open in the viewer',
        retryable: true,
      });
    const deadline = { ms: this.#timeout, error: late };
    const encoded = await bounded({ signal, deadline }, (inner) => this.#reader(request, inner));
    return encoded.encoding === 'raw' ? fromRaw(encoded, expected) : decodeBytes(encoded.data, expected);
  }

  release(): void {
    // The viewer keeps its own image.
  }
}

function fromRaw(
  { width, height, channels, data }: EncodedPixels,
  expected: { readonly width: number; readonly height: number },
): RgbPixels {
  const sized =
    width === expected.width && height === expected.height && data.length === width * height * channels;
  if (!sized || ![1, 2, 3, 4].includes(channels)) {
    throw new BridgeError(
      'PixelsInvalid',
      `${expected.width} x ${expected.height} was asked for; ${data.length} bytes came as ${width} x ${height} x ${channels}`,
      { ...expected },
    );
  }
  return toRgb8({ width, height, channels: channels as Pixels['channels'], data });
}
