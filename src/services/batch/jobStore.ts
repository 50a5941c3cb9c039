import { BridgeError, type ErrorName } from '../../errors';
import type { Unit } from '../../segmentation/unitGrid';
import type { Database } from '../../store/database';
import type { ImageOutcome, JobDocument, JobState, ImagePlan, UnitOutcome } from './job';

interface JobRow {
  readonly jobId: string;
  readonly requestKey: string;
  readonly state: JobState;
  readonly message: string;
  readonly document: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A job as it is stored. */
export interface StoredJob {
  readonly jobId: string;
  readonly requestKey: string;
  readonly state: JobState;
  /** Why it stands still; empty otherwise. */
  readonly message: string;
  readonly document: JobDocument;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** How far one image of a job is. */
export interface StoredImage {
  /** In the order of the request, from 0. */
  readonly position: number;
  readonly state: 'waiting' | 'done' | 'failed';
  readonly plan: ImagePlan | undefined;
  readonly outcome: ImageOutcome | undefined;
  readonly error: JobError | undefined;
}

/** A fault of an image or a unit. */
export interface JobError {
  readonly name: ErrorName;
  readonly message: string;
}

/** How far one unit is. */
export interface StoredUnit extends Unit {
  readonly state: 'waiting' | 'done' | 'failed';
  readonly attempts: number;
  readonly outcome: UnitOutcome | undefined;
  readonly error: JobError | undefined;
}

/** What a job has come to, in numbers. */
export interface JobCounts {
  readonly images: { readonly total: number; readonly done: number; readonly failed: number };
  /** Of the images planned so far. */
  readonly units: { readonly total: number; readonly done: number; readonly failed: number };
  readonly objects: number;
  /** Tissue searched, mm². */
  readonly areaMm2: number;
  /** Time that units took, s. */
  readonly unitSeconds: number;
}

/** Jobs, their images and their units, durable: what a method has returned from is on the disk. */
export class JobStore {
  constructor(private readonly database: Database) {}

  create(jobId: string, requestKey: string, document: JobDocument): StoredJob {
    const now = new Date().toISOString();
    this.database.transaction(() => {
      this.database.run(
        `INSERT INTO batchJobs (jobId, requestKey, state, message, document, createdAt, updatedAt)
         VALUES (?, ?, 'queued', '', ?, ?, ?)`,
        jobId,
        requestKey,
        JSON.stringify(document),
        now,
        now,
      );
      for (const position of document.images.keys())
        this.database.run(
          `INSERT INTO batchImages (jobId, position, state) VALUES (?, ?, 'waiting')`,
          jobId,
          position,
        );
    });
    return this.get(jobId);
  }

  /** @throws BridgeError `JobNotFound` */
  get(jobId: string): StoredJob {
    const row = this.database.get<JobRow>('SELECT * FROM batchJobs WHERE jobId = ?', jobId);
    if (row === undefined) throw new BridgeError('JobNotFound', `no job has the id ${jobId}`, { jobId });
    return jobOf(row);
  }

  /** Oldest first. */
  list(): StoredJob[] {
    return this.database.all<JobRow>('SELECT * FROM batchJobs ORDER BY rowid').map(jobOf);
  }

  setState(jobId: string, state: JobState, message = ''): void {
    this.database.run(
      'UPDATE batchJobs SET state = ?, message = ?, updatedAt = ? WHERE jobId = ?',
      state,
      message,
      new Date().toISOString(),
      jobId,
    );
  }

  images(jobId: string): StoredImage[] {
    return this.database
      .all<ImageRow>('SELECT * FROM batchImages WHERE jobId = ? ORDER BY position', jobId)
      .map(imageOf);
  }

  image(jobId: string, position: number): StoredImage {
    const row = this.database.get<ImageRow>(
      'SELECT * FROM batchImages WHERE jobId = ? AND position = ?',
      jobId,
      position,
    );
    if (row === undefined) throw new Error(`the job ${jobId} has no image ${position}`);
    return imageOf(row);
  }

  /** The failed units of a whole job, by their image. */
  failedUnits(jobId: string): ReadonlyMap<number, readonly StoredUnit[]> {
    const rows = this.database.all<UnitRow & { readonly position: number }>(
      `SELECT * FROM batchUnits WHERE jobId = ? AND state = 'failed' ORDER BY position, unit`,
      jobId,
    );
    const byImage = new Map<number, StoredUnit[]>();
    for (const row of rows) {
      const units = byImage.get(row.position) ?? [];
      units.push(unitOf(row));
      byImage.set(row.position, units);
    }
    return byImage;
  }

  /** Stores how an image is cut, and its units. */
  plan(jobId: string, position: number, plan: ImagePlan, units: readonly Unit[]): void {
    this.database.transaction(() => {
      this.database.run('DELETE FROM batchUnits WHERE jobId = ? AND position = ?', jobId, position);
      this.database.run(
        `UPDATE batchImages SET plan = ?, state = 'waiting', error = NULL WHERE jobId = ? AND position = ?`,
        JSON.stringify(plan),
        jobId,
        position,
      );
      for (const { index, x, y, width, height } of units)
        this.database.run(
          `INSERT INTO batchUnits (jobId, position, unit, x, y, width, height, state, attempts)
           VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', 0)`,
          jobId,
          position,
          index,
          x,
          y,
          width,
          height,
        );
    });
  }

  /** Units of an image, in their order. */
  units(jobId: string, position: number): StoredUnit[] {
    return this.database
      .all<UnitRow>(
        'SELECT * FROM batchUnits WHERE jobId = ? AND position = ? ORDER BY unit',
        jobId,
        position,
      )
      .map(unitOf);
  }

  unitDone(jobId: string, position: number, unit: number, outcome: UnitOutcome): void {
    this.database.run(
      `UPDATE batchUnits SET state = 'done', attempts = attempts + 1, outcome = ?, error = NULL
       WHERE jobId = ? AND position = ? AND unit = ?`,
      JSON.stringify(outcome),
      jobId,
      position,
      unit,
    );
  }

  /** @param final it is not tried again before somebody resumes the job */
  unitFailed(jobId: string, position: number, unit: number, error: JobError, final: boolean): void {
    this.database.run(
      `UPDATE batchUnits SET state = ?, attempts = attempts + 1, error = ?
       WHERE jobId = ? AND position = ? AND unit = ?`,
      final ? 'failed' : 'waiting',
      JSON.stringify(error),
      jobId,
      position,
      unit,
    );
  }

  imageDone(jobId: string, position: number, outcome: ImageOutcome): void {
    this.#endImage(jobId, position, 'done', outcome, undefined);
  }

  /** @param outcome of what could be found all the same */
  imageFailed(jobId: string, position: number, error: JobError, outcome?: ImageOutcome): void {
    this.#endImage(jobId, position, 'failed', outcome, error);
  }

  /** Failed images and units wait again; finished units stay. */
  retryFailed(jobId: string): void {
    this.database.transaction(() => {
      this.database.run(
        `UPDATE batchImages SET state = 'waiting', error = NULL WHERE jobId = ? AND state = 'failed'`,
        jobId,
      );
      this.database.run(
        `UPDATE batchUnits SET state = 'waiting', attempts = 0 WHERE jobId = ? AND state = 'failed'`,
        jobId,
      );
    });
  }

  counts(jobId: string): JobCounts {
    const images = this.#byState('batchImages', jobId);
    const units = this.#byState('batchUnits', jobId);
    const sums = this.database.get<{ objects: number | null; area: number | null; seconds: number | null }>(
      `SELECT sum(json_extract(outcome, '$.objects')) AS objects, sum(json_extract(outcome, '$.areaMm2')) AS area,
              sum(json_extract(outcome, '$.seconds')) AS seconds
       FROM batchUnits WHERE jobId = ? AND state = 'done'`,
      jobId,
    );
    return {
      images,
      units,
      objects: sums?.objects ?? 0,
      areaMm2: sums?.area ?? 0,
      unitSeconds: sums?.seconds ?? 0,
    };
  }

  #byState(table: 'batchImages' | 'batchUnits', jobId: string): JobCounts['units'] {
    const rows = this.database.all<{ state: string; n: number }>(
      `SELECT state, count(*) AS n FROM ${table} WHERE jobId = ? GROUP BY state`,
      jobId,
    );
    const of = (state: string): number => rows.find((row) => row.state === state)?.n ?? 0;
    return { total: rows.reduce((sum, { n }) => sum + n, 0), done: of('done'), failed: of('failed') };
  }

  #endImage(
    jobId: string,
    position: number,
    state: 'done' | 'failed',
    outcome: ImageOutcome | undefined,
    error: JobError | undefined,
  ): void {
    this.database.run(
      'UPDATE batchImages SET state = ?, outcome = ?, error = ? WHERE jobId = ? AND position = ?',
      state,
      outcome === undefined ? null : JSON.stringify(outcome),
      error === undefined ? null : JSON.stringify(error),
      jobId,
      position,
    );
  }
}

interface ImageRow {
  readonly position: number;
  readonly state: StoredImage['state'];
  readonly plan: string | null;
  readonly outcome: string | null;
  readonly error: string | null;
}

interface UnitRow extends Omit<ImageRow, 'plan' | 'position'> {
  readonly unit: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly attempts: number;
}

function jobOf({ document, ...row }: JobRow): StoredJob {
  return { ...row, document: JSON.parse(document) as JobDocument };
}

function imageOf({ position, state, plan, outcome, error }: ImageRow): StoredImage {
  return {
    position,
    state,
    plan: parsed<ImagePlan>(plan),
    outcome: parsed<ImageOutcome>(outcome),
    error: parsed<JobError>(error),
  };
}

function unitOf({ unit, x, y, width, height, state, attempts, outcome, error }: UnitRow): StoredUnit {
  return {
    index: unit,
    x,
    y,
    width,
    height,
    state,
    attempts,
    outcome: parsed<UnitOutcome>(outcome),
    error: parsed<JobError>(error),
  };
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T);
}
