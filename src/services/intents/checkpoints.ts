import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine';
import { BridgeError, isBridgeError } from '../../errors';
import type { Database } from '../../store/database';
import { readFileChecked, writeFileAtomic } from '../../store/files';
import { readCheckpoint, writeCheckpoint, type Refinement } from './checkpointFile';
import { decoderWith } from './decoderFile';
import { invalid, record } from './intentDocument';
import type { NucleusModel } from '../models/nucleusModel';
import type { Example } from '../search/example';
import type { SearchIntent } from '../search/searchRequest';

type Facts = Record<string, unknown>;

/** One version of an intent. */
export interface Checkpoint {
  readonly checkpointId: string;
  readonly intentId: string;
  readonly active: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Refinements that led to it. */
  readonly round: number;
  readonly metrics: Facts;
  readonly provenance: Facts;
}

interface Row {
  readonly checkpointId: string;
  readonly intentId: string;
  readonly sha256: string;
  readonly round: number;
  readonly metrics: string;
  readonly provenance: string;
  readonly createdAt: string;
}

/** A version as an intent's document carries it, read and checked. */
export interface ExportedCheckpoint {
  readonly refinement: Refinement;
  readonly round: number;
  readonly metrics: Facts;
  readonly provenance: Facts;
}

/** The `checkpoint` of an intent's document. @throws BridgeError `IntentInvalid`, `CheckpointDamaged` */
export function readExportedCheckpoint(value: unknown): ExportedCheckpoint | undefined {
  if (value === undefined || value === null) return undefined;
  const { file, round, metrics, provenance } = record(value, 'checkpoint');
  if (typeof file !== 'string') throw invalid('checkpoint.file is no text');
  if (typeof round !== 'number' || !Number.isInteger(round) || round < 1)
    throw invalid('checkpoint.round is no whole number above 0');
  return {
    refinement: readCheckpoint(Buffer.from(file, 'base64')),
    round,
    metrics: record(metrics, 'checkpoint.metrics'),
    provenance: record(provenance, 'checkpoint.provenance'),
  };
}

/** A checkpoint that searches use, in memory. */
interface Loaded {
  readonly refinement: Refinement;
  readonly round: number;
  /** Engine id of its decoder. */
  readonly decoder: string;
}

/**
 * Versions of intents: a file each, and a row that knows its checksum. The file is whole on disk before the row is made, and
 * the row before the intent points to it: a crash in between leaves the version that was active. Methods throw the
 * store's errors, `IntentNotFound` and `CheckpointNotFound`.
 */
export class Checkpoints {
  readonly #folder: string;
  readonly #loaded = new Map<string, Promise<Loaded>>();

  constructor(
    private readonly database: Database,
    private readonly engine: Engine,
    private readonly model: NucleusModel,
    stateFolder: string,
  ) {
    this.#folder = join(stateFolder, 'checkpoints');
  }

  /** Keeps a refinement as a version that is not active yet. */
  async save(
    intentId: string,
    refinement: Refinement,
    about: { readonly metrics: Facts; readonly provenance: Facts },
  ): Promise<Checkpoint> {
    const round = this.#intent(intentId).round + 1;
    const checkpointId = randomUUID();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const sha256 = await writeFileAtomic(this.#path(checkpointId), writeCheckpoint(refinement));
    this.database.run(
      `INSERT INTO checkpoints (checkpointId, intentId, sha256, round, metrics, provenance, createdAt)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      checkpointId,
      intentId,
      sha256,
      round,
      JSON.stringify(about.metrics),
      JSON.stringify(about.provenance),
      new Date().toISOString(),
    );
    return this.#describe(this.#row(intentId, checkpointId));
  }

  /** The active version for an intent's document: its facts, and its file in base64; undefined when there is none. @throws BridgeError `CheckpointDamaged` */
  async export(intentId: string) {
    const { checkpointId } = this.#intent(intentId);
    if (checkpointId === null) return undefined;
    const row = this.#row(intentId, checkpointId);
    const { metrics, provenance, round, createdAt } = this.#describe(row);
    const bytes = writeCheckpoint(await this.#read(row));
    return { round, metrics, provenance, createdAt, file: Buffer.from(bytes).toString('base64') };
  }

  /** Gives an intent the exported version, active. @throws BridgeError `CheckpointDamaged` when its decoder does not load; nothing stays */
  async import(intentId: string, { refinement, round, ...about }: ExportedCheckpoint): Promise<void> {
    this.database.run('UPDATE intents SET round = ? WHERE intentId = ?', round - 1, intentId);
    const { checkpointId } = await this.save(intentId, refinement, about);
    await this.activate(intentId, checkpointId);
    try {
      await this.active(intentId);
    } catch (error) {
      await this.activate(intentId, null);
      await this.delete(intentId, checkpointId);
      throw error;
    }
  }

  /** Versions, oldest first. */
  list(intentId: string): Checkpoint[] {
    this.#intent(intentId);
    return this.database
      .all<Row>('SELECT * FROM checkpoints WHERE intentId = ? ORDER BY rowid', intentId)
      .map((row) => this.#describe(row));
  }

  /** Goes to a version; `null` is the model as shipped. @throws BridgeError `CheckpointDamaged`: the one before stays active */
  async activate(intentId: string, checkpointId: string | null): Promise<void> {
    this.#intent(intentId);
    const round = checkpointId === null ? 0 : this.#row(intentId, checkpointId).round;
    if (checkpointId !== null) await this.#read(this.#row(intentId, checkpointId));
    this.database.run(
      'UPDATE intents SET checkpointId = ?, round = ?, updatedAt = ? WHERE intentId = ?',
      checkpointId,
      round,
      new Date().toISOString(),
      intentId,
    );
  }

  /** Deletes a version. @throws BridgeError `InvalidParams` for the active one */
  async delete(intentId: string, checkpointId: string): Promise<void> {
    this.#row(intentId, checkpointId);
    if (this.#intent(intentId).checkpointId === checkpointId)
      throw new BridgeError('InvalidParams', 'the active version cannot be deleted', {
        checkpointId,
        hint: 'activate another version, or null, first',
      });
    this.database.run('DELETE FROM checkpoints WHERE checkpointId = ?', checkpointId);
    if (this.#loaded.delete(checkpointId)) await this.engine.release(decoderId(checkpointId));
    await rm(this.#path(checkpointId), { force: true });
  }

  /** Deletes every version of an intent that is about to go, with its file. */
  async deleteAll(intentId: string): Promise<void> {
    await this.activate(intentId, null);
    for (const { checkpointId } of this.list(intentId)) await this.delete(intentId, checkpointId);
  }

  /** The active version of an intent. @throws BridgeError `CheckpointDamaged` */
  async active(intentId: string): Promise<Loaded | undefined> {
    const { checkpointId } = this.#intent(intentId);
    if (checkpointId === null) return undefined;
    let loaded = this.#loaded.get(checkpointId);
    if (loaded === undefined) {
      loaded = this.#load(this.#row(intentId, checkpointId));
      this.#loaded.set(checkpointId, loaded);
      loaded.catch(() => this.#loaded.delete(checkpointId));
    }
    return loaded;
  }

  /** The intent with its active version, as a search uses it. @throws BridgeError `CheckpointDamaged` */
  async apply(intent: SearchIntent): Promise<SearchIntent> {
    const loaded = await this.active(intent.intentId);
    if (loaded === undefined) return intent;
    const { refinement, round, decoder } = loaded;
    const judged = refinement.exemplars.map((exemplar): Example => ({
      ...exemplar,
      source: 'judgement',
      modelId: this.model.id,
    }));
    return {
      ...intent,
      round,
      decoder,
      tokens: refinement.tokens,
      scoreThreshold: refinement.scoreThreshold ?? intent.scoreThreshold,
      exemplars: [...intent.exemplars, ...judged],
    };
  }

  /** Puts a decoder of these parameters into the engine, under `id`. */
  async loadDecoder(id: string, parameters: Refinement['parameters']): Promise<void> {
    await loadDecoder(this.engine, this.model, id, parameters);
  }

  async #load(row: Row): Promise<Loaded> {
    const refinement = await this.#read(row);
    const decoder = decoderId(row.checkpointId);
    await this.loadDecoder(decoder, refinement.parameters);
    return { refinement, round: row.round, decoder };
  }

  async #read({ checkpointId, sha256 }: Row): Promise<Refinement> {
    try {
      return readCheckpoint(await readFileChecked(this.#path(checkpointId), sha256));
    } catch (error) {
      if (!isBridgeError(error) || !['FileDamaged', 'FileNotFound'].includes(error.errorName)) throw error;
      throw new BridgeError('CheckpointDamaged', error.message, {
        checkpointId,
        path: this.#path(checkpointId),
      });
    }
  }

  #path(checkpointId: string): string {
    return join(this.#folder, `${checkpointId}.sampo`);
  }

  #intent(intentId: string): { readonly checkpointId: string | null; readonly round: number } {
    const row = this.database.get<{ checkpointId: string | null; round: number }>(
      'SELECT checkpointId, round FROM intents WHERE intentId = ?',
      intentId,
    );
    if (row === undefined)
      throw new BridgeError('IntentNotFound', `no intent has the id ${intentId}`, { intentId });
    return row;
  }

  #row(intentId: string, checkpointId: string): Row {
    this.#intent(intentId);
    const row = this.database.get<Row>(
      'SELECT * FROM checkpoints WHERE intentId = ? AND checkpointId = ?',
      intentId,
      checkpointId,
    );
    if (row === undefined)
      throw new BridgeError('CheckpointNotFound', `the intent has no checkpoint ${checkpointId}`, {
        checkpointId,
      });
    return row;
  }

  #describe({ checkpointId, intentId, createdAt, round, metrics, provenance }: Row): Checkpoint {
    return {
      checkpointId,
      intentId,
      active: this.#intent(intentId).checkpointId === checkpointId,
      createdAt,
      round,
      metrics: JSON.parse(metrics) as Facts,
      provenance: JSON.parse(provenance) as Facts,
    };
  }
}

/** Puts a model's decoder with other parameters into an engine, under `id`. @throws BridgeError as `NucleusModel.read`, `Engine.load` */
export async function loadDecoder(
  engine: Engine,
  model: Pick<NucleusModel, 'read'>,
  id: string,
  parameters: Refinement['parameters'],
): Promise<void> {
  await engine.load(id, { model: decoderWith(await model.read('decoder'), parameters) });
}

function decoderId(checkpointId: string): string {
  return `checkpoint/${checkpointId}`;
}
