import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One row of the corpus: what is sent in which state of the connection, and what comes back. */
export interface CorpusRow {
  readonly name: string;
  readonly state: 'new' | 'open' | 'shutdown';
  /** A text message; or else `base64`, a binary one. */
  readonly send?: string;
  readonly base64?: string;
  readonly expect: {
    readonly id?: string | number | null;
    readonly result?: 'object' | 'null';
    /** Name of the error table. */
    readonly error?: string;
    /** Of the first problem of InvalidParams. */
    readonly pointer?: string;
    /** Nothing comes back. */
    readonly none?: true;
  };
}

/** All rows of a folder of the corpus, with a title for the test report. */
export function corpus(folder: 'accept' | 'reject'): (readonly [string, CorpusRow])[] {
  return readdirSync(join(__dirname, folder))
    .sort()
    .flatMap((file) =>
      (JSON.parse(readFileSync(join(__dirname, folder, file), 'utf8')) as CorpusRow[]).map(
        (row) => [`${folder}/${file}: ${row.name}`, row] as const,
      ),
    );
}

/** What an answer has to look like. */
export function wanted({ expect: { id, result, error, pointer } }: CorpusRow): object {
  if (error === undefined) return { id, result: result === 'null' ? null : (expect.any(Object) as object) };
  return {
    id,
    error: {
      data: {
        name: error,
        hint: expect.any(String) as string,
        ...(pointer === undefined ? {} : { problems: [{ pointer }] }),
      },
    },
  };
}
