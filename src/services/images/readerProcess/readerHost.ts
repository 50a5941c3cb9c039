import { BridgeError } from '../../../errors';
import type { ReaderQuestion, ReaderQuestions, ReaderReply } from './readerMessages';

/** The inside of a reader process: question name → how it is answered. */
export type ReaderAnswers<Questions extends ReaderQuestions<Questions>> = {
  readonly [Name in keyof Questions]: (
    given: Questions[Name]['given'],
  ) => Questions[Name]['answer'] | Promise<Questions[Name]['answer']>;
};

/** Answers the parent's questions for the rest of this process's life, each as soon as it is ready, in any order. */
export function answerQuestions<Questions extends ReaderQuestions<Questions>>(
  answers: ReaderAnswers<Questions>,
): void {
  const send = (reply: ReaderReply) => process.send?.(reply);
  process.on('message', ({ id, name, given }: ReaderQuestion) => {
    void Promise.resolve()
      .then(() => answers[name as keyof Questions](given))
      .then(
        (value) => send({ id, value }),
        (error: unknown) => {
          const { errorName, message, data } = asBridgeError(error);
          send({ id, errorName, message, data });
        },
      );
  });
  // The parent's end, whatever the reason: a library in the middle of a call would hold the process for ever.
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole terminal group; the server decides when its readers end.
  process.on('SIGINT', () => undefined);
}

function asBridgeError(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new BridgeError('ImageUnreadable', `the image cannot be read: ${reason}`, { reason });
}
