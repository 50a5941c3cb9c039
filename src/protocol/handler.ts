import type { ClientRequests, Feature } from './types.gen';

/** One report of a request's progress. */
export interface ProgressReport {
  readonly message?: string;
  /** 0 to 100. */
  readonly percentage?: number;
  readonly etaSeconds?: number;
  readonly objects?: readonly Feature[];
  readonly metrics?: Readonly<Record<string, unknown>>;
}

/** Where a handler reports progress; never null, and silent once the request is answered. */
export interface Progress {
  report(report: ProgressReport): void;
}

/** What every handler gets beside its params. `S` is the server's session: the state of one connected client. */
export interface Context<S> {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly session: S;
  /** Does something once the request is answered, and only when it is answered with a result. */
  readonly afterAnswer: (action: () => void) => void;
}

/** One request's handler: no transport, no domain logic. */
export type Handler<S, M extends keyof ClientRequests> = (
  params: ClientRequests[M]['params'],
  context: Context<S>,
) => Promise<ClientRequests[M]['result']>;

/** Methods this server has. A method of the contract that is missing here is answered with NotAvailable. */
export type HandlerTable<S> = { readonly [M in keyof ClientRequests]?: Handler<S, M> };
