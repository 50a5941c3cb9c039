import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Subprotocols: the protocol itself, and the prefix under which a browser sends its token. */
export const SUBPROTOCOL = 'sampo.v1';
export const TOKEN_SUBPROTOCOL = 'sampo.token.';

/** Compares in constant time, whatever the lengths. */
export function sameToken(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function tokenOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization?.startsWith('Bearer ')) return authorization.slice('Bearer '.length);
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  return offered.find((name) => name.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length);
}

/** Why an upgrade is refused: HTTP status and a sentence for the client. */
export interface Refusal {
  readonly status: 401 | 403 | 404 | 503;
  readonly message: string;
}

/**
 * Decides over an upgrade. `hosts`: accepted Host headers (against DNS rebinding); `origins`: the server's own pages. Native
 * clients send no Origin; a browser always does, so a page of another site cannot connect.
 */
export function admit(
  request: IncomingMessage,
  options: { token: string; hosts: ReadonlySet<string>; origins: ReadonlySet<string> },
): Refusal | undefined {
  const path = request.url?.split('?')[0];
  if (path !== '/rpc')
    return { status: 404, message: `nothing at ${String(path).slice(0, 100)}; connect to /rpc` };
  const { host, origin } = request.headers;
  if (!host || !options.hosts.has(host.toLowerCase()))
    return {
      status: 403,
      message: 'this Host is not served; use 127.0.0.1 and the port of the connection file',
    };
  if (origin !== undefined && !options.origins.has(origin.toLowerCase()))
    return { status: 403, message: 'pages of other origins may not connect' };
  const token = tokenOf(request);
  if (token === undefined)
    return {
      status: 401,
      message:
        'a token is needed: Authorization: Bearer, or the subprotocol sampo.token.<token>; see the connection file',
    };
  if (!sameToken(token, options.token))
    return { status: 401, message: 'wrong token: the server was restarted? read the connection file again' };
  return undefined;
}
