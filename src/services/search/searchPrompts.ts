import { BridgeError } from '../../errors';
import type { Spaces } from '../../segmentation/coordinates';
import { toModelSpace, rectangleToModelSpace } from '../../segmentation/coordinates';
import { mapOutline, outlineBounds, type Point, type Rectangle } from '../../segmentation/geometry';
import type { Exemplar, PromptSet } from '../../segmentation/prompts';
import {
  nucleusAt,
  placeBox,
  placeClick,
  placeObject,
  type ExampleTile,
  type PlacedClick,
} from './promptEmbedding';
import type { Click, IntentPrompt, StoredExemplar } from './searchRequest';
import type { Warning } from '../warning';

/** An example found in this request, to be kept with its intent; `x, y` in full-resolution px. */
export interface LearnedExemplar extends Exemplar, Point {
  /** Where it lies when that is not the searched image. */
  readonly imageUri?: string;
  readonly source: 'click' | 'box' | 'object';
}

/** One intent's prompts, embedded. */
export interface EmbeddedPrompt {
  readonly prompts: PromptSet;
  /** Clicks of this request, in their order, at the place they were made; `prompts` holds the earlier ones of this image too. */
  readonly clicks: readonly { readonly click: Click; readonly placed: PlacedClick }[];
  readonly learned: readonly LearnedExemplar[];
  readonly warnings: readonly Warning[];
}

/** What embedding examples needs of a search. */
export interface PromptContext {
  readonly spaces: Spaces;
  readonly imageUri: string;
  readonly modelId: string;
  /** The example tile around a point of model space. */
  readonly tileAt: (point: Point) => Promise<ExampleTile>;
  /** The feature at a place of another image, full-resolution px; undefined when that image is not open. */
  readonly featureAt: (uri: string, point: Point) => Promise<Float32Array | undefined>;
}

/**
 * Embeds an intent's clicks, boxes and example objects, and joins them with its stored examples. Stored examples of another
 * model are embedded anew where this or another open image holds them, and left out with a warning where none does.
 * @throws BridgeError `NoPositiveClick`, `IntentModelMismatch`
 */
export async function embedPrompt(prompt: IntentPrompt, context: PromptContext): Promise<EmbeddedPrompt> {
  const { intent, boxes, objects } = prompt;
  const { spaces, imageUri, modelId, tileAt, featureAt } = context;
  const named = new Set(prompt.clicks.map(place));
  const isHere = ({ imageUri: uri, x, y }: StoredExemplar): boolean =>
    uri === imageUri && x !== undefined && y !== undefined;
  const usable = intent.exemplars.filter((one) => one.modelId === modelId);
  const foreign = intent.exemplars.filter((one) => one.modelId !== modelId);
  const revived: Click[] = foreign
    .filter((one) => isHere(one) && !named.has(place(one as Point)))
    .map(({ x, y, label }) => ({ x: x!, y: y!, positive: label === 1 }));

  const clicks: { click: Click; placed: PlacedClick }[] = [];
  for (const click of [...revived, ...prompt.clicks]) {
    const home = await tileAt(toModelSpace(spaces, click));
    clicks.push({ click, placed: placeClick(home, spaces, click, click.positive) });
  }
  const learned: LearnedExemplar[] = clicks.map(({ click, placed }) => ({
    feature: placed.feature,
    label: placed.label,
    source: 'click',
    x: click.x,
    y: click.y,
  }));
  const modelBoxes: Rectangle[] = [];
  for (const box of boxes) {
    const inModel = rectangleToModelSpace(spaces, box);
    modelBoxes.push(inModel);
    const home = await tileAt(centre(inModel));
    learned.push({ ...placeBox(home, inModel), source: 'box', ...centre(box) });
  }
  for (const object of objects) {
    const inModel = mapOutline(object, 1 / spaces.scale, 0, 0);
    const home = await tileAt(centre(outlineBounds(inModel)));
    learned.push({ ...placeObject(home, inModel), source: 'object', ...centre(outlineBounds(object)) });
  }
  const again = new Set(learned.map(place));
  const lost: StoredExemplar[] = [];
  const elsewhere: LearnedExemplar[] = [];
  for (const one of foreign.filter((example) => !isHere(example))) {
    const { imageUri: uri, x, y, label } = one;
    const known = uri !== undefined && x !== undefined && y !== undefined;
    const feature = known ? await featureAt(uri, { x, y }) : undefined;
    if (feature === undefined) lost.push(one);
    else elsewhere.push({ feature, label, source: 'click', imageUri: uri!, x: x!, y: y! });
  }
  // A viewer sends its clicks with every request; each counts once.
  const stored = usable.filter((one) => !isHere(one) || !again.has(place(one as Point)));
  requirePositive(prompt, [...stored, ...learned, ...elsewhere], lost, modelId);

  const shown = learned.filter(({ source }) => source !== 'click');
  // A click of an earlier request says here what it said then.
  const wasClicked = (one: StoredExemplar): boolean => one.source === 'click' && isHere(one);
  const earlier = stored.filter(wasClicked).map((one) => ({ ...one, ...toModelSpace(spaces, one as Point) }));
  const exemplars: Exemplar[] = [...stored.filter((one) => !wasClicked(one)), ...elsewhere, ...shown];
  return {
    prompts: {
      points: [...earlier, ...clicks.map(({ placed }) => placed)].map(({ x, y, label, feature }) => ({
        x,
        y,
        label,
        feature,
      })),
      boxes: modelBoxes,
      exemplars,
      ...(intent.tokens && { tokens: intent.tokens }),
    },
    clicks,
    learned: [...learned, ...elsewhere],
    warnings: [
      ...foreignWarnings(prompt, revived.length + elsewhere.length, lost),
      ...backgroundWarnings(prompt, clicks),
    ],
  };
}

/** @throws BridgeError `ConflictingClicks` when one nucleus is clicked for two intents, or for and against one */
export function refuseConflicts(embedded: readonly EmbeddedPrompt[], names: readonly string[]): void {
  const all = embedded.flatMap(({ clicks }, intent) => clicks.map((one) => ({ ...one, intent })));
  for (let i = 0; i < all.length; i++)
    for (let j = i + 1; j < all.length; j++) {
      const a = all[i]!;
      const b = all[j]!;
      const opposed =
        a.intent === b.intent ? a.click.positive !== b.click.positive : a.click.positive && b.click.positive;
      if (!opposed || !sameNucleus(a.placed, b.placed)) continue;
      throw new BridgeError(
        'ConflictingClicks',
        `the clicks at (${a.click.x}, ${a.click.y}) and (${b.click.x}, ${b.click.y}) say two things of one nucleus`,
        {
          clicks: [a, b].map(({ click, intent }) => ({ ...click, intent: names[intent] })),
          hint: 'take one of the two clicks back',
        },
      );
    }
}

function sameNucleus(a: PlacedClick, b: PlacedClick): boolean {
  for (const home of [a.home, b.home]) {
    const label = nucleusAt(home, a);
    if (label !== 0 && label === nucleusAt(home, b)) return true;
  }
  return Math.hypot(a.x - b.x, a.y - b.y) < 1;
}

function requirePositive(
  { intent }: IntentPrompt,
  examples: readonly Exemplar[],
  lost: readonly StoredExemplar[],
  modelId: string,
): void {
  if (examples.some(({ label }) => label === 1)) return;
  const { name } = intent.classification;
  const images = [...new Set(lost.flatMap(({ imageUri }) => imageUri ?? []))];
  if (lost.some(({ label }) => label === 1))
    throw new BridgeError(
      'IntentModelMismatch',
      `the intent "${name}" was made with the model ${lost[0]!.modelId}, this is ${modelId}; its examples lie in ${images.join(', ') || 'no known image'}`,
      {
        intentId: intent.intentId,
        madeWith: lost[0]!.modelId,
        modelId,
        images,
        hint: 'open or segment one of these images: the examples that lie there are then embedded again; or click new ones',
      },
    );
  throw new BridgeError('NoPositiveClick', `the intent "${name}" has no positive example`, {
    intentId: intent.intentId,
  });
}

function foreignWarnings(
  { intent }: IntentPrompt,
  revived: number,
  lost: readonly StoredExemplar[],
): Warning[] {
  const { name } = intent.classification;
  const warnings: Warning[] = [];
  if (revived > 0)
    warnings.push({
      name: 'ExemplarsEmbeddedAgain',
      message: `${revived} examples of "${name}" came from another model and were embedded again from the images that hold them`,
    });
  if (lost.length > 0)
    warnings.push({
      name: 'ExemplarsIgnored',
      message: `${lost.length} examples of "${name}" came from another model and from images that are not open, and are not used`,
    });
  return warnings;
}

function backgroundWarnings({ intent }: IntentPrompt, clicks: EmbeddedPrompt['clicks']): Warning[] {
  return clicks
    .filter(({ placed }) => placed.nucleus === 0)
    .map(({ click: { x, y } }) => ({
      name: 'ClickOnBackground',
      message: `the click at (${x}, ${y}) for "${intent.classification.name}" is on no detected nucleus; what lies under it is used`,
    }));
}

/** Places are compared to a hundredth of a pixel, as they are stored. */
function place({ x, y }: Point): string {
  return `${x.toFixed(2)},${y.toFixed(2)}`;
}

function centre({ x, y, width, height }: Rectangle): Point {
  return { x: x + width / 2, y: y + height / 2 };
}
