import type { Handler } from '../../protocol/handler';
import type { Services } from '../services';
import type { Session } from '../session';

/** `model/list` */
export function list({ models }: Services): Handler<Session, 'model/list'> {
  return async () => ({ models: (await models.list()).map((entry) => ({ ...entry })) });
}

/** `model/import` */
export function importOne(services: Services): Handler<Session, 'model/import'> {
  return async ({ path, name }, { signal }) => {
    const folder = await services.allowedFolder(path);
    const { manifest, warnings } = await services.models.import(folder, {
      ...(name !== undefined && { name }),
      signal,
    });
    return { manifest: { ...manifest }, warnings: warnings.map((warning) => ({ ...warning })) };
  };
}
