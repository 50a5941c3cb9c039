import { JSONRPCClient, JSONRPCServer, createJSONRPCErrorResponse, type JSONRPCResponse } from 'json-rpc-2.0';
import { bounded, cancelled, throwIfAborted } from '../abort';
import { BridgeError } from '../errors';
import { EnvelopeError, readMessage, type Message, type MessageId } from './envelope';
import { errorObject } from './errorObject';
import type { Handler, HandlerTable, ProgressReport } from './handler';
import type { ClientRequests, ServerNotifications, ServerRequests } from './types.gen';
import type { Contract } from './validation';

/** Limits of one connection. */
export interface ConnectionLimits {
  readonly requestsInFlight: number;
  readonly nesting: number;
}

export interface ConnectionOptions<S> {
  readonly contract: Contract;
  readonly handlers: HandlerTable<S>;
  readonly session: S;
  readonly limits: ConnectionLimits;
  /** Sends one text message to the other side. */
  readonly send: (text: string) => void;
  /** The other side said exit. */
  readonly onExit: () => void;
  /** A failure nobody foresaw. */
  readonly onFault: (error: unknown) => void;
  /** How long a cancelled handler may take to settle before the request is answered for it, ms. */
  readonly cancelGraceMs?: number;
}

/** How long a cancelled handler may take to settle when nothing else is said, ms. */
const CANCEL_GRACE_MS = 400;

type State = 'new' | 'open' | 'shutdown' | 'closed';

type AnyHandler<S> = Handler<S, keyof ClientRequests>;

/**
 * One JSON-RPC 2.0 conversation, lifecycle as in the Language Server Protocol. A strict front reads the envelope and finds
 * the method in a Map, json-rpc-2.0 dispatches; every request is answered exactly once. Knows no method but the lifecycle's.
 */
export class Connection<S> {
  private state: State = 'new';
  private readonly running = new Map<MessageId, AbortController>();
  private readonly methods: ReadonlyMap<string, AnyHandler<S>>;
  private readonly server = new JSONRPCServer<Message & { type: 'request' }>({
    // The library would write every error to the console; faults go to onFault, the rest is the client's.
    errorListener: () => undefined,
  });
  private readonly client: JSONRPCClient;
  /** What handlers want done once their request is answered. */
  private readonly afterwards = new Map<MessageId, () => void>();
  private nextRequest = 0;

  constructor(private readonly options: ConnectionOptions<S>) {
    this.methods = new Map(Object.entries(options.handlers) as [string, AnyHandler<S>][]);
    this.client = new JSONRPCClient(
      (request: object) => this.write(request),
      () => `server-${++this.nextRequest}`,
    );
    this.server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
      const { code, message, data } = errorObject(error);
      if (code === -32603) options.onFault(error);
      return createJSONRPCErrorResponse(id, code, message, data);
    };
    for (const method of this.methods.keys()) {
      this.server.addMethod(method, (_params, message) => this.handle(method, message));
    }
  }

  private get isClosed(): boolean {
    return this.state === 'closed';
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.running.size;
  }

  /** Takes one text message. Never throws. */
  receive(text: string): void {
    if (this.state === 'closed') return;
    let message: Message;
    try {
      message = readMessage(text, this.options.limits.nesting);
    } catch (error) {
      if (error instanceof EnvelopeError) this.answerError(error.id, error.reason);
      else this.options.onFault(error);
      return;
    }
    if (message.type === 'request') this.receiveRequest(message);
    else if (message.type === 'notification') this.receiveNotification(message.method, message.params);
    else if (message.type === 'response') this.receiveResponse(message);
  }

  /**
   * Asks the other side; a question that is given up is cancelled there too. @throws BridgeError ClientFailed when it answers
   * with an error or a misfit, ViewerTimeout after `timeoutMs`, RequestCancelled when the signal aborts or the connection closes.
   */
  async request<M extends keyof ServerRequests>(
    method: M,
    params: ServerRequests[M]['params'],
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<ServerRequests[M]['result']> {
    if (this.isClosed) throw cancelled('the connection is closed');
    const id = `server-${++this.nextRequest}`;
    const late = () => new BridgeError('ViewerTimeout', `${method} was not answered within ${timeoutMs} ms`);
    const onGivenUp = () => {
      // So that the library forgets the question, and the other side stops working on it.
      this.client.receive(createJSONRPCErrorResponse(id, -32800, 'given up'));
      this.notify('$/cancelRequest', { id });
    };
    const response = await bounded(
      { signal, deadline: { ms: timeoutMs, error: late }, onGivenUp },
      async () => this.client.requestAdvanced({ jsonrpc: '2.0', id, method, params }),
    );
    if (response.error) {
      const { code, message } = response.error;
      throw this.isClosed
        ? cancelled('the connection is closed')
        : new BridgeError('ClientFailed', `${method}: ${message}`, { code, reason: message });
    }
    this.options.contract.checkResult(method, response.result);
    return response.result as ServerRequests[M]['result'];
  }

  /** Sends a notification. */
  notify<M extends keyof ServerNotifications>(method: M, params: ServerNotifications[M]['params']): void {
    this.write({ jsonrpc: '2.0', method, params });
  }

  /** Ends the conversation: running handlers are aborted, nothing is sent any more. */
  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    for (const controller of this.running.values()) controller.abort();
    this.running.clear();
    this.client.rejectAllPendingRequests('the connection is closed');
  }

  private receiveRequest(message: Message & { type: 'request' }): void {
    const refusal = this.refusal(message);
    if (refusal) {
      // A second request under an id that is still open is answered to null: its id belongs to the first.
      this.answerError(this.running.has(message.id) ? null : message.id, refusal);
      return;
    }
    if (message.method === 'initialize') this.state = 'open';
    if (message.method === 'shutdown') this.shutDown();
    this.running.set(message.id, new AbortController());
    this.server
      .receive({ jsonrpc: '2.0', id: message.id, method: message.method, params: message.params }, message)
      .then(
        (response) => {
          // A failed initialize leaves the connection as it was.
          if (message.method === 'initialize' && response?.error && this.state === 'open') this.state = 'new';
          this.answer(message.id, response);
        },
        (error: unknown) => {
          this.options.onFault(error);
          if (this.running.delete(message.id)) this.answerError(message.id, error);
        },
      );
  }

  private refusal({ id, method, params }: Message & { type: 'request' }): BridgeError | undefined {
    if (this.running.has(id))
      return new BridgeError('InvalidRequest', 'a request with this id is still under way', { id });
    const schema = this.options.contract.methods.get(method);
    if (!schema || schema.kind !== 'request' || schema.direction === 'server-to-client')
      return new BridgeError('MethodNotFound', `no method ${JSON.stringify(method.slice(0, 100))}`);
    if (this.state === 'shutdown')
      return new BridgeError('ShuttingDown', 'after shutdown only exit may follow');
    if (this.state === 'new' && method !== 'initialize')
      return new BridgeError('ServerNotInitialized', 'send initialize first');
    if (this.state === 'open' && method === 'initialize')
      return new BridgeError('InvalidRequest', 'the connection is initialized already');
    if (method !== 'shutdown' && !this.methods.has(method))
      return new BridgeError('NotAvailable', `${method} is part of the protocol, but not of this build`);
    const { requestsInFlight } = this.options.limits;
    if (this.running.size >= requestsInFlight)
      return new BridgeError('Busy', `${this.running.size} requests are under way`, {
        limit: 'requestsInFlight',
        value: requestsInFlight,
      });
    try {
      this.options.contract.checkParams(method, params);
    } catch (error) {
      return error as BridgeError;
    }
    return undefined;
  }

  private async handle(method: string, message: Message & { type: 'request' }): Promise<unknown> {
    const controller = this.running.get(message.id);
    const handler = this.methods.get(method);
    if (!controller || !handler) throw cancelled();
    const { signal } = controller;
    throwIfAborted(signal);
    let begun = false;
    let settled = false;
    const report = (value: ProgressReport) => {
      // Silent once the request is answered or cancelled.
      if (settled || signal.aborted || this.running.get(message.id) !== controller) return;
      this.notifyProgress(message.id, begun ? 'report' : 'begin', value);
      begun = true;
    };
    const afterAnswer = (action: () => void): void => {
      this.afterwards.set(message.id, action);
    };
    const { session, cancelGraceMs: graceMs = CANCEL_GRACE_MS } = this.options;
    try {
      const work = async () =>
        handler(message.params as never, { signal, progress: { report }, session, afterAnswer });
      return (await bounded({ signal, graceMs }, work)) ?? null;
    } catch (error) {
      // A handler that rethrows the signal's own reason was cancelled, not broken.
      if (signal.aborted && error === signal.reason) throw cancelled();
      throw error;
    } finally {
      settled = true;
      if (begun && this.running.get(message.id) === controller) this.notifyProgress(message.id, 'end', {});
    }
  }

  /** What runs is cancelled, and each of it still answered. */
  private shutDown(): void {
    this.state = 'shutdown';
    for (const controller of this.running.values()) controller.abort();
  }

  private notifyProgress(id: MessageId, kind: 'begin' | 'report' | 'end', value: ProgressReport): void {
    this.notify('$/progress', {
      id,
      value: { kind, ...value },
    });
  }

  private receiveNotification(method: string, params: Readonly<Record<string, unknown>>): void {
    if (method === 'exit') return this.options.onExit();
    if (method !== '$/cancelRequest' || this.state === 'new') return;
    // Notifications are never answered, not even malformed ones (JSON-RPC 2.0, section 4.1).
    const { id } = params;
    if (typeof id === 'string' || typeof id === 'number') this.running.get(id)?.abort();
  }

  private receiveResponse(message: Message & { type: 'response' }): void {
    const { id, result, error } = message;
    this.client.receive(error ? { jsonrpc: '2.0', id, error } : { jsonrpc: '2.0', id, result });
  }

  private answer(id: MessageId, response: JSONRPCResponse | null): void {
    const afterwards = this.afterwards.get(id);
    this.afterwards.delete(id);
    if (!this.running.delete(id) || !response) return;
    try {
      this.write(response);
    } catch (error) {
      // A result that JSON cannot hold is the handler's fault, and still gets its one answer.
      this.options.onFault(error);
      this.answerError(id, error);
    }
    if (!response.error) afterwards?.();
  }

  private answerError(id: MessageId | null, error: unknown): void {
    this.write({ jsonrpc: '2.0', id, error: errorObject(error) });
  }

  private write(message: object): void {
    if (this.state !== 'closed') this.options.send(JSON.stringify(message));
  }
}
