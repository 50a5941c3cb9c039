import type { Handler } from '../../protocol/handler';
import type { BatchJob } from '../../protocol/types.gen';
import type { JobReport } from '../../services/batch/batch';
import type { Services } from '../services';
import type { Session } from '../session';

/** `batch/start` */
export function start(services: Services): Handler<Session, 'batch/start'> {
  return async ({ images, outputFolder, ...request }) => {
    const folder = await services.allowedOutput(outputFolder);
    return { job: wire(await services.batch.start({ ...request, images, outputFolder: folder })) };
  };
}

/** `batch/status` */
export function status({ batch }: Services): Handler<Session, 'batch/status'> {
  return async ({ jobId }) => ({ job: wire(batch.status(jobId)) });
}

/** `batch/list` */
export function list({ batch }: Services): Handler<Session, 'batch/list'> {
  return async () => ({ jobs: batch.list().map(wire) });
}

/** `batch/cancel` */
export function cancel({ batch }: Services): Handler<Session, 'batch/cancel'> {
  return async ({ jobId }) => ({ job: wire(await batch.cancel(jobId)) });
}

/** `batch/resume` */
export function resume({ batch }: Services): Handler<Session, 'batch/resume'> {
  return async ({ jobId }) => ({ job: wire(batch.resume(jobId)) });
}

function wire({ counts, etaSeconds, ...report }: JobReport): BatchJob {
  const { images, units, objects, areaMm2 } = counts;
  return { ...report, images, units, objects, areaMm2, ...(etaSeconds !== undefined && { etaSeconds }) };
}
