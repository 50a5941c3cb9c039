import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../errors';
import { readGeometry, toGeometry } from '../../segmentation/features';
import type { Outline } from '../../segmentation/geometry';
import type { Database } from '../../store/database';
import {
  evidenceOf,
  type CandidateChoice,
  type EvidenceSource,
  type JudgementKind,
  type SubmittedJudgement,
} from './judgementEvidence';

/** A judgement in force. */
export interface StoredJudgement {
  readonly judgementId: string;
  readonly kind: JudgementKind;
  readonly imageUri: string;
  readonly objectId?: string;
  /** Of the object, full-resolution px; absent for a choice among candidates. */
  readonly outline?: Outline;
  readonly choice?: CandidateChoice;
  /** Image px per model px. */
  readonly scale: number;
  /** ISO 8601. */
  readonly at: string;
  /** Earlier judgements of the same object that this one replaces. */
  readonly overrides: readonly string[];
}

/** A new judgement that replaces an earlier one of the same object. */
export interface Conflict {
  readonly judgementId: string;
  readonly replaces: string;
}

/** What undo and redo moved. */
export interface Moved {
  readonly judgementIds: string[];
  /** Judgements in force. */
  readonly total: number;
}

interface Row {
  readonly sequence: number;
  readonly judgementId: string;
  readonly submission: string;
  readonly target: string;
  readonly state: string;
  readonly kind: string;
  readonly imageUri: string;
  readonly objectId: string | null;
  readonly geometry: string | null;
  readonly choice: string | null;
  readonly scale: number;
  readonly at: string;
}

/**
 * The user's judgements of every intent. Nothing is ever changed but a row's state: one submission is undone and redone as a
 * whole, newest first and without limit; of several judgements of one object the latest is in force. Every method throws
 * the store's errors, and `IntentNotFound` for an intent that is not there.
 */
export class Judgements {
  constructor(private readonly database: Database) {}

  /**
   * Stores judgements; on return they are on the disk. What was undone before can be redone no more.
   * @throws BridgeError `ObjectNotFound`, `InvalidParams`, `GeometryInvalid`: then none is stored
   */
  submit(
    source: EvidenceSource,
    judgements: readonly SubmittedJudgement[],
  ): { judgementIds: string[]; total: number; conflicts: Conflict[] } {
    const { intentId, imageUri } = source;
    this.#mustExist(intentId);
    const evidence = judgements.map((one, i) => ({
      kind: one.kind,
      judgementId: randomUUID(),
      ...evidenceOf(one, source, `/judgements/${i}`),
    }));
    const submission = randomUUID();
    const at = new Date().toISOString();
    const conflicts: Conflict[] = [];
    this.database.transaction(() => {
      this.database.run(
        `UPDATE judgements SET state = 'dropped' WHERE intentId = ? AND state = 'undone'`,
        intentId,
      );
      for (const { judgementId, kind, target, objectId, outline, choice, scale } of evidence) {
        const earlier = this.database.get<{ judgementId: string }>(
          `SELECT judgementId FROM judgements WHERE intentId = ? AND imageUri = ? AND target = ? AND state = 'done'
           ORDER BY sequence DESC LIMIT 1`,
          intentId,
          imageUri,
          target,
        );
        if (earlier) conflicts.push({ judgementId, replaces: earlier.judgementId });
        this.database.run(
          `INSERT INTO judgements
           (judgementId, intentId, submission, target, kind, imageUri, objectId, geometry, choice, scale, at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          judgementId,
          intentId,
          submission,
          target,
          kind,
          imageUri,
          objectId ?? null,
          outline ? JSON.stringify(toGeometry(outline)) : null,
          choice ? JSON.stringify(choice) : null,
          scale,
          at,
        );
      }
    });
    return {
      judgementIds: evidence.map(({ judgementId }) => judgementId),
      total: this.count(intentId),
      conflicts,
    };
  }

  /** The judgements in force, oldest first: the latest of each object. */
  list(intentId: string): StoredJudgement[] {
    this.#mustExist(intentId);
    const targets = new Map<string, { latest: Row; overrides: string[] }>();
    for (const row of this.#rows(intentId, 'done')) {
      const key = `${row.imageUri}\n${row.target}`;
      const before = targets.get(key);
      const overrides = before ? [...before.overrides, before.latest.judgementId] : [];
      targets.delete(key); // so that the order is that of the latest
      targets.set(key, { latest: row, overrides });
    }
    return [...targets.values()].map(({ latest, overrides }) => stored(latest, overrides));
  }

  /** Judgements in force. */
  count(intentId: string): number {
    return (
      this.database.get<{ n: number }>(
        `SELECT count(*) AS n FROM
         (SELECT DISTINCT imageUri, target FROM judgements WHERE intentId = ? AND state = 'done')`,
        intentId,
      )?.n ?? 0
    );
  }

  /** What undo and redo would find. */
  can(intentId: string): { canUndo: boolean; canRedo: boolean } {
    return {
      canUndo: this.#next(intentId, 'done') !== undefined,
      canRedo: this.#next(intentId, 'undone') !== undefined,
    };
  }

  /** Takes the latest submission back. @throws BridgeError `NothingToUndo` */
  undo(intentId: string): Moved {
    return this.#move(intentId, 'done', 'undone');
  }

  /** Brings the submission back that was undone last. @throws BridgeError `NothingToUndo` */
  redo(intentId: string): Moved {
    return this.#move(intentId, 'undone', 'done');
  }

  #move(intentId: string, from: 'done' | 'undone', to: 'done' | 'undone'): Moved {
    this.#mustExist(intentId);
    return this.database.transaction(() => {
      const submission = this.#next(intentId, from);
      if (submission === undefined) {
        const what = from === 'done' ? 'undo' : 'redo';
        throw new BridgeError('NothingToUndo', `the intent has no judgement to ${what}`, { intentId });
      }
      const judgementIds = this.#rows(intentId, from)
        .filter((row) => row.submission === submission)
        .map(({ judgementId }) => judgementId);
      this.database.run('UPDATE judgements SET state = ? WHERE submission = ?', to, submission);
      return { judgementIds, total: this.count(intentId) };
    });
  }

  /** Undo goes back from the newest, redo forward from the oldest that is undone. */
  #next(intentId: string, state: 'done' | 'undone'): string | undefined {
    return this.database.get<{ submission: string }>(
      `SELECT submission FROM judgements WHERE intentId = ? AND state = ?
       ORDER BY sequence ${state === 'done' ? 'DESC' : 'ASC'} LIMIT 1`,
      intentId,
      state,
    )?.submission;
  }

  #rows(intentId: string, state: 'done' | 'undone'): Row[] {
    return this.database.all<Row>(
      'SELECT * FROM judgements WHERE intentId = ? AND state = ? ORDER BY sequence',
      intentId,
      state,
    );
  }

  #mustExist(intentId: string): void {
    if (this.database.get('SELECT 1 FROM intents WHERE intentId = ?', intentId) === undefined)
      throw new BridgeError('IntentNotFound', `no intent has the id ${intentId}`, { intentId });
  }
}

function stored(row: Row, overrides: readonly string[]): StoredJudgement {
  const { judgementId, imageUri, objectId, geometry, choice, scale, at } = row;
  return {
    judgementId,
    kind: row.kind as JudgementKind,
    imageUri,
    ...(objectId !== null && { objectId }),
    ...(geometry !== null && { outline: readGeometry(JSON.parse(geometry)) }),
    ...(choice !== null && { choice: JSON.parse(choice) as CandidateChoice }),
    scale,
    at,
    overrides,
  };
}
