import { open, stat } from 'node:fs/promises';
import { BridgeError, isBridgeError } from '../../errors';
import { HEADER_BYTES, type ImageFormat, type ImageLimits, type ImageSource } from './imageSource';
import { jpegFormat, pngFormat } from './plainFormat';
import type { OpenSlide } from './openSlide/openSlide';
import { slideFormat } from './openSlide/slideFormat';
import { tiffFormat } from './tiffFormat';
import type { OmeZarr } from './zarr/omeZarr';
import { omeZarrFormat } from './zarr/omeZarrFormat';

/** Libraries outside this process that some formats need; without one, its formats are refused by name. */
export interface ImageReaders {
  readonly openSlide?: OpenSlide;
  readonly omeZarr?: OmeZarr;
}

/** Every format the server reads by path, in the order in which they are asked. A new one is a row here. */
export function imageFormats({ openSlide, omeZarr }: ImageReaders): readonly ImageFormat[] {
  return [slideFormat(openSlide), pngFormat, jpegFormat, tiffFormat, omeZarrFormat(omeZarr)];
}

/** The formats that need nothing but this process. */
export const IMAGE_FORMATS: readonly ImageFormat[] = imageFormats({});

/**
 * Opens an image file with the first format that knows it and can read it rightly.
 * @param path the real path of a file (or of a folder, for formats that are folders)
 * @throws BridgeError `UnsupportedImage`, `ImageUnreadable`, `ImageTooLarge`, each naming what was found
 */
export async function openImageFile(
  path: string,
  limits: ImageLimits,
  formats: readonly ImageFormat[] = IMAGE_FORMATS,
): Promise<ImageSource> {
  const header = await firstBytes(path);
  let refusal: BridgeError | undefined;
  for (const format of formats) {
    if (!(await format.sniff(header, path))) continue;
    try {
      return await format.open(path, limits);
    } catch (error) {
      if (!isBridgeError(error)) throw unreadable(error);
      if (error.errorName !== 'UnsupportedImage' || format.exclusive === true) throw error;
      refusal ??= error;
    }
  }
  throw (
    refusal ??
    new BridgeError(
      'UnsupportedImage',
      `the file is neither ${formats
        .map(({ name }) => name)
        .join(', ')
        .replace(/, ([^,]*)$/, ' nor $1')}`,
      { hint: 'open it in the viewer and use source "client"' },
    )
  );
}

async function firstBytes(path: string): Promise<Uint8Array> {
  if ((await stat(path)).isDirectory()) return new Uint8Array();
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function unreadable(error: unknown): BridgeError {
  const reason = error instanceof Error ? error.message : String(error);
  return new BridgeError('ImageUnreadable', `the image cannot be read: ${reason}`, { reason });
}
