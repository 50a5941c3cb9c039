import { existsSync } from 'node:fs';
import type { TrainingStartParams } from '../protocol/types.gen';
import { EXIT, UsageError, readOptions, stateFolder, type Command } from './command';
import { findIntent } from './intentChoice';
import { withOpenImage } from './openedImage';
import { ABOVE_ZERO, COUNT, WHOLE, readChoice, readNumber } from './optionValues';
import { ProgressBar } from './progressBar';

type Settings = NonNullable<TrainingStartParams['settings']>;

const OPTIONS = {
  intent: { type: 'string' },
  seconds: { type: 'string' },
  steps: { type: 'string' },
  train: { type: 'string' },
  objective: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  state: { type: 'string' },
} as const;

/** `sampo refine` */
export const refine: Command = {
  name: 'refine',
  options: OPTIONS,
  help: `usage: sampo refine --intent NAME [options]

Trains the intent on its judgements (sampo judge, or a viewer) by preference optimization, checks it on judgements kept
back, and takes the new version into use unless it is worse. The judged images are opened where they were judged.

  --intent NAME     the intent, by name or id
  --seconds N       time for training (default 5)
  --steps N         most steps
  --train PART      what is trained: tokens (of the intent alone), heads, or decoder (default)
  --objective NAME  sampo (default) or pixel-loss
  --seed N          seed of what is kept back and of the order of training
  --json            prints the answer as JSON
  --state DIR       state folder (default: the system's place, or SAMPO_STATE)

exit codes: 0 a new version is in use, 1 failed, or the new version is worse and not in use, 2 wrong use, 130 interrupted`,
  async run(argv, around) {
    const { values, positionals } = readOptions(argv, OPTIONS);
    const { intent: name } = values;
    if (positionals.length > 0) throw new UsageError(`refine takes no argument "${positionals[0]}"`);
    if (name === undefined) throw new UsageError('--intent is missing');
    const settings = settingsOf(values);
    const state = stateFolder(values.state, around);
    const judged = await withOpenImage(state, [], around, async (client) => {
      const { intentId } = await findIntent(client, name);
      const { judgements } = await client.request('preference/list', { intentId });
      return [...new Set(judgements.map(({ imageUri }) => imageUri))];
    });
    const images = judged.filter((path) => existsSync(path));
    for (const path of judged.filter((image) => !images.includes(image)))
      around.err(`note: ${path} is not there any more; what was judged in it is left out\n`);
    return withOpenImage(state, images, around, async (client) => {
      const { intentId } = await findIntent(client, name);
      const bar = new ProgressBar(around, 'refine');
      const outcome = await client
        .request(
          'training/start',
          { intentId, settings },
          {
            signal: around.signal,
            progress: ({ kind, percentage = 0, message = '', etaSeconds, metrics }) => {
              if (kind === 'end') return;
              const { loss, rewardAccuracy } = (metrics ?? {}) as Record<string, number | undefined>;
              const figures = [
                ...(loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
                ...(rewardAccuracy === undefined
                  ? []
                  : [`preferences met ${Math.round(100 * rewardAccuracy)} %`]),
              ];
              const step = { percentage, message: [message, ...figures].join(', ') };
              bar.report({ ...step, ...(etaSeconds !== undefined && { etaSeconds }) });
            },
          },
        )
        .finally(() => bar.end());
      if (values.json === true) around.out(`${JSON.stringify(outcome, null, 2)}\n`);
      else
        around.out(
          `"${name}": ${outcome.verdict}\n${Number((outcome.metrics as { steps?: number }).steps ?? 0)} steps, ${outcome.seconds.toFixed(1)} s, version ${outcome.checkpointId ?? 'none'}\n`,
        );
      return outcome.activated ? EXIT.ok : EXIT.failed;
    });
  },
};

/** @throws UsageError */
function settingsOf({
  seconds,
  steps,
  train,
  objective,
  seed,
}: {
  readonly [Name in 'seconds' | 'steps' | 'train' | 'objective' | 'seed']?: string | undefined;
}): Settings {
  return {
    ...(seconds !== undefined && { seconds: readNumber('--seconds', seconds, ABOVE_ZERO) }),
    ...(steps !== undefined && { steps: readNumber('--steps', steps, COUNT) }),
    ...(train !== undefined && { trainable: readChoice('--train', train, ['tokens', 'heads', 'decoder']) }),
    ...(objective !== undefined && {
      objective: readChoice('--objective', objective, ['sampo', 'pixel-loss']),
    }),
    ...(seed !== undefined && { seed: readNumber('--seed', seed, WHOLE) }),
  };
}
