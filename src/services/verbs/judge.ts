import type { SubmittedJudgement } from '../intents/judgementEvidence';
import type { Judgements } from '../intents/judgements';
import { nextToReview, type ReviewPage } from '../intents/review';
import { cutThumbnails, type ObjectThumbnail, type ThumbnailRequest } from '../intents/thumbnails';
import type { NucleusModel } from '../models/nucleusModel';
import type { SearchResults } from '../search/searchResult';
import type { SearchImage } from '../search/tilePixels';

/** What judging works with. */
export interface JudgeParts {
  /** An open image. @throws BridgeError `ImageNotOpen` */
  readonly image: (imageId: string) => SearchImage;
  readonly judgements: Judgements;
  readonly model: NucleusModel;
  readonly results: SearchResults;
}

/** The verbs *judge* and *review*: what the user says of found objects, and which to ask about next. */
export class Judge {
  constructor(private readonly parts: JudgeParts) {}

  /** Stores judgements of objects in an open image; on return they are on the disk. @throws as `Judgements.submit`, and `ImageNotOpen` */
  submit(
    sessionId: string,
    { intentId, imageId }: { readonly intentId: string; readonly imageId: string },
    judgements: readonly SubmittedJudgement[],
  ): ReturnType<Judgements['submit']> {
    const { image, model, results } = this.parts;
    const { uri, pixelSizeMicrons } = image(imageId);
    const { micronsPerPixel } = model.manifest;
    const source = {
      intentId,
      imageUri: uri,
      scale: micronsPerPixel / (pixelSizeMicrons ?? micronsPerPixel),
      results: results.list(sessionId).reverse(),
    };
    return this.parts.judgements.submit(source, judgements);
  }

  /** The most uncertain objects of a result that nobody has judged. @throws BridgeError `ResultNotFound`, `IntentNotFound` */
  next(
    sessionId: string,
    {
      resultId,
      intentId,
      count,
    }: { readonly resultId: string; readonly intentId: string; readonly count: number },
  ): ReviewPage {
    const result = this.parts.results.get(sessionId, resultId);
    const judged = this.parts.judgements.list(intentId).flatMap(({ objectId }) => objectId ?? []);
    return nextToReview(result, intentId, new Set(judged), count);
  }

  /**
   * Pictures of objects of a result, cut from the image that was searched.
   * @throws BridgeError `ResultNotFound`, `ImageNotOpen`, and what reading the image throws
   */
  thumbnails(
    sessionId: string,
    resultId: string,
    { objects }: ReviewPage,
    request: ThumbnailRequest,
    signal?: AbortSignal,
  ): Promise<ObjectThumbnail[]> {
    const { image, spaces, micronsPerPixel } = this.parts.results.get(sessionId, resultId).setting;
    // The scale that was searched at, also where the image itself does not say its pixel size.
    const pixelSizeMicrons = micronsPerPixel / spaces.scale;
    return cutThumbnails(this.parts.image(image.imageId), objects, pixelSizeMicrons, request, signal);
  }
}
