import { cancelled } from '../../abort';
import type { Handler } from '../../protocol/handler';
import type { ViewerReader } from '../../services/images/viewerImage';
import type { Services } from '../services';
import type { Session } from '../session';

/** `image/open` */
export function open(services: Services): Handler<Session, 'image/open'> {
  return async (params, { session }) => {
    const image = await services.images.open(session.id, params, viewerReader(session, services));
    // The client left while its file was read: nobody would close the image.
    if (session.closed) {
      services.images.close(session.id, image.imageId);
      throw cancelled('the connection is closed');
    }
    const { imageId, format, picture, width, height, channels, channelNames, stains } = image;
    const { bitsPerSample, pixelSizeMicrons, pixelSizeSource, pixelSizeFrom, levels, warnings } = image;
    return {
      imageId,
      format,
      picture,
      width,
      height,
      channels,
      channelNames: [...channelNames],
      stains:
        stains === 'rgb' ? stains : stains.map(({ channel, stain }) => ({ channel: channel + 1, stain })),
      bitsPerSample,
      pixelSizeMicrons,
      pixelSizeSource,
      pixelSizeFrom,
      levels,
      warnings,
    };
  };
}

/** `image/close` */
export function close(services: Services): Handler<Session, 'image/close'> {
  return async ({ imageId }, { session }) => {
    services.images.close(session.id, imageId);
    services.results.closeImage(imageId);
    return null;
  };
}

/** `image/region` */
export function region(services: Services): Handler<Session, 'image/region'> {
  return async ({ imageId, downsample = 1, ...rectangle }, { signal }) => {
    const pixels = await services.images.readRegion(imageId, { ...rectangle, downsample }, signal);
    const png = await services.encodePng(pixels);
    return {
      base64: Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64'),
      encoding: 'png',
      width: pixels.width,
      height: pixels.height,
    };
  };
}

/** Asks the session's viewer for pixels: as a binary frame sent before its answer, or within the answer. */
export function viewerReader(session: Session, { viewerTimeoutMs }: Services): ViewerReader {
  return async (request, signal) => {
    const answer = await session.connection.request('image/readRegion', request, {
      timeoutMs: viewerTimeoutMs,
      signal,
    });
    if ('blob' in answer) {
      const { bytes, encoding, width, height, channels } = session.blobs.take(answer.blob);
      return { encoding, width, height, channels, data: bytes };
    }
    const { base64, ...header } = answer;
    // Canvases give data URIs; what stands before the comma is no pixel.
    return { ...header, data: Buffer.from(base64.replace(/^data:[^,]*,/, ''), 'base64') };
  };
}
