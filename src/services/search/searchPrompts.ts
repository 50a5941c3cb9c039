import type { Spaces } from '../../segmentation/coordinates';
import { rectangleToModelSpace, toModelSpace } from '../../segmentation/coordinates';
import { mapOutline, outlineBounds, type Point, type Rectangle } from '../../segmentation/geometry';
import type { PointPrompt } from '../../segmentation/prompts';
import type { EmbeddedClick, EmbeddedPrompt } from './embeddedPrompt';
import { isPlaced, type Example, type ExampleSource, type PlacedExample } from './example';
import { placeBox, placeClick, placeObject, type ExampleTile } from './promptEmbedding';
import { backgroundWarnings, foreignWarnings, requirePositive } from './promptChecks';
import type { Click, IntentPrompt } from './searchRequest';
import { notNamedAgain, sortExamples } from './storedExamples';

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
  const { intent } = prompt;
  const { imageUri, modelId, spaces } = context;
  const stored = sortExamples(intent.exemplars, context);
  const clickedAgain = notNamedAgain(stored.foreignHere, imageUri, prompt.clicks).map(clickOf);
  const clicks = await embedClicks([...clickedAgain, ...prompt.clicks], context);
  const shown = await embedShown(prompt, context);
  const elsewhere = await embedElsewhere(stored.foreignElsewhere, context);

  const clicked = clicks.map(({ click, placed }) => exampleAt(click, placed, 'click', context));
  const learned = [...clicked, ...shown.examples];
  const places = learned.map(({ place }) => place);
  const clickedHere = notNamedAgain(stored.clickedHere, imageUri, places);
  const remembered = notNamedAgain(stored.remembered, imageUri, places);
  const examples = [...clickedHere, ...remembered, ...learned, ...elsewhere.found];
  requirePositive(intent, examples, elsewhere.lost, modelId);

  // A click of an earlier request says here what it said then.
  const earlier = clickedHere.map((example) => pointPrompt(toModelSpace(spaces, example.place), example));
  return {
    prompts: {
      points: [...earlier, ...clicks.map(({ placed }) => pointPrompt(placed, placed))],
      boxes: shown.boxes,
      exemplars: [...remembered, ...elsewhere.found, ...shown.examples],
      ...(intent.tokens && { tokens: intent.tokens }),
    },
    clicks,
    examples: examples.map((example) => ({
      feature: example.feature,
      label: example.label,
      ...(isPlaced(example) &&
        example.place.imageUri === imageUri && { at: toModelSpace(spaces, example.place) }),
    })),
    learned: [...learned, ...elsewhere.found],
    warnings: [
      ...foreignWarnings(intent, clickedAgain.length + elsewhere.found.length, elsewhere.lost),
      ...backgroundWarnings(intent, clicks),
    ],
  };
}

async function embedClicks(
  clicks: readonly Click[],
  { spaces, tileAt }: PromptContext,
): Promise<EmbeddedClick[]> {
  const embedded: EmbeddedClick[] = [];
  for (const click of clicks) {
    const tile = await tileAt(toModelSpace(spaces, click));
    embedded.push({ click, placed: placeClick(tile, spaces, click, click.positive) });
  }
  return embedded;
}

/** Boxes and example objects as positive examples; `boxes` in model space, for the prompt encoder. */
async function embedShown(
  { boxes, objects }: IntentPrompt,
  context: PromptContext,
): Promise<{ examples: PlacedExample[]; boxes: Rectangle[] }> {
  const { spaces, tileAt } = context;
  const examples: PlacedExample[] = [];
  const modelBoxes: Rectangle[] = [];
  for (const box of boxes) {
    const modelBox = rectangleToModelSpace(spaces, box);
    modelBoxes.push(modelBox);
    const tile = await tileAt(centre(modelBox));
    examples.push(exampleAt(centre(box), placeBox(tile, modelBox), 'box', context));
  }
  for (const object of objects) {
    const outline = mapOutline(object, 1 / spaces.scale, 0, 0);
    const tile = await tileAt(centre(outlineBounds(outline)));
    examples.push(exampleAt(centre(outlineBounds(object)), placeObject(tile, outline), 'object', context));
  }
  return { examples, boxes: modelBoxes };
}

/** Examples of another model that lie in other images: found again where an open image holds them, else lost. */
async function embedElsewhere(
  examples: readonly Example[],
  { modelId, featureAt }: PromptContext,
): Promise<{ found: PlacedExample[]; lost: Example[] }> {
  const found: PlacedExample[] = [];
  const lost: Example[] = [];
  for (const example of examples) {
    const { place, label } = example;
    const feature = isPlaced(example) ? await featureAt(example.place.imageUri, example.place) : undefined;
    if (place === undefined || feature === undefined) lost.push(example);
    else found.push({ feature, label, modelId, source: 'click', place });
  }
  return { found, lost };
}

function clickOf({ place: { x, y }, label }: PlacedExample): Click {
  return { x, y, positive: label === 1 };
}

function pointPrompt(
  { x, y }: Point,
  { label, feature }: Pick<PointPrompt, 'label' | 'feature'>,
): PointPrompt {
  return { x, y, label, feature };
}

function exampleAt(
  { x, y }: Point,
  { feature, label }: Pick<Example, 'feature' | 'label'>,
  source: ExampleSource,
  { imageUri, modelId }: PromptContext,
): PlacedExample {
  return { feature, label, source, modelId, place: { imageUri, x, y } };
}

function centre({ x, y, width, height }: Rectangle): Point {
  return { x: x + width / 2, y: y + height / 2 };
}
