import { BridgeError } from '../../src/errors';
import { answerQuestions } from '../../src/services/images/readerProcess/readerHost';

/** Questions of a reader that does what a faulty library does. */
export interface FaultyQuestions {
  readonly start: { readonly given: string; readonly answer: string };
  readonly echo: {
    readonly given: { readonly value: number; readonly afterMs: number };
    readonly answer: number;
  };
  readonly pixels: { readonly given: number; readonly answer: Uint8Array };
  readonly refuse: { readonly given: null; readonly answer: never };
  readonly crash: { readonly given: null; readonly answer: never };
  readonly hang: { readonly given: null; readonly answer: never };
  readonly processId: { readonly given: null; readonly answer: number };
}

// Runs as a process of its own; the tests import only the types, which leaves nothing of the import.
answerQuestions<FaultyQuestions>({
  start: (given) => {
    if (given === 'crash') process.kill(process.pid, 'SIGSEGV');
    return given;
  },
  echo: ({ value, afterMs }) => new Promise((resolve) => setTimeout(() => resolve(value), afterMs)),
  pixels: (size) => new Uint8Array(size).fill(7),
  refuse: () => {
    throw new BridgeError('UnsupportedImage', 'not this one', { hint: 'another' });
  },
  crash: () => {
    process.kill(process.pid, 'SIGSEGV');
    return new Promise<never>(() => undefined);
  },
  hang: () => {
    for (;;);
  },
  processId: () => process.pid,
});
