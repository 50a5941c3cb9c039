import { throwIfAborted } from '../../abort';
import { createHash, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { BridgeError } from '../../errors';
import { DecodedImage, FileImage } from './fileImage';
import { readImageHeader, type Warning } from './imageDecoder';
import { resolveImagePath } from './imagePaths';
import type { RgbPixels } from './pixels';
import type { ImageLevel } from './pyramid';
import { checkRegion, type Region } from './region';
import { ViewerImage, type ViewerReader } from './viewerImage';

export interface OpenRequest {
  readonly uri: string;
  readonly source: 'client' | 'file';
  /** Needed for `client`, px. */
  readonly width?: number;
  readonly height?: number;
  readonly pixelSizeMicrons?: number;
  readonly channels?: number;
}

/** An open image; what `image/open` answers, and `key`, the same for the same pixels in another session. */
export interface OpenImage {
  readonly imageId: string;
  readonly key: string;
  readonly source: 'client' | 'file';
  readonly uri: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bitsPerSample: number;
  readonly pixelSizeMicrons: number | null;
  readonly pixelSizeSource: 'client' | 'file' | 'unknown';
  readonly levels: readonly Pick<ImageLevel, 'width' | 'height' | 'downsample'>[];
  readonly warnings: readonly Warning[];
}

export interface ImageOptions {
  /** Folders whose images may be opened by path. */
  readonly roots: readonly string[];
  /** Most pixels of an untiled file. */
  readonly imagePixels?: number;
  /** Most pixels decoded for one region. */
  readonly regionPixels?: number;
  /** How long a viewer may take to send a region, ms. */
  readonly viewerTimeout?: number;
}

/** Where the pixels of an open image come from. */
interface Source {
  read(region: Region, signal?: AbortSignal): Promise<RgbPixels>;
  release(): void;
}

interface Entry {
  readonly image: OpenImage;
  readonly sessionId: string;
  readonly source: Source;
}

/** The open images of all sessions, and the one way to their pixels. */
export class ImageRegistry {
  readonly #options: Required<ImageOptions>;
  readonly #images = new Map<string, Entry>();
  readonly #decoded = new DecodedImage();

  constructor(options: ImageOptions) {
    this.#options = { imagePixels: 2 ** 28, regionPixels: 2 ** 26, viewerTimeout: 30_000, ...options };
  }

  /**
   * Opens an image for a session. @param reader needed for source `client`
   * @throws BridgeError `PathNotAllowed`, `FileNotFound`, `ImageUnreadable`, `UnsupportedImage`, `ImageTooLarge`, `InvalidParams`
   */
  async open(sessionId: string, request: OpenRequest, reader?: ViewerReader): Promise<OpenImage> {
    const { image, source } =
      request.source === 'file' ? await this.#openFile(request) : this.#openViewer(request, reader);
    this.#images.set(image.imageId, { image, sessionId, source });
    return image;
  }

  /** @throws BridgeError `ImageNotOpen` */
  get(imageId: string): OpenImage {
    return this.#entry(imageId).image;
  }

  /** The open images of a session, or of all. */
  list(sessionId?: string): OpenImage[] {
    return [...this.#images.values()]
      .filter((entry) => sessionId === undefined || entry.sessionId === sessionId)
      .map(({ image }) => image);
  }

  /** @throws BridgeError `ImageNotOpen`, for another session's image too */
  close(sessionId: string, imageId: string): void {
    const entry = this.#entry(imageId);
    if (entry.sessionId !== sessionId) throw notOpen(imageId);
    this.#forget(entry);
  }

  /** Closes what a client that is gone had open. @returns the ids */
  closeSession(sessionId: string): string[] {
    const gone = [...this.#images.values()].filter((entry) => entry.sessionId === sessionId);
    for (const entry of gone) this.#forget(entry);
    return gone.map(({ image }) => image.imageId);
  }

  /**
   * The pixels of a region, 8-bit RGB, `round(width / downsample)` × `round(height / downsample)` (at least 1 × 1): area
   * average when that is smaller than what is stored, bilinear when it is larger.
   * @param region inside the image; callers that want a border add it themselves
   * @throws BridgeError `ImageNotOpen`, `RegionOutOfImage`, `LimitExceeded`, `ImageUnreadable`, `ViewerTimeout`,
   * `PixelsInvalid`, `RequestCancelled`
   */
  async readRegion(imageId: string, region: Region, signal?: AbortSignal): Promise<RgbPixels> {
    const { image, source } = this.#entry(imageId);
    checkRegion(region, image);
    throwIfAborted(signal);
    return source.read(region, signal);
  }

  async #openFile(request: OpenRequest): Promise<{ image: OpenImage; source: Source }> {
    const path = await resolveImagePath(request.uri, this.#options.roots);
    const header = await readImageHeader(path, this.#options.imagePixels);
    const { size, mtimeMs } = await stat(path);
    const microns = request.pixelSizeMicrons ?? header.pixelSizeMicrons;
    const image: OpenImage = {
      imageId: randomUUID(),
      source: 'file',
      key: keyOf([path, size, mtimeMs]),
      uri: request.uri,
      width: header.width,
      height: header.height,
      channels: header.channels,
      bitsPerSample: header.bitsPerSample,
      pixelSizeMicrons: microns,
      pixelSizeSource:
        request.pixelSizeMicrons !== undefined ? 'client' : microns === null ? 'unknown' : 'file',
      levels: header.levels.map(({ width, height, downsample }) => ({ width, height, downsample })),
      // A size that the client gave needs no word about the file's.
      warnings: header.warnings.filter(
        ({ name }) => !name.startsWith('PixelSize') || request.pixelSizeMicrons === undefined,
      ),
    };
    return { image, source: new FileImage(path, header, this.#options.regionPixels, this.#decoded) };
  }

  #openViewer(request: OpenRequest, reader: ViewerReader | undefined): { image: OpenImage; source: Source } {
    const { uri, width, height, pixelSizeMicrons, channels = 3 } = request;
    if (width === undefined || height === undefined || reader === undefined) {
      throw new BridgeError('InvalidParams', 'an image with source "client" needs its width and height', {
        hint: 'give width and height in full-resolution pixels',
      });
    }
    const image: OpenImage = {
      imageId: randomUUID(),
      source: 'client',
      key: keyOf([uri, width, height]),
      uri,
      width,
      height,
      channels,
      bitsPerSample: 8,
      pixelSizeMicrons: pixelSizeMicrons ?? null,
      pixelSizeSource: pixelSizeMicrons === undefined ? 'unknown' : 'client',
      levels: [{ width, height, downsample: 1 }],
      warnings:
        pixelSizeMicrons === undefined
          ? [{ name: 'PixelSizeUnknown', message: 'the viewer does not say how large a pixel is' }]
          : [],
    };
    const { regionPixels, viewerTimeout } = this.#options;
    return {
      image,
      source: new ViewerImage({ imageId: image.imageId, uri }, reader, regionPixels, viewerTimeout),
    };
  }

  #entry(imageId: string): Entry {
    const entry = this.#images.get(imageId);
    if (entry === undefined) throw notOpen(imageId);
    return entry;
  }

  #forget({ image, source }: Entry): void {
    this.#images.delete(image.imageId);
    source.release();
  }
}

/** Names the same pixels the same way in every session. */
function keyOf(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function notOpen(imageId: string): BridgeError {
  return new BridgeError('ImageNotOpen', `no open image has the id ${imageId}`, { imageId });
}
