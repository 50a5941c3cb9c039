import type { Random } from '../../sampo/random';
import type { Question } from './answers';
import type { TrainingTile } from './trainingPrompts';

/**
 * Which question comes next. Wanted objects, unwanted ones and choices take turns in naming the tile, so that a few of one kind
 * are not drowned by many of the other; every other question is the one that a search asks.
 */
export function questionDraw(lessons: readonly TrainingTile[], random: Random): (step: number) => Question {
  const verdictsOf = ({ objects }: TrainingTile, wanted: boolean): number =>
    [...objects.verdicts.values()].filter((verdict) => verdict === wanted).length;
  const counts: readonly ((lesson: TrainingTile) => number)[] = [
    (lesson) => verdictsOf(lesson, true),
    (lesson) => verdictsOf(lesson, false),
    (lesson) => lesson.tile.choices.length,
  ];
  // Each kind as a list of tiles, a tile as often as the kind occurs in it.
  const kinds = counts
    .map((count) => lessons.flatMap((lesson, tile) => new Array<number>(count(lesson)).fill(tile)))
    .filter((tiles) => tiles.length > 0);
  return (step) => {
    const tiles = kinds[step % kinds.length]!;
    const tile = tiles[Math.floor(random() * tiles.length)]!;
    const { prompts } = lessons[tile]!;
    return { tile, prompt: random() < 0.5 ? 0 : Math.floor(random() * prompts.length) };
  };
}
