import { isBridgeError } from '../errors';
import type { Log } from '../log';
import { Connection } from '../protocol/connection';
import { errorObject } from '../protocol/errorObject';
import type { HandlerTable } from '../protocol/handler';
import type { Limits } from '../protocol/types.gen';
import type { Contract } from '../protocol/validation';
import { readBlobFrame } from './blobFrame';
import { Session } from './session';
import type { Sessions } from './sessions';
import type { Peer, PeerEvents } from './webSocketTransport';

export interface HostOptions {
  readonly contract: Contract;
  readonly handlers: HandlerTable<Session>;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly log: Log;
  /** A client is gone: what it had open ends. */
  readonly onGone: (session: Session) => void;
}

/** Joins each connected peer to a session and a conversation. */
export class Host {
  constructor(private readonly options: HostOptions) {}

  /** Takes a new peer in. */
  welcome(peer: Peer): PeerEvents {
    const { limits, sessions, onGone } = this.options;
    const session = new Session(limits.blobBytes, (state) => this.#connect(peer, state));
    sessions.add(session);
    return {
      onText: (text) => session.connection.receive(text),
      onBinary: (bytes) => {
        try {
          session.blobs.put(readBlobFrame(bytes));
        } catch (error) {
          if (!isBridgeError(error)) throw error;
          // A frame has no id to answer to: the reason goes out as an error without id.
          peer.sendText(JSON.stringify({ jsonrpc: '2.0', id: null, error: errorObject(error) }));
        }
      },
      onClose: () => {
        sessions.remove(session);
        session.close();
        onGone(session);
      },
    };
  }

  #connect(peer: Peer, session: Session): Connection<Session> {
    const { contract, handlers, limits, log } = this.options;
    return new Connection({
      contract,
      handlers,
      session,
      limits,
      send: (text) => peer.sendText(text),
      onExit: () => peer.close(1000, 'exit'),
      onFault: (error) =>
        log(`fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    });
  }
}
