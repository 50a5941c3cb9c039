import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';

/** `model/list` */
export function list({ models }: Services): Handler<Session, 'model/list'> {
  return async () => ({ models: await models.list() });
}

/** `model/import` */
export function importFolder(services: Services): Handler<Session, 'model/import'> {
  return async ({ path, name }, { signal }) => {
    const folder = await services.allowedFolder(path);
    const { manifest, warnings } = await services.models.import(folder, {
      ...(name !== undefined && { name }),
      signal,
    });
    return { manifest: { ...manifest }, warnings };
  };
}

/** `model/pull` */
export function pull({ models }: Services): Handler<Session, 'model/pull'> {
  return async ({ name }, { signal, progress }) => {
    let told = -1;
    const onBytes = (bytes: number, total: number): void => {
      const percentage = Math.floor((100 * bytes) / total);
      if (percentage === told) return; // a chunk is 64 KiB
      told = percentage;
      progress.report({ percentage, message: `${megabytes(bytes)} of ${megabytes(total)} MB` });
    };
    const { manifest, warnings } = await models.pull(name, { signal, onBytes });
    return { manifest: { ...manifest }, warnings };
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
