import { isTiff, readImageHeader } from './imageDecoder';
import type { ImageFormat } from './imageSource';
import { headerSource } from './plainFormat';

/** TIFF and BigTIFF: OME-TIFF, SVS with JPEG tiles, ImageJ and plain ones. */
export const tiffFormat: ImageFormat = {
  name: 'TIFF',
  sniff: isTiff,
  open: async (path, { imagePixels }) => headerSource(path, await readImageHeader(path, imagePixels)),
};
