import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import { cancelled, onAbort, throwIfAborted } from '../../../abort';
import { BridgeError } from '../../../errors';
import { SILENT, type Log } from '../../../log';
import type { ReaderQuestions, ReaderReply } from './readerMessages';

export interface ReaderOptions<Questions extends ReaderQuestions<Questions>> {
  /** The library inside, as an error names it. */
  readonly library: string;
  /** Path of the process's module, without its ending. */
  readonly module: string;
  /** Asked first in each new process. */
  readonly first?: { readonly name: keyof Questions & string; readonly given: unknown };
  /** How long one question may take, ms; then the process is killed. */
  readonly timeout?: number | undefined;
  readonly log?: Log | undefined;
}

/** A question whose asker waits. */
interface Pending {
  readonly name: string;
  readonly given: unknown;
  readonly about: string;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BridgeError) => void;
  /** Called once it was answered, refused or given up. */
  settled: () => void;
  timer?: NodeJS.Timeout;
}

/** One life of the process. */
interface Life {
  readonly child: ChildProcess;
  readonly pending: Map<number, Pending>;
  /** Resolves when the first question was answered, or cannot be any more. */
  ready: Promise<void>;
  /** It has answered something. */
  answered: boolean;
  output: string;
  /** Why we killed it. */
  killedFor?: string;
}

const OUTPUT_KEPT = 2000;
const DEFAULT_TIMEOUT = 60_000;

/**
 * A library that reads pictures, in a process of its own: a fault in it costs one request and is told. Several questions are
 * under way at once; when the process ends among them, each is asked again alone, and only the one that ends it again fails.
 */
export class ReaderProcess<Questions extends ReaderQuestions<Questions>> {
  readonly #options: ReaderOptions<Questions>;
  #life: Life | undefined;
  #sorting: Promise<void> | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: ReaderOptions<Questions>) {
    this.#options = options;
  }

  /** Process id of the present life, for tests and reports. */
  get pid(): number | undefined {
    return this.#life?.child.pid;
  }

  /**
   * Asks; the process starts when nobody asked before.
   * @param about what an error should name, say a file and a place in it
   * @throws BridgeError what the process answered; `ImageUnreadable` when the library ended its process or hung;
   * `RequestCancelled`, `ShuttingDown`
   */
  async ask<Name extends keyof Questions & string>(
    name: Name,
    given: Questions[Name]['given'],
    about: string,
    signal?: AbortSignal,
  ): Promise<Questions[Name]['answer']> {
    while (this.#sorting !== undefined) await this.#sorting;
    throwIfAborted(signal);
    return new Promise<unknown>((resolve, reject) => {
      const pending: Pending = {
        name,
        given,
        about,
        signal,
        resolve,
        reject,
        settled: onAbort(signal, () => {
          // The library goes on and its answer is dropped: killing it would cost everyone else's open slides.
          this.#fail(pending, cancelled());
        }),
      };
      void this.#post(pending);
    });
  }

  /** Ends the process; what waits is answered with `ShuttingDown`. */
  async close(): Promise<void> {
    this.#closed = true;
    const life = this.#life;
    if (life === undefined) return;
    const ended = new Promise<void>((resolve) => life.child.once('exit', () => resolve()));
    life.child.kill('SIGKILL');
    if (life.child.exitCode === null && life.child.signalCode === null) await ended;
  }

  /** Puts a question into the present life, or a new one. Resolves once it is settled; never rejects. */
  #post(pending: Pending): Promise<void> {
    return new Promise<void>((resolve) => {
      const before = pending.settled;
      pending.settled = () => {
        before();
        resolve();
      };
      if (this.#closed) return this.#fail(pending, shuttingDown(this.#options.library));
      this.#life ??= this.#start();
      const life = this.#life;
      // A first question that failed is an answer of its own: the asker sees it in what follows.
      void life.ready.then(() => this.#send(life, pending));
    });
  }

  #send(life: Life, pending: Pending): void {
    if (life !== this.#life) {
      // A process that answers nothing would be started for ever; one that another question ended is started anew.
      if (life.answered) void this.#again(pending);
      else this.#fail(pending, this.#lost(pending, 'it does not start'));
      return;
    }
    const id = this.#nextId;
    this.#nextId += 1;
    life.pending.set(id, pending);
    const timeout = this.#options.timeout ?? DEFAULT_TIMEOUT;
    pending.timer = setTimeout(() => {
      life.killedFor = `no answer within ${timeout / 1000} s`;
      life.child.kill('SIGKILL');
    }, timeout);
    // An error told to the callback means that the process is gone; `exit` then takes care of the question.
    life.child.send({ id, name: pending.name, given: pending.given }, () => undefined);
  }

  async #again(pending: Pending): Promise<void> {
    while (this.#sorting !== undefined) await this.#sorting;
    if (pending.signal?.aborted !== true) await this.#post(pending);
  }

  #start(): Life {
    const extension = extname(__filename);
    const child = fork(`${this.#options.module}${extension}`, [], {
      execArgv: extension === '.ts' ? ['-r', join(__dirname, '../../../../scripts/swcRegister.cjs')] : [],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const life: Life = { child, pending: new Map(), ready: Promise.resolve(), answered: false, output: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        life.output = (life.output + text).slice(-OUTPUT_KEPT);
      });
    }
    child.on('message', (reply: ReaderReply) => this.#receive(life, reply));
    child.once('exit', (code, signal) =>
      this.#ended(life, life.killedFor ?? (signal === null ? `exit code ${code}` : `signal ${signal}`)),
    );
    child.once('error', (error) => this.#ended(life, error.message));
    const { first } = this.#options;
    if (first !== undefined) {
      life.ready = new Promise<void>((resolve) => {
        const pending: Pending = {
          ...first,
          about: 'its start',
          signal: undefined,
          resolve: () => undefined,
          reject: () => undefined,
          settled: resolve,
        };
        // `#life` is set by the caller, after this.
        queueMicrotask(() => this.#send(life, pending));
      });
    }
    return life;
  }

  #receive(life: Life, reply: ReaderReply): void {
    const pending = life.pending.get(reply.id);
    if (pending === undefined) return;
    life.pending.delete(reply.id);
    life.answered = true;
    clearTimeout(pending.timer);
    if ('value' in reply) {
      pending.resolve(reply.value);
      pending.settled();
    } else {
      this.#fail(pending, new BridgeError(reply.errorName, reply.message, reply.data));
    }
  }

  #ended(life: Life, how: string): void {
    if (this.#life !== life) return;
    this.#life = undefined;
    const open = [...life.pending.values()];
    for (const { timer } of open) clearTimeout(timer);
    if (this.#closed) {
      for (const pending of open) this.#fail(pending, shuttingDown(this.#options.library));
      return;
    }
    (this.#options.log ?? SILENT)(
      `the ${this.#options.library} process ended (${how}); ${life.output.trim()}`,
    );
    const [only] = open;
    if (open.length === 1 && only !== undefined) this.#fail(only, this.#lost(only, how));
    else if (open.length > 1) {
      const sorting = this.#askAlone(open).finally(() => {
        if (this.#sorting === sorting) this.#sorting = undefined;
      });
      this.#sorting = sorting;
    }
  }

  /** One of these ended the process: one after the other tells which. */
  async #askAlone(suspects: readonly Pending[]): Promise<void> {
    for (const pending of suspects) {
      if (pending.signal?.aborted !== true) await this.#post(pending);
    }
  }

  #fail(pending: Pending, error: BridgeError): void {
    pending.reject(error);
    pending.settled();
  }

  #lost({ about }: Pending, how: string): BridgeError {
    const { library } = this.#options;
    return new BridgeError('ImageUnreadable', `${library} ended (${how}) while it read ${about}`, {
      hint: `the file is damaged, or of a kind that ${library} does not survive; other images stay open`,
      reason: how,
      library,
    });
  }
}

function shuttingDown(library: string): BridgeError {
  return new BridgeError('ShuttingDown', `${library} is closed: the server is shutting down`);
}
