import type { ShownExample } from '../../segmentation/answering/shownNuclei';
import type { PromptSet } from '../../segmentation/prompts';
import type { Warning } from '../warning';
import type { PlacedExample } from './example';
import type { PlacedClick } from './promptEmbedding';
import type { Click } from './searchRequest';

/** A click with what was found under it. */
export interface EmbeddedClick {
  readonly click: Click;
  readonly placed: PlacedClick;
}

/** One intent's prompts, embedded. */
export interface EmbeddedPrompt {
  readonly prompts: PromptSet;
  /** Clicks of this request, in their order, at the place they were made; `prompts` holds the earlier ones of this image too. */
  readonly clicks: readonly EmbeddedClick[];
  /** Everything the intent has been shown, the newest last. */
  readonly examples: readonly ShownExample[];
  /** Examples found in this request, to be kept with the intent. */
  readonly learned: readonly PlacedExample[];
  readonly warnings: readonly Warning[];
}
