import { shuffled, type Random } from '../../sampo/random';
import type { Exemplar } from '../../segmentation/prompts';
import { EmbeddingCache } from '../embeddings/embeddingCache';
import { classesOf, loadEntry, MINIMUM_OBJECTS, type Entry, type LabelledImage } from '../labelled/dataset';
import type { NucleusModel } from '../models/nucleusModel';
import { memoryImage } from '../search/tilePixels';
import type { JudgedObject, JudgedTile } from './judgedTiles';
import { judgedScores, type JudgedScore } from './measure';
import { readJudgedTiles } from './tileReader';
import type { TrainingExamples } from './trainingPrompts';

/** Examples that a question may hold: wanted ones, further wanted ones, unwanted ones. */
const EXAMPLES = { stored: 3, more: 5, unwanted: 3 } as const;

/** A class of an image, as an intent whose every object is judged: its tiles, and examples of it. */
export interface Subject {
  readonly tiles: readonly JudgedTile[];
  readonly examples: TrainingExamples;
}

/** Every class of the images with its labelled nuclei, tile by tile; a class of few objects is left out. */
export async function readSubjects(
  model: NucleusModel,
  entries: readonly Entry[],
  random: Random,
): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const entry of entries) {
    const labelled = await loadEntry(entry, model.manifest.micronsPerPixel);
    const cache = new EmbeddingCache();
    for (const wantedClass of classesOf(labelled)) {
      const subject = await readSubject(model, cache, labelled, wantedClass, random);
      if (subject) subjects.push(subject);
    }
    await cache.close();
  }
  return subjects;
}

async function readSubject(
  model: NucleusModel,
  cache: EmbeddingCache,
  { name, image, objects }: LabelledImage,
  wantedClass: string,
  random: Random,
): Promise<Subject | undefined> {
  const pixelSizeMicrons = model.manifest.micronsPerPixel;
  const opened = { ...memoryImage(image, { uri: name, pixelSizeMicrons }), key: name };
  const clicks = objects.flatMap(({ x, y, class: ownClass }) =>
    ownClass === undefined ? [] : [{ imageUri: name, x, y, wanted: ownClass === wantedClass }],
  );
  const source = { model, cache, image: () => opened, job: { priority: 'batch' } } as const;
  const { tiles } = await readJudgedTiles({ train: [], holdOut: [] }, clicks, source);
  const found = tiles.flatMap((tile) => tile.objects);
  const order = shuffled(found, random);
  const wanted = order.filter((object) => object.wanted);
  if (wanted.length < MINIMUM_OBJECTS) return undefined;
  const { stored, more, unwanted } = EXAMPLES;
  const others = order.filter((object) => !object.wanted).slice(0, unwanted);
  return {
    tiles,
    examples: {
      stored: wanted.slice(0, stored).map(exemplarOf),
      judged: [...wanted.slice(stored, stored + more), ...others].map(exemplarOf),
    },
  };
}

const exemplarOf = ({ feature, wanted }: JudgedObject): Exemplar => ({ feature, label: wanted ? 1 : 0 });

/** Scores of all labelled nuclei, asked for by the stored examples. @param decoder its engine id */
export async function subjectScores(
  model: NucleusModel,
  subjects: readonly Subject[],
  decoder: string,
): Promise<JudgedScore[]> {
  const scores: JudgedScore[] = [];
  for (const { tiles, examples } of subjects)
    scores.push(...(await judgedScores(model, tiles, { decoder, exemplars: examples.stored })));
  return scores;
}
