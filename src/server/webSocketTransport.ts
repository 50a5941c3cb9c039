import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { BridgeError } from '../errors';
import { SUBPROTOCOL, admit, type Refusal } from './admission';

/** Close codes of this server (RFC 6455, section 7.4). */
export const CLOSE = {
  goingAway: 1001,
  unsupported: 1003,
  tooBig: 1009,
  /** What the server would have sent does not fit the contract; only where answers are checked. */
  brokenContract: 1011,
  /** The client reads too slowly: what waits for it passed the limit. */
  slowReader: 4001,
  /** More messages per second than the limit, sustained. */
  tooFast: 4002,
  /** No answer to a ping. */
  unresponsive: 4003,
} as const;

/** One connected client, as the transport sees it. */
export interface Peer {
  sendText(text: string): void;
  /** Bytes that wait to be read by the client. */
  readonly bufferedBytes: number;
  close(code: number, reason: string): void;
}

/** What the transport tells about a client. */
export interface PeerEvents {
  onText(text: string): void;
  onBinary(bytes: Uint8Array): void;
  onClose(): void;
}

export interface TransportOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly token: string;
  readonly messageBytes: number;
  readonly clients: number;
  readonly messagesPerSecond: number;
  /** A client with more unread bytes than this is closed. */
  readonly bufferedBytes?: number;
  readonly pingMs?: number;
  readonly onPeer: (peer: Peer) => PeerEvents;
}

/** A WebSocket endpoint at `/rpc`: admission, limits, back-pressure, ping. The only importer of ws. */
export class WebSocketTransport {
  private readonly http: Server;
  private readonly sockets: WebSocketServer;
  private readonly ping: NodeJS.Timeout;
  private readonly alive = new WeakSet<WebSocket>();

  private constructor(private readonly options: TransportOptions) {
    this.http = createServer((_request, response) =>
      response
        .writeHead(426, { 'content-type': 'text/plain' })
        .end('SAMPO: connect with a WebSocket to /rpc\n'),
    );
    this.sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.messageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    );
    this.ping = setInterval(() => this.pingAll(), options.pingMs ?? 20_000);
    this.ping.unref();
  }

  /** Starts listening. @throws BridgeError PortInUse */
  static async listen(options: TransportOptions): Promise<WebSocketTransport> {
    const transport = new WebSocketTransport(options);
    await new Promise<void>((resolve, reject) => {
      transport.http.once('error', (error: NodeJS.ErrnoException) => {
        clearInterval(transport.ping);
        reject(
          error.code === 'EADDRINUSE'
            ? new BridgeError('PortInUse', `port ${options.port} is in use`, { port: options.port })
            : error,
        );
      });
      transport.http.listen(options.port, options.host, resolve);
    });
    return transport;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get url(): string {
    const { host } = this.options;
    return `ws://${host.includes(':') ? `[${host}]` : host}:${this.port}/rpc`;
  }

  get clients(): number {
    return this.sockets.clients.size;
  }

  /** Says good-bye to every client and stops listening. */
  async close(): Promise<void> {
    clearInterval(this.ping);
    for (const socket of this.sockets.clients) socket.close(CLOSE.goingAway, 'the server stops');
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    // A client that does not answer the close frame must not keep the server alive.
    const force = setTimeout(() => {
      for (const socket of this.sockets.clients) socket.terminate();
      this.http.closeAllConnections();
    }, 500);
    await closed;
    clearTimeout(force);
    this.sockets.close();
  }

  private hosts(): Set<string> {
    const names = new Set(['127.0.0.1', 'localhost', '[::1]', this.options.host.toLowerCase()]);
    return new Set([...names].map((name) => `${name}:${this.port}`));
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const hosts = this.hosts();
    const origins = new Set([...hosts].map((host) => `http://${host}`));
    const refusal = admit(request, { token: this.options.token, hosts, origins }) ?? this.full();
    if (refusal) return refuse(socket, refusal);
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.welcome(webSocket));
  }

  private full(): Refusal | undefined {
    return this.clients >= this.options.clients
      ? { status: 503, message: `the limit of ${this.options.clients} clients is reached` }
      : undefined;
  }

  private welcome(socket: WebSocket): void {
    const limit = this.options.bufferedBytes ?? 4 * this.options.messageBytes;
    const close = (code: number, reason: string) => {
      socket.close(code, reason);
      // A peer that does not read will not answer the close frame either.
      setTimeout(() => socket.terminate(), 1000).unref();
    };
    const events = this.options.onPeer({
      sendText: (text) => {
        if (socket.readyState !== socket.OPEN) return;
        socket.send(text);
        if (socket.bufferedAmount > limit) close(CLOSE.slowReader, 'reads too slowly');
      },
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      close,
    });
    const rate = rateGuard(this.options.messagesPerSecond);
    this.alive.add(socket);
    socket.on('pong', () => this.alive.add(socket));
    socket.on('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      if (!rate()) return close(CLOSE.tooFast, 'too many messages per second');
      const bytes = data as Buffer;
      if (isBinary) events.onBinary(bytes);
      else events.onText(bytes.toString('utf8'));
    });
    socket.on('close', () => events.onClose());
    // ws closes with the fitting code by itself (1007 wrong UTF-8, 1009 too big, 1002 broken frame).
    socket.on('error', () => undefined);
  }

  private pingAll(): void {
    for (const socket of this.sockets.clients) {
      if (!this.alive.delete(socket)) {
        socket.close(CLOSE.unresponsive, 'no answer to ping');
        socket.terminate();
      } else socket.ping();
    }
  }
}

/** Token bucket: bursts of ten seconds' worth, then `perSecond`. Returns false once it is empty. */
function rateGuard(perSecond: number): () => boolean {
  let budget = perSecond * 10;
  let last = performance.now();
  return () => {
    const now = performance.now();
    budget = Math.min(perSecond * 10, budget + ((now - last) / 1000) * perSecond) - 1;
    last = now;
    return budget >= 0;
  };
}

function refuse(socket: Duplex, { status, message }: Refusal): void {
  const names = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'Not Found',
    503: 'Service Unavailable',
  } as const;
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${names[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
