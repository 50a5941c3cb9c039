import { isBridgeError } from '../errors';
import type { Log } from '../log';
import { Connection } from '../protocol/connection';
import { errorObject } from '../protocol/errorObject';
import type { HandlerTable } from '../protocol/handler';
import type { Limits } from '../protocol/types.gen';
import type { Contract } from '../protocol/validation';
import { AnswerCheck } from './answerCheck';
import { readBlobFrame } from './blobFrame';
import { Session } from './session';
import type { Sessions } from './sessions';
import type { Trace } from './trace';
import { CLOSE, type Peer, type PeerEvents } from './webSocketTransport';

export interface HostOptions {
  readonly contract: Contract;
  readonly handlers: HandlerTable<Session>;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly log: Log;
  /** Writes down all that is said. */
  readonly trace?: Trace | undefined;
  /** Ends a connection that the server itself breaks the contract on. */
  readonly checksAnswers?: boolean | undefined;
  /** A client is gone: what it had open ends. */
  readonly onGone: (session: Session) => void;
}

/** A peer whose messages are also heard by others. */
interface WatchedPeer extends Pick<Peer, 'sendText' | 'close'> {
  received(text: string): void;
  receivedBytes(bytes: Uint8Array): void;
}

/** Joins each connected peer to a session and a conversation. */
export class Host {
  constructor(private readonly options: HostOptions) {}

  /** Takes a new peer in. */
  welcome(peer: Peer): PeerEvents {
    const { limits, sessions, onGone } = this.options;
    const watched = this.#watch(peer);
    const session = new Session(limits.blobBytes, (state) => this.#connect(watched, state));
    sessions.add(session);
    return {
      onText: (text) => {
        watched.received(text);
        session.connection.receive(text);
      },
      onBinary: (bytes) => {
        watched.receivedBytes(bytes);
        try {
          session.blobs.put(readBlobFrame(bytes));
        } catch (error) {
          if (!isBridgeError(error)) throw error;
          // A frame has no id to answer to: the reason goes out as an error without id.
          watched.sendText(JSON.stringify({ jsonrpc: '2.0', id: null, error: errorObject(error) }));
        }
      },
      onClose: () => {
        sessions.remove(session);
        session.close();
        onGone(session);
      },
    };
  }

  /** The peer with what listens in: the trace and, in tests, the check of what is sent. */
  #watch(peer: Peer): WatchedPeer {
    const { contract, trace, checksAnswers, log } = this.options;
    const check = checksAnswers === true ? new AnswerCheck(contract) : undefined;
    const client = trace?.connected() ?? 0;
    return {
      close: (code, reason) => peer.close(code, reason),
      sendText: (text) => {
        trace?.sent(client, text);
        const misfit = check?.misfit(text);
        if (misfit === undefined) return peer.sendText(text);
        log(`the server breaks its contract: ${misfit}`);
        peer.close(CLOSE.brokenContract, misfit.slice(0, 100));
      },
      received: (text) => {
        trace?.received(client, text);
        check?.received(text);
      },
      receivedBytes: (bytes) => trace?.receivedBytes(client, bytes),
    };
  }

  #connect(peer: Pick<Peer, 'sendText' | 'close'>, session: Session): Connection<Session> {
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
