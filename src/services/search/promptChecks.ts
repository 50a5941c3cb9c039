import { BridgeError } from '../../errors';
import type { Warning } from '../warning';
import { isPlaced, type Example } from './example';
import { nucleusAt, type PlacedClick } from './promptEmbedding';
import type { EmbeddedClick, EmbeddedPrompt } from './embeddedPrompt';
import type { SearchIntent } from './searchRequest';

/** @throws BridgeError `ConflictingClicks` when one nucleus is clicked for two intents, or for and against one */
export function refuseConflicts(embedded: readonly EmbeddedPrompt[], names: readonly string[]): void {
  const clicks = embedded.flatMap((prompt, intent) => prompt.clicks.map((click) => ({ ...click, intent })));
  for (const [i, first] of clicks.entries())
    for (const second of clicks.slice(i + 1)) {
      const opposed =
        first.intent === second.intent
          ? first.click.positive !== second.click.positive
          : first.click.positive && second.click.positive;
      if (!opposed || !sameNucleus(first.placed, second.placed)) continue;
      const place = ({ click }: EmbeddedClick): string => `(${click.x}, ${click.y})`;
      throw new BridgeError(
        'ConflictingClicks',
        `the clicks at ${place(first)} and ${place(second)} say two things of one nucleus`,
        {
          clicks: [first, second].map(({ click, intent }) => ({ ...click, intent: names[intent] })),
          hint: 'take one of the two clicks back',
        },
      );
    }
}

function sameNucleus(first: PlacedClick, second: PlacedClick): boolean {
  for (const tile of [first.home, second.home]) {
    const label = nucleusAt(tile, first);
    if (label !== 0 && label === nucleusAt(tile, second)) return true;
  }
  return Math.hypot(first.x - second.x, first.y - second.y) < 1;
}

/**
 * @param lost examples that could not be embedded again with this model
 * @throws BridgeError `NoPositiveClick`, or `IntentModelMismatch` when the positive ones are lost
 */
export function requirePositive(
  { intentId, classification: { name } }: SearchIntent,
  examples: readonly Example[],
  lost: readonly Example[],
  modelId: string,
): void {
  if (examples.some(({ label }) => label === 1)) return;
  const [first] = lost;
  if (first === undefined || !lost.some(({ label }) => label === 1))
    throw new BridgeError('NoPositiveClick', `the intent "${name}" has no positive example`, { intentId });
  const images = [...new Set(lost.filter(isPlaced).map(({ place }) => place.imageUri))];
  throw new BridgeError(
    'IntentModelMismatch',
    `the intent "${name}" was made with the model ${first.modelId}, this is ${modelId}; its examples lie in ${images.join(', ') || 'no known image'}`,
    {
      intentId,
      madeWith: first.modelId,
      modelId,
      images,
      hint: 'open or segment one of these images: the examples that lie there are then embedded again; or click new ones',
    },
  );
}

/** What became of the examples of another model. */
export function foreignWarnings(
  { classification: { name } }: SearchIntent,
  embeddedAgain: number,
  lost: readonly Example[],
): Warning[] {
  const warnings: Warning[] = [];
  if (embeddedAgain > 0)
    warnings.push({
      name: 'ExemplarsEmbeddedAgain',
      message: `${embeddedAgain} examples of "${name}" came from another model and were embedded again from the images that hold them`,
    });
  if (lost.length > 0)
    warnings.push({
      name: 'ExemplarsIgnored',
      message: `${lost.length} examples of "${name}" came from another model and from images that are not open, and are not used`,
    });
  return warnings;
}

/** Clicks that hit no nucleus. */
export function backgroundWarnings(
  { classification: { name } }: SearchIntent,
  clicks: readonly EmbeddedClick[],
): Warning[] {
  return clicks
    .filter(({ placed }) => placed.nucleus === 0)
    .map(({ click: { x, y } }) => ({
      name: 'ClickOnBackground',
      message: `the click at (${x}, ${y}) for "${name}" is on no detected nucleus; what lies under it is used`,
    }));
}
