import type { Handler } from '../../protocol/handler';
import type { RefineRequest } from '../../services/training/refinement';
import type { Services } from '../services';
import type { Session } from '../session';

/** `training/start` */
export function start({ refine }: Services): Handler<Session, 'training/start'> {
  return async ({ intentId, resultIds, settings = {} }, { signal, progress }) => {
    const { seconds, steps, trainable, seed, objective } = settings;
    const request: RefineRequest = {
      intentId,
      seconds,
      steps,
      trainable,
      seed,
      objective,
      signal,
      onStep: ({ step, metrics, secondsLeft, percentage }) =>
        progress.report({ message: `step ${step}`, percentage, etaSeconds: secondsLeft, metrics }),
    };
    return { ...(await refine.run(request, resultIds)) };
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
