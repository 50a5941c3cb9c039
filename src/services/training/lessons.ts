import { BridgeError } from '../../errors';
import { seededRandom } from '../../sampo/random';
import type { RefineSettings } from '../../sampo/settings';
import type { NucleusModel } from '../models/nucleusModel';
import { LEAST_OBJECTS, type Evidence } from './gather';
import { shownProbabilities } from './measure';
import { trainingTile, type TrainingTile } from './trainingPrompts';

/** The judged tiles with the questions asked about them. @throws BridgeError `JudgementsTooFew` when none teaches anything */
export async function prepareLessons(
  model: NucleusModel,
  { tiles, examples, start }: Evidence,
  settings: RefineSettings,
): Promise<TrainingTile[]> {
  const random = seededRandom(settings.seed);
  const anchored = settings.anchorWeight > 0 && settings.objective.lambdaSegment > 0;
  const lessons: TrainingTile[] = [];
  for (const tile of tiles) {
    const anchor = anchored ? await shownProbabilities(model, tile, start) : undefined;
    const lesson = trainingTile(tile, examples, anchor, settings, model.promptLimits, random);
    const teaches = lesson.objects.verdicts.size > 0 || tile.choices.length > 0;
    if (lesson.prompts.length > 0 && teaches) lessons.push(lesson);
  }
  if (lessons.length === 0)
    throw new BridgeError('JudgementsTooFew', 'no judged object can be asked for', {
      least: LEAST_OBJECTS,
      have: 0,
      hint: 'accept at least one object of the type, or click one',
    });
  return lessons;
}
