import { randomUUID } from 'node:crypto';
import { throwIfAborted } from '../../abort';
import { BridgeError } from '../../errors';
import type { Warning } from '../warning';
import { DecodedImage, FileImage } from './fileImage';
import { IMAGE_FORMATS, openImageFile } from './imageFormats';
import { checkContent, checkStamp, fileStamp, keyOf, type FileStamp } from './imageIdentity';
import { canonicalUri, resolveImagePath } from './imagePaths';
import type { ImageRecords, ImageSettings } from './imageRecords';
import type { ImageFormat, ImageLevel, PixelSize } from './imageSource';
import { choosePixelSize, implausibleMicrons } from './pixelSize';
import type { RgbPixels } from './pixels';
import { checkRegion, type Region } from './region';
import { renderSource } from './rendering';
import type { StainMap, StainRequest } from './stains';
import { ViewerImage, type ViewerReader } from './viewerImage';

export interface OpenRequest {
  readonly uri: string;
  readonly source: 'client' | 'file';
  /** Needed for `client`, px. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** µm per px; kept with a file for later; null: forget what was given, take the file's own. */
  readonly pixelSizeMicrons?: number | null | undefined;
  readonly channels?: number | undefined;
  /** How channels are shown, of a file; kept for later; `auto` forgets what was given and guesses. */
  readonly stains?: StainRequest | undefined;
}

/** An open image; what `image/open` answers, and `key`, the same for the same pixels in another session. */
export interface OpenImage {
  readonly imageId: string;
  readonly key: string;
  /** The same for the same pixels, whatever the path and the time of the file; absent for a viewer's. */
  readonly contentKey?: string;
  readonly source: 'client' | 'file';
  /** The one name of the image: the real path of a file, however it was called; else what the viewer calls it. */
  readonly uri: string;
  /** `OME-TIFF`, `Aperio SVS`, … or `viewer`. */
  readonly format: string;
  /** Which picture of the file is shown and where its levels are, a sentence for people. */
  readonly picture: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly channelNames: readonly string[];
  readonly stains: StainMap;
  readonly bitsPerSample: number;
  readonly pixelSizeMicrons: number | null;
  /** The source of the pixel size, e.g. `OME-XML PhysicalSize`; null when it is unknown. */
  readonly pixelSizeFrom: string | null;
  readonly pixelSizeSource: 'client' | 'file' | 'unknown';
  readonly levels: readonly Pick<ImageLevel, 'width' | 'height' | 'downsample'>[];
  readonly warnings: readonly Warning[];
}

export interface ImageOptions {
  /** Folders whose images may be opened by path. */
  readonly roots: readonly string[];
  /** Most pixels of an untiled file. */
  readonly imagePixels?: number;
  /** The formats that are read by path. */
  readonly formats?: readonly ImageFormat[];
  /** Most pixels decoded for one region. */
  readonly regionPixels?: number;
  /** How long a viewer may take to send a region, ms. */
  readonly viewerTimeout?: number;
  /** Where what users said about images is kept; nowhere when absent. */
  readonly records?: ImageRecords | undefined;
}

/** Where the pixels of an open image come from. */
interface Source {
  read(region: Region, signal?: AbortSignal): Promise<RgbPixels>;
  release(): void;
}

interface Opened {
  readonly image: OpenImage;
  readonly source: Source;
  /** The file behind it, and what it held when it was opened. */
  readonly file?: { readonly path: string; readonly stamp: FileStamp } | undefined;
}

interface Entry extends Opened {
  readonly sessionId: string;
}

/** The open images of all sessions, and the one way to their pixels. */
export class ImageRegistry {
  readonly #options: Required<Omit<ImageOptions, 'records'>>;
  readonly #records: ImageRecords | undefined;
  readonly #images = new Map<string, Entry>();
  readonly #decoded = new DecodedImage();

  constructor({ records, ...options }: ImageOptions) {
    this.#records = records;
    this.#options = {
      imagePixels: 2 ** 28,
      regionPixels: 2 ** 26,
      viewerTimeout: 30_000,
      formats: IMAGE_FORMATS,
      ...options,
    };
  }

  /**
   * Opens an image for a session. @param reader needed for source `client`
   * @throws BridgeError `PathNotAllowed`, `FileNotFound`, `ImageUnreadable`, `UnsupportedImage`, `ImageTooLarge`, `InvalidParams`
   */
  async open(sessionId: string, request: OpenRequest, reader?: ViewerReader): Promise<OpenImage> {
    const opened =
      request.source === 'file' ? await this.#openFile(request) : await this.#openViewer(request, reader);
    this.#images.set(opened.image.imageId, { ...opened, sessionId });
    return opened.image;
  }

  /** @throws BridgeError `ImageNotOpen`; `ImageChanged` when the file is no longer the one that was opened */
  get(imageId: string): OpenImage {
    const { image, file } = this.#entry(imageId);
    if (file !== undefined) checkStamp(file.path, file.stamp);
    return image;
  }

  /** As `get`, and looks into the file too: for what is about to be asked of it. */
  async verified(imageId: string): Promise<OpenImage> {
    const { image, file } = this.#entry(imageId);
    if (file !== undefined) await checkContent(file.path, file.stamp);
    return image;
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
   * @throws BridgeError `ImageNotOpen`, `ImageChanged`, `RegionOutOfImage`, `LimitExceeded`, `ImageUnreadable`, `ViewerTimeout`,
   * `PixelsInvalid`, `RequestCancelled`
   */
  async readRegion(imageId: string, region: Region, signal?: AbortSignal): Promise<RgbPixels> {
    const { image, source, file } = this.#entry(imageId);
    checkRegion(region, image);
    if (file !== undefined) checkStamp(file.path, file.stamp);
    throwIfAborted(signal);
    return source.read(region, signal);
  }

  async #openFile(request: OpenRequest): Promise<Opened> {
    const path = await resolveImagePath(request.uri, this.#options.roots, 'file or folder');
    const stamp = await fileStamp(path);
    const said = this.#settings(path, stamp, request);
    const file = await openImageFile(path, this.#options, this.#options.formats);
    const rendered = await renderSource(file, said.settings.stains);
    const size = chosenSize(request, said.settings.pixelSizeMicrons, file.pixelSize);
    const { width, height, bitsPerSample, format, picture, levels } = file;
    const image: OpenImage = {
      imageId: randomUUID(),
      source: 'file',
      // The same content shown in other colours is other pixels.
      key: keyOf([path, stamp, rendered.stains, rendered.limits]),
      contentKey: keyOf([stamp.size, stamp.hash, rendered.stains, rendered.limits]),
      uri: path,
      format,
      picture,
      width,
      height,
      channels: file.channels.length,
      channelNames: file.channels.map(({ name }) => name),
      stains: rendered.stains,
      bitsPerSample,
      ...size.answer,
      levels: levels.map(({ width, height, downsample }) => ({ width, height, downsample })),
      warnings: [...file.warnings, ...rendered.warnings, ...size.warnings, ...said.warnings],
    };
    const source = new FileImage(rendered.source, this.#options.regionPixels, this.#decoded);
    return { image, source, file: { path, stamp } };
  }

  async #openViewer(request: OpenRequest, reader: ViewerReader | undefined): Promise<Opened> {
    const { width, height, channels = 3, stains } = request;
    if (width === undefined || height === undefined || reader === undefined) {
      throw new BridgeError('InvalidParams', 'an image with source "client" needs its width and height', {
        hint: 'give width and height in full-resolution pixels',
      });
    }
    if (Array.isArray(stains)) {
      throw new BridgeError('InvalidParams', 'a stain map is for an image with source "file"', {
        hint: 'show the channels in the viewer as they should be searched, or open the file with source "file"',
      });
    }
    const uri = await canonicalUri(request.uri, this.#options.roots);
    // A viewer says what its image has; only where it does not, what the user said to another command counts.
    const remembered = this.#records?.get(uri, undefined)?.settings.pixelSizeMicrons;
    const size = chosenSize(request, request.pixelSizeMicrons ?? remembered, {
      ...choosePixelSize([]),
      warnings: [{ name: 'PixelSizeUnknown', message: 'the viewer does not say how large a pixel is' }],
    });
    const image: OpenImage = {
      imageId: randomUUID(),
      source: 'client',
      key: keyOf([uri, width, height]),
      uri,
      format: 'viewer',
      picture: 'as the viewer shows it',
      width,
      height,
      channels,
      channelNames: Array.from({ length: channels }, (_, index) => `channel ${index + 1}`),
      stains: 'rgb',
      bitsPerSample: 8,
      ...size.answer,
      levels: [{ width, height, downsample: 1 }],
      warnings: size.warnings,
    };
    const { regionPixels, viewerTimeout } = this.#options;
    const names = { imageId: image.imageId, uri: request.uri };
    return { image, source: new ViewerImage(names, reader, regionPixels, viewerTimeout) };
  }

  /** What the user says now, else what was said about the same content before; what is new is kept. */
  #settings(
    uri: string,
    stamp: FileStamp,
    { pixelSizeMicrons, stains }: OpenRequest,
  ): { settings: ImageSettings; warnings: readonly Warning[] } {
    const content = keyOf([stamp]);
    const record = this.#records?.get(uri, content);
    const before = record?.sameContent === true ? record.settings : {};
    const settings: ImageSettings = {
      pixelSizeMicrons:
        pixelSizeMicrons === undefined ? before.pixelSizeMicrons : (pixelSizeMicrons ?? undefined),
      stains: stains === undefined ? before.stains : stains === 'auto' ? undefined : stains,
    };
    if (pixelSizeMicrons !== undefined || stains !== undefined) this.#records?.set(uri, content, settings);
    const outdated = record !== undefined && !record.sameContent && keyOf([settings]) === keyOf([{}]);
    const message =
      'the pixel size or stains given for this file earlier are not used: its content has changed since';
    return { settings, warnings: outdated ? [{ name: 'SettingsOutdated', message }] : [] };
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

/** The pixel size that counts, where it is from, and what should be said about it. */
function chosenSize(
  request: OpenRequest,
  given: number | undefined,
  file: PixelSize,
): {
  answer: Pick<OpenImage, 'pixelSizeMicrons' | 'pixelSizeSource' | 'pixelSizeFrom'>;
  warnings: readonly Warning[];
} {
  if (given === undefined) {
    const { microns, from, warnings } = file;
    const pixelSizeSource = microns === null ? 'unknown' : 'file';
    return { answer: { pixelSizeMicrons: microns, pixelSizeSource, pixelSizeFrom: from }, warnings };
  }
  const now = request.pixelSizeMicrons === given;
  const warnings: Warning[] = [];
  if (!now) {
    const message = `the pixel size of ${given} µm is the one that was given for this image earlier`;
    warnings.push({ name: 'PixelSizeRemembered', message });
  }
  if (implausibleMicrons(given) !== undefined) {
    const message = `the given pixel size of ${given} µm is no microscope's (0.02 to 20 µm): check its unit`;
    warnings.push({ name: 'PixelSizeUncertain', message });
  }
  return {
    answer: {
      pixelSizeMicrons: given,
      pixelSizeSource: 'client',
      pixelSizeFrom: now ? 'given when the image was opened' : 'given earlier for this image',
    },
    warnings,
  };
}

function notOpen(imageId: string): BridgeError {
  return new BridgeError('ImageNotOpen', `no open image has the id ${imageId}`, { imageId });
}
