import { relateSpaces, toModelSpace } from '../../segmentation/coordinates';
import type { Point } from '../../segmentation/geometry';
import { EncodedImage, type EncodedImageParts } from './encodedImage';
import { placeClick } from './promptEmbedding';
import type { SearchImage } from './tilePixels';

/** Embeds places of images that are open but not searched, where a stored example names them. */
export class OpenExamples {
  readonly #images = new Map<string, EncodedImage>();

  /** @param openImage an open image of this uri */
  constructor(
    private readonly parts: Pick<EncodedImageParts, 'model' | 'cache' | 'job'>,
    private readonly openImage: (uri: string) => SearchImage | undefined,
  ) {}

  /** The feature at a place, full-resolution px; undefined when no open image holds it. @throws as `EncodedImage.encode` */
  async featureAt(uri: string, { x, y }: Point): Promise<Float32Array | undefined> {
    const image = this.openImage(uri);
    if (image === undefined || x >= image.width || y >= image.height || x < 0 || y < 0) return undefined;
    const encoded = this.#encoded(uri, image);
    const tile = await encoded.exampleTileAt(toModelSpace(encoded.spaces, { x, y }));
    return placeClick(tile, encoded.spaces, { x, y }, true).feature;
  }

  #encoded(uri: string, image: SearchImage): EncodedImage {
    const known = this.#images.get(uri);
    if (known !== undefined) return known;
    const { micronsPerPixel } = this.parts.model.manifest;
    const spaces = relateSpaces(image, image.pixelSizeMicrons ?? micronsPerPixel, micronsPerPixel);
    const encoded = new EncodedImage({ ...this.parts, image, spaces });
    this.#images.set(uri, encoded);
    return encoded;
  }
}
