import { drawClicks, trialSeed } from './clicks';
import { classesOf, type LabelledImage } from '../services/labelled/dataset';
import type { PreparedImage } from './intentPredictor';
import type { Judge } from './judge';
import { METHODS } from './methods';
import { SheetCanvas, type Colour } from './sheetCanvas';

const POSITIVE: Colour = [0, 200, 60];
const NEGATIVE: Colour = [220, 30, 30];
const FOUND: Colour = [0, 90, 255];
const TRUTH: Colour = [255, 220, 0];
const RIGHT: Colour = [0, 200, 60];
const WRONG: Colour = [220, 30, 30];
const MISSED: Colour = [255, 140, 0];

/** What the panels and colours of a sheet mean, for people. */
export const SHEET_LEGEND =
  'a row per class (sorted); panels: clicks (green wanted, red not), result (blue), truth (yellow), errors (green right, red wrong, orange missed)';

/** Draws an image's answers of the product: one row per class, four panels. -> `undefined` when no class has enough objects */
export async function drawSheet(
  image: LabelledImage,
  prepared: PreparedImage,
  judge: Judge,
  choice: { readonly clicks: number; readonly negatives: number; readonly scoreThreshold: number },
): Promise<SheetCanvas | undefined> {
  const rows = classesOf(image).flatMap((asked) => {
    const clicks = drawClicks(image, asked, choice.clicks, choice.negatives, 0);
    return clicks === undefined ? [] : [{ asked, clicks }];
  });
  if (rows.length === 0) return undefined;
  const sheet = new SheetCanvas(image.image, 4, rows.length);
  for (const [row, { asked, clicks }] of rows.entries()) {
    for (let column = 0; column < 4; column++) sheet.image(column, row, image.image);
    for (const { x, y, label } of clicks) sheet.dot(0, row, x, y, 4, label === 1 ? POSITIVE : NEGATIVE);
    const seed = trialSeed(image.name, asked, 0);
    const { scoreThreshold } = choice;
    const trial = { prepared, clicks, scoreThreshold, seed, measurements: () => [] };
    const { objects: selected } = await METHODS.sampo(trial);
    const matches = judge.matches(selected, asked);
    const right = new Set(matches.map(({ object }) => object));
    const found = new Set(matches.map(({ label }) => label));
    for (const i of selected) {
      const { outline } = prepared.objects[i]!;
      sheet.outline(1, row, outline, FOUND);
      sheet.outline(3, row, outline, right.has(i) ? RIGHT : WRONG);
    }
    image.objects.forEach((object, i) => {
      if (object.class !== asked) return;
      drawTrue(sheet, 2, row, image, i, TRUTH);
      if (!found.has(i)) drawTrue(sheet, 3, row, image, i, MISSED);
    });
  }
  return sheet;
}

function drawTrue(
  sheet: SheetCanvas,
  column: number,
  row: number,
  { objects, labels }: LabelledImage,
  index: number,
  colour: Colour,
): void {
  const { x, y } = objects[index]!;
  if (labels === undefined) return sheet.dot(column, row, x, y, 2.5, colour);
  const inside = new Set<number>();
  labels.labels.forEach((label, at) => {
    if (label === index + 1) inside.add(at);
  });
  sheet.border(column, row, inside, colour);
}
