import type { ServerNotifications } from '../protocol/types.gen';
import type { Session } from './session';

/** The sessions of all connected clients. Made before the services, which may want to tell a client something. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  get count(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  remove(session: Session): void {
    this.#sessions.delete(session.id);
  }

  /** Tells one client; a client that is gone hears nothing. */
  notify<M extends keyof ServerNotifications>(
    sessionId: string,
    method: M,
    params: ServerNotifications[M]['params'],
  ): void {
    this.#sessions.get(sessionId)?.connection.notify(method, params);
  }

  /** Tells all clients but one that have said who they are. */
  notifyOthers<M extends keyof ServerNotifications>(
    sessionId: string,
    method: M,
    params: ServerNotifications[M]['params'],
  ): void {
    for (const session of this.#sessions.values())
      if (session.id !== sessionId && session.initialized) session.connection.notify(method, params);
  }
}
