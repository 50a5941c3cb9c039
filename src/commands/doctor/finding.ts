import { explain } from '../explain';

/** What one check says. A `note` is for the reader to know; a `problem` needs doing, and says what. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly found: string;
  /** What to do. */
  readonly advice?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found };
}

export function note(check: string, found: string, advice?: string): Finding {
  return { check, state: 'note', found, ...(advice !== undefined && { advice }) };
}

export function problem(check: string, found: string, advice: string): Finding {
  return { check, state: 'problem', found, advice };
}

/** An error as a problem: its sentence, and its hint as the advice. */
export function failed(check: string, error: unknown, advice: string): Finding {
  const [found = '', hint = ''] = explain(error)
    .split('\n')
    .map((line) => line.trim());
  return problem(check, found, hint === '' ? advice : hint);
}
