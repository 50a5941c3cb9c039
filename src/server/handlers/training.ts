import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';

/** `training/start` */
export function start({ trainer, republisher }: Services): Handler<Session, 'training/start'> {
  return async ({ intentId, resultIds, settings = {} }, { signal, progress }) => {
    const { seconds, steps, trainable, seed, objective } = settings;
    const outcome = await trainer.refine({
      intentId,
      seconds,
      steps,
      trainable,
      seed,
      objective,
      signal,
      onStep: ({ step, metrics, secondsLeft, percentage }) =>
        progress.report({ message: `step ${step}`, percentage, etaSeconds: secondsLeft, metrics }),
    });
    if (outcome.activated) await republisher.republish(intentId, resultIds, signal);
    return { ...outcome };
  };
}

/** `training/status` */
export function status({ trainer }: Services): Handler<Session, 'training/status'> {
  return async () => ({ ...trainer.status() });
}

/** `training/stop` */
export function stop({ trainer }: Services): Handler<Session, 'training/stop'> {
  return async ({ intentId }) => {
    trainer.stop(intentId);
    return null;
  };
}
