import type { ImageRegistry } from '../images/images';
import { searchImage } from '../search/tilePixels';
import type { JobImage } from './job';
import type { OpenedImage } from './unitWork';

/** Opens an image's file for a job, as a session of its own. @throws BridgeError as `ImageRegistry.open` */
export async function openForBatch(
  images: ImageRegistry,
  jobId: string,
  { path, pixelSizeMicrons }: JobImage,
): Promise<OpenedImage> {
  const session = `batch/${jobId}`;
  const opened = await images.open(session, {
    uri: path,
    source: 'file',
    ...(pixelSizeMicrons !== undefined && { pixelSizeMicrons }),
  });
  return {
    image: searchImage(images, opened.imageId),
    stamp: opened.key,
    ...(opened.contentKey !== undefined && {
      elsewhere: {
        path: opened.uri,
        contentKey: opened.contentKey,
        stains:
          opened.stains === 'rgb'
            ? opened.stains
            : opened.stains.map(({ channel, stain }) => ({ channel: channel + 1, stain })),
      },
    }),
    warnings: opened.warnings,
    close: () => images.close(session, opened.imageId),
  };
}
