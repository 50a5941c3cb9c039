import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a host treats the next requests for a file. */
export interface Behaviour {
  /** Ends the connection after so many bytes of an answer. */
  readonly cutAfter?: number;
  /** Answers whole files whatever range is asked for. */
  readonly ignoresRanges?: boolean;
  /** Answers this status and nothing else. */
  readonly status?: number;
  /** Says 416 to every range. */
  readonly refusesRanges?: boolean;
}

/** What a host was asked for. */
export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
}

/** An HTTP server of this machine alone that hands out files, well or badly. */
export class FileHost {
  readonly asked: Asked[] = [];
  behaviour: Behaviour = {};

  private constructor(
    private readonly server: Server,
    readonly files: Map<string, Uint8Array>,
  ) {}

  static async start(): Promise<FileHost> {
    const server = createServer();
    const host = new FileHost(server, new Map());
    server.on('request', (request, response) => host.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #answer({ url: path = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { range } = headers;
    this.asked.push({ path, range });
    const { cutAfter, ignoresRanges, status, refusesRanges } = this.behaviour;
    const file = this.files.get(path);
    if (path.startsWith('/moved/'))
      return void response.writeHead(302, { location: path.slice('/moved'.length) }).end();
    if (status !== undefined || file === undefined) return void response.writeHead(status ?? 404).end('no');
    if (range !== undefined && refusesRanges) return void response.writeHead(416).end();
    const from = range === undefined || ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(range)![1]);
    const body = file.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` }),
    });
    if (cutAfter === undefined || cutAfter >= body.length) return void response.end(body);
    response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 20));
  }
}
