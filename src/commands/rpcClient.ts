import { WebSocket } from 'ws';
import { onAbort } from '../abort';
import { BridgeError, isErrorName } from '../errors';
import { errorObject } from '../protocol/errorObject';
import { PROTOCOL_VERSION } from '../protocol/version';
import type { ClientRequests, ServerNotifications, ServerRequests } from '../protocol/types.gen';
import type { ConnectionInfo } from '../server/connectionFile';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((value: ServerNotifications['$/progress']['params']['value']) => void) | undefined;
}

interface Answer {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { message: string; data?: { name?: string; hint?: string } };
}

/** A client of the bridge, for the command line and the tests: the same calls any viewer makes. */
export class RpcClient {
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Map<string, (params: unknown) => void>();
  private readonly answerers = new Map<string, (params: unknown) => Promise<unknown>>();
  private nextId = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.receive((data as Buffer).toString('utf8')));
    socket.on('close', (code) => this.lose(`the server closed the connection (${code})`, { code }));
    socket.on('error', () => undefined);
  }

  /** Connects and initializes. @throws BridgeError ConnectionRefused, TokenRefused */
  static async connect({ url, token }: Pick<ConnectionInfo, 'url' | 'token'>): Promise<RpcClient> {
    const socket = new WebSocket(url, ['sampo.v1'], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (_request, response) =>
        reject(
          new BridgeError(
            response.statusCode === 401 ? 'TokenRefused' : 'ConnectionRefused',
            `the server refused the connection: HTTP ${response.statusCode}`,
          ),
        ),
      );
      socket.once('error', (error) =>
        reject(
          new BridgeError('ConnectionRefused', `no server at ${url}: ${error.message}`, {
            hint: 'start one with sampo serve',
          }),
        ),
      );
    });
    const client = new RpcClient(socket);
    const hello = { protocolVersion: PROTOCOL_VERSION, client: { name: 'sampo command line' } };
    await client.request('initialize', hello).catch((error: unknown) => {
      socket.terminate();
      throw error;
    });
    client.notify('initialized', {});
    return client;
  }

  /** Sends a request. An aborted signal cancels it at the server; the answer is then an error. */
  request<M extends keyof ClientRequests>(
    method: M,
    params: ClientRequests[M]['params'],
    options: { progress?: Pending['progress']; signal?: AbortSignal } = {},
  ): Promise<ClientRequests[M]['result']> {
    if (this.socket.readyState !== WebSocket.OPEN)
      return Promise.reject(new BridgeError('ConnectionLost', 'the connection is closed'));
    const id = ++this.nextId;
    const answer = new Promise<unknown>((resolve, reject) =>
      this.pending.set(id, { resolve, reject, progress: options.progress }),
    );
    this.send({ jsonrpc: '2.0', id, method, params });
    const cancel = () => this.notify('$/cancelRequest', { id });
    if (options.signal?.aborted === true) cancel();
    const stopHearing = onAbort(options.signal, cancel);
    return answer.finally(stopHearing) as Promise<ClientRequests[M]['result']>;
  }

  notify(method: string, params: object): void {
    this.send({ jsonrpc: '2.0', method, params });
  }

  /** Hears a notification of the server. */
  on<M extends keyof ServerNotifications>(
    method: M,
    listener: (params: ServerNotifications[M]['params']) => void,
  ): void {
    this.listeners.set(method, listener as (params: unknown) => void);
  }

  /** Answers a request of the server; a method nobody answers here is refused. */
  answer<M extends keyof ServerRequests>(
    method: M,
    answerer: (params: ServerRequests[M]['params']) => Promise<ServerRequests[M]['result']>,
  ): void {
    this.answerers.set(method, answerer as (params: unknown) => Promise<unknown>);
  }

  /** Sends a binary frame (see server/blobFrame). */
  sendBytes(frame: Uint8Array): void {
    this.socket.send(frame);
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.close(1000);
    await closed;
  }

  private send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** A text that is no JSON breaks the conversation: nothing after it can be trusted. */
  private receive(text: string): void {
    let message: Answer;
    try {
      message = JSON.parse(text) as Answer;
    } catch {
      this.lose(`the server sent something that is not JSON: ${text.slice(0, 80)}`, {});
      this.socket.terminate();
      return;
    }
    this.take(message);
  }

  private lose(reason: string, data: Readonly<Record<string, unknown>>): void {
    for (const { reject } of this.pending.values()) reject(new BridgeError('ConnectionLost', reason, data));
    this.pending.clear();
  }

  private take({ id, method, params, result, error }: Answer): void {
    if (method === '$/progress') {
      const { id: of, value } = params as ServerNotifications['$/progress']['params'];
      this.pending.get(Number(of))?.progress?.(value);
      return;
    }
    if (method !== undefined && id !== undefined && id !== null) return this.reply(id, method, params);
    if (method !== undefined) return this.listeners.get(method)?.(params);
    const waiting = typeof id === 'number' ? this.pending.get(id) : undefined;
    if (!waiting || typeof id !== 'number') return;
    this.pending.delete(id);
    if (error) waiting.reject(errorOf(error));
    else waiting.resolve(result);
  }

  private reply(id: number | string, method: string, params: unknown): void {
    const answerer = this.answerers.get(method);
    const refused = new BridgeError('MethodNotFound', `this client does not answer ${method}`);
    (answerer ? answerer(params) : Promise.reject(refused)).then(
      (result) => this.send({ jsonrpc: '2.0', id, result }),
      (error: unknown) => this.send({ jsonrpc: '2.0', id, error: errorObject(error) }),
    );
  }
}

/** The error of an answer; a name that a newer server made up stays in `data.name`. */
function errorOf({ message, data }: NonNullable<Answer['error']>): BridgeError {
  const { name = '' } = data ?? {};
  return new BridgeError(isErrorName(name) ? name : 'InternalError', message, { ...data });
}
