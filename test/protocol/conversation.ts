import { join } from 'node:path';
import { Connection, type ConnectionLimits } from '../../src/protocol/connection';
import type { HandlerTable } from '../../src/protocol/handler';
import { Contract } from '../../src/protocol/validation';

/** The package's own contract, compiled once per test file. */
export const CONTRACT = new Contract(join(__dirname, '../../schemas'));

/** Anything that came over the wire. */
export interface Wire {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: { readonly id?: unknown; readonly value?: Record<string, unknown> };
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: Record<string, unknown>;
  };
}

/** A connection without a transport: what it sends is kept in `sent`. */
export class Conversation {
  readonly sent: Wire[] = [];
  readonly faults: unknown[] = [];
  exits = 0;
  readonly connection: Connection<string>;
  private readonly waiting = new Map<string | number, (answer: Wire) => void>();

  constructor(handlers: HandlerTable<string>, limits: Partial<ConnectionLimits> = {}) {
    this.connection = new Connection({
      contract: CONTRACT,
      handlers: {
        initialize: async () => ({}) as never,
        shutdown: async () => null,
        ...handlers,
      },
      session: 'the session',
      limits: { requestsInFlight: 100, nesting: 64, ...limits },
      send: (text) => this.take(JSON.parse(text) as Wire),
      onExit: () => void this.exits++,
      onFault: (error) => this.faults.push(error),
      cancelGraceMs: 20,
    });
  }

  /** Sends one message; the answer to its id. */
  ask(message: { id: string | number; method: string; params?: unknown }): Promise<Wire> {
    const answer = new Promise<Wire>((resolve) => this.waiting.set(message.id, resolve));
    this.tell(message);
    return answer;
  }

  /** Sends one message, whatever it is. */
  tell(message: object): void {
    this.connection.receive(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  async initialized(): Promise<this> {
    await this.ask({
      id: 'start',
      method: 'initialize',
      params: { protocolVersion: '1.0', client: { name: 'test' } },
    });
    this.sent.length = 0;
    return this;
  }

  private take(message: Wire): void {
    this.sent.push(message);
    if (message.method !== undefined || message.id === null || message.id === undefined) return;
    this.waiting.get(message.id)?.(message);
    this.waiting.delete(message.id);
  }
}

/** Lets everything that is ready to run, run. */
export const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
