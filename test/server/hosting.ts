import { WebSocket, type ClientOptions } from 'ws';
import { BridgeError } from '../../src/errors';
import type { HandlerTable } from '../../src/protocol/handler';
import { speaks } from '../../src/protocol/version';
import { Host, type HostOptions } from '../../src/server/host';
import { DEFAULT_LIMITS } from '../../src/server/limits';
import type { Session } from '../../src/server/session';
import { Sessions } from '../../src/server/sessions';
import { WebSocketTransport, type TransportOptions } from '../../src/server/webSocketTransport';
import { CONTRACT, type Wire } from '../protocol/conversation';

export const TOKEN = 'the-token';
export const HELLO = { protocolVersion: '1.0', client: { name: 'test' } };

/** A server of stub handlers on a free port: transport, host and conversation, no engine. */
export async function serveStubs(
  handlers: HandlerTable<Session> = {},
  options: Partial<TransportOptions> = {},
  hosting: Partial<HostOptions> = {},
) {
  const log: string[] = [];
  const sessions = new Sessions();
  const host = new Host({
    sessions,
    onGone: () => undefined,
    contract: CONTRACT,
    limits: DEFAULT_LIMITS,
    log: (line) => log.push(line),
    ...hosting,
    handlers: {
      initialize: async ({ protocolVersion }) => {
        if (!speaks(protocolVersion)) throw new BridgeError('VersionMismatch', 'another version');
        return {} as never;
      },
      shutdown: async () => null,
      'server/status': async () => ({ pid: 1 }) as never,
      'rpc.discover': async () => ({}) as never,
      ...handlers,
    },
  });
  const transport = await WebSocketTransport.listen({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    messageBytes: 1 << 20,
    clients: 32,
    messagesPerSecond: 5000,
    onPeer: (peer) => host.welcome(peer),
    ...options,
  });
  return { sessions, transport, log, url: transport.url };
}

/** Everything a raw client hears. */
export class RawClient {
  readonly heard: Wire[] = [];
  readonly closed: Promise<number>;
  private readonly news = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      this.heard.push(JSON.parse((data as Buffer).toString('utf8')) as Wire);
      for (const tell of this.news) tell();
    });
  }

  static async enter(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const socket = new WebSocket(url, ['sampo.v1'], {
      headers: { authorization: `Bearer ${TOKEN}` },
      perMessageDeflate: false,
      ...options,
    });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  say(message: object): void {
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Waits for something heard. */
  hears(what: (message: Wire) => boolean): Promise<Wire> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.heard.find(what);
        if (!found) return;
        this.news.delete(look);
        resolve(found);
      };
      this.news.add(look);
      look();
    });
  }

  answer(id: string | number | null): Promise<Wire> {
    return this.hears((message) => message.method === undefined && message.id === id);
  }

  async initialize(): Promise<this> {
    this.say({ id: 'hello', method: 'initialize', params: HELLO });
    await this.answer('hello');
    this.heard.length = 0;
    return this;
  }
}

/** HTTP status with which an upgrade is refused, and what the server says about it. */
export function refusal(
  url: string,
  headers: Record<string, string>,
  protocols: string[] = ['sampo.v1'],
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { headers });
    socket.once('open', () => {
      socket.terminate();
      reject(new Error('the server let it in'));
    });
    socket.on('error', () => undefined);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
  });
}
