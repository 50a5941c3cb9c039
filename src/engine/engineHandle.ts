import { fork, type ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import { BridgeError } from '../errors';
import type { Device } from './engine';
import type { EngineAnswers, EngineQuestion, EngineReply } from './engineMessages';

const STDERR_TAIL = 4096;

/** The engine process's file beside this one, and what Node needs to load it: nothing once built, swc from the sources. */
function entry(): { file: string; execArgv: string[] } {
  const extension = extname(__filename);
  return {
    file: join(__dirname, `engineProcess${extension}`),
    execArgv: extension === '.ts' ? ['-r', join(__dirname, '../../scripts/swcRegister.cjs')] : [],
  };
}

/**
 * One life of the engine process: asks one question at a time, knows what this life holds, and says when it ended.
 */
export class EngineHandle {
  /** Ids of the models and names of the tensors this process holds; gone with it. */
  readonly models = new Set<string>();
  readonly residents = new Set<string>();
  /** Resolves when the process has ended, whatever the reason. */
  readonly ended: Promise<void>;
  rssBytes = 0;
  /** True from `kill` on: it still looks alive for some milliseconds. */
  killed = false;
  /** The device being tried, for naming the culprit of a crash at start. */
  trying: Device | undefined;

  readonly #child: ChildProcess;
  #pending: { resolve: (value: unknown) => void; reject: (error: BridgeError) => void } | undefined;
  #stderr = '';
  #end: string | undefined;

  /** @param onEnd hears how the process ended, before the open question is rejected */
  constructor(onEnd: (handle: EngineHandle, how: string) => void) {
    const { file, execArgv } = entry();
    this.#child = fork(file, [], {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
      });
    }
    this.#child.on('message', (reply: EngineReply) => this.#receive(reply));
    this.ended = new Promise((resolve) => {
      const finish = (how: string) => {
        if (this.#end !== undefined) return;
        this.#end = how;
        onEnd(this, how);
        this.#pending?.reject(this.#crashed());
        this.#pending = undefined;
        resolve();
      };
      this.#child.once('exit', (code, signal) =>
        finish(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
      this.#child.once('error', (error) => finish(error.message));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True while a question waits for its answer. */
  get busy(): boolean {
    return this.#pending !== undefined;
  }

  /** Asks; the caller keeps to one question at a time. @throws BridgeError what the process answered, or `EngineCrashed`. */
  ask<K extends EngineQuestion['kind']>(
    question: Extract<EngineQuestion, { kind: K }>,
  ): Promise<EngineAnswers[K]> {
    if (this.#end !== undefined) return Promise.reject(this.#crashed());
    return new Promise<EngineAnswers[K]>((resolve, reject) => {
      // An error told to the callback means that the process is gone; `exit` then rejects the question.
      this.#child.send(question, () => undefined);
      this.#pending = { resolve: resolve as (value: unknown) => void, reject };
    });
  }

  /** Ends the process at once, in the middle of a run too. */
  kill(): void {
    this.killed = true;
    this.#child.kill('SIGKILL');
  }

  #receive(reply: EngineReply): void {
    if (reply.kind === 'trying') {
      this.trying = reply.device;
      return;
    }
    this.trying = undefined;
    this.rssBytes = reply.rssBytes;
    const pending = this.#pending;
    this.#pending = undefined;
    if (reply.kind === 'answer') pending?.resolve(reply.value);
    else pending?.reject(new BridgeError(reply.errorName, reply.message, reply.data));
  }

  #crashed(): BridgeError {
    const output = this.#stderr.trim();
    return new BridgeError('EngineCrashed', `the engine process ended (${this.#end ?? 'unknown'})`, {
      hint: 'the engine restarts by itself: send the request again',
      retryable: true,
      ...(output === '' ? {} : { output }),
    });
  }
}
