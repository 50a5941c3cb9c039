import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../errors';
import { canonicalClassName } from '../../segmentation/className';
import type { Database } from '../../store/database';
import { isPlaced, type Example, type ExampleSource, type PlacedExample } from '../search/example';
import { bytesOf, floatsOf, readDocument, writeDocument, type WrittenDocument } from './intentDocument';
import type { SearchIntent } from '../search/searchRequest';

/** An intent as clients see it. */
export interface Intent {
  readonly intentId: string;
  readonly name: string;
  readonly color: readonly [number, number, number];
  /** The model its examples belong to. */
  readonly modelId: string;
  readonly exemplars: number;
  readonly positives: number;
  readonly checkpointId: string | null;
  readonly judgements: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** An intent taken in from a document. */
export interface ImportedIntent {
  readonly intent: Intent;
  /** Its own id was taken. */
  readonly renamed: boolean;
  /** What it learned by refinement and its threshold hold for this model. */
  readonly sameModel: boolean;
  /** Examples of another model, and the images where they lie. */
  readonly foreign: number;
  readonly images: readonly string[];
}

interface IntentRow {
  readonly intentId: string;
  readonly name: string;
  readonly color: string;
  readonly modelId: string;
  readonly tokens: Uint8Array | null;
  readonly checkpointId: string | null;
  readonly round: number;
  readonly scoreThreshold: number | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface ExampleRow {
  readonly label: number;
  readonly feature: Uint8Array;
  readonly modelId: string;
  readonly source: ExampleSource;
  readonly imageUri: string | null;
  readonly x: number | null;
  readonly y: number | null;
}

/** Colours for intents made without one: Okabe and Ito (2008), told apart by colour-blind users too. */
const PALETTE = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [86, 180, 233],
  [240, 228, 66],
] as const;

/** What a user looks for, kept in the store with its examples. Every method throws the store's errors. */
export class Intents {
  /** @param modelId of the model that embeds @param judgementCount stored judgements of an intent */
  constructor(
    private readonly database: Database,
    private readonly modelId: string,
    private readonly judgementCount: (intentId: string) => number = () => 0,
  ) {}

  /** @throws BridgeError `InvalidParams` for a name that is no class name; `DiskFull`, `StoreReadOnly` */
  create(name: string, color?: readonly [number, number, number]): Intent {
    const used = this.database.get<{ n: number }>('SELECT count(*) AS n FROM intents')?.n ?? 0;
    const intentId = randomUUID();
    const now = new Date().toISOString();
    this.database.run(
      'INSERT INTO intents (intentId, name, color, modelId, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?)',
      intentId,
      canonicalClassName(name),
      JSON.stringify(color ?? PALETTE[used % PALETTE.length]),
      this.modelId,
      now,
      now,
    );
    return this.get(intentId);
  }

  /** @throws BridgeError `IntentNotFound`; `InvalidParams` for a name that is no class name */
  update(
    intentId: string,
    change: {
      readonly name?: string | undefined;
      readonly color?: readonly [number, number, number] | undefined;
      readonly clearExemplars?: boolean | undefined;
    },
  ): Intent {
    const row = this.#row(intentId);
    const name = change.name === undefined ? row.name : canonicalClassName(change.name);
    this.database.transaction(() => {
      this.database.run(
        'UPDATE intents SET name = ?, color = ?, updatedAt = ? WHERE intentId = ?',
        name,
        change.color === undefined ? row.color : JSON.stringify(change.color),
        new Date().toISOString(),
        intentId,
      );
      if (change.clearExemplars === true) {
        this.database.run('DELETE FROM exemplars WHERE intentId = ?', intentId);
        this.database.run('UPDATE intents SET modelId = ? WHERE intentId = ?', this.modelId, intentId);
      }
    });
    return this.get(intentId);
  }

  /** All intents, oldest first. */
  list(): Intent[] {
    return this.database
      .all<IntentRow>('SELECT * FROM intents ORDER BY createdAt, rowid')
      .map((row) => this.#describe(row));
  }

  /** @throws BridgeError `IntentNotFound` */
  get(intentId: string): Intent {
    return this.#describe(this.#row(intentId));
  }

  /** @throws BridgeError `IntentNotFound` */
  delete(intentId: string): void {
    this.#row(intentId);
    this.database.run('DELETE FROM intents WHERE intentId = ?', intentId);
  }

  /** The intent as a search uses it. @throws BridgeError `IntentNotFound` */
  forSearch(intentId: string): SearchIntent {
    const { name, color, tokens, round, scoreThreshold } = this.#row(intentId);
    return {
      intentId,
      classification: { name, color: JSON.parse(color) as [number, number, number] },
      exemplars: this.exemplars(intentId),
      round,
      tokens: tokens === null ? undefined : floatsOf(tokens),
      scoreThreshold: scoreThreshold ?? undefined,
    };
  }

  /** Its examples, oldest first. */
  exemplars(intentId: string): Example[] {
    return this.database
      .all<ExampleRow>('SELECT * FROM exemplars WHERE intentId = ? ORDER BY exemplarId', intentId)
      .map(exampleOf);
  }

  /** Keeps examples of a search, each place once: a later word about it replaces the earlier one. @throws BridgeError `IntentNotFound` */
  remember(intentId: string, learned: readonly PlacedExample[]): void {
    const [first] = learned;
    if (first === undefined) return;
    this.#row(intentId);
    this.database.transaction(() => {
      for (const example of learned) {
        const { imageUri, x, y } = example.place;
        this.database.run(
          'DELETE FROM exemplars WHERE intentId = ? AND imageUri = ? AND abs(x - ?) < 0.005 AND abs(y - ?) < 0.005',
          intentId,
          imageUri,
          x,
          y,
        );
        this.#insert(intentId, example);
      }
      this.database.run(
        'UPDATE intents SET modelId = ?, updatedAt = ? WHERE intentId = ?',
        first.modelId,
        new Date().toISOString(),
        intentId,
      );
    });
  }

  /** The intent as one JSON document. @throws BridgeError `IntentNotFound` */
  export(intentId: string): WrittenDocument {
    const { name, color, modelId, createdAt, tokens, round, scoreThreshold } = this.#row(intentId);
    return writeDocument({
      intentId,
      name,
      color: JSON.parse(color) as [number, number, number],
      modelId,
      createdAt,
      round,
      scoreThreshold,
      tokens: tokens === null ? null : floatsOf(tokens),
      exemplars: this.exemplars(intentId),
    });
  }

  /**
   * Takes an exported intent in; under a new id when its own is taken. Examples of another model come along, to be embedded
   * again where their images are open. @param channels of the model's embedding
   * @throws BridgeError `IntentInvalid`; `IntentModelMismatch` when all its examples are another model's and none says where it lies
   */
  import(document: unknown, channels: number): ImportedIntent {
    const read = readDocument(document, { modelId: this.modelId, channels });
    const foreign = read.exemplars.filter(({ modelId }) => modelId !== this.modelId);
    const images = [...new Set(foreign.filter(isPlaced).map(({ place }) => place.imageUri))];
    if (foreign.length > 0 && foreign.length === read.exemplars.length && images.length === 0)
      throw new BridgeError(
        'IntentModelMismatch',
        `the intent "${read.name}" was made with the model ${read.modelId}, this is ${this.modelId}, and its examples do not say where they lie`,
        {
          madeWith: read.modelId,
          modelId: this.modelId,
          images,
          hint: 'create the intent here and click its examples again',
        },
      );
    const taken = this.database.get('SELECT 1 FROM intents WHERE intentId = ?', read.intentId) !== undefined;
    const intentId = taken ? randomUUID() : read.intentId;
    const sameModel = read.modelId === this.modelId;
    this.database.transaction(() => {
      this.database.run(
        `INSERT INTO intents (intentId, name, color, modelId, tokens, round, scoreThreshold, createdAt, updatedAt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        intentId,
        read.name,
        JSON.stringify(read.color),
        read.modelId,
        sameModel && read.tokens !== null ? bytesOf(read.tokens) : null,
        0,
        sameModel ? read.scoreThreshold : null,
        read.createdAt,
        new Date().toISOString(),
      );
      for (const exemplar of read.exemplars) this.#insert(intentId, exemplar);
    });
    return { intent: this.get(intentId), renamed: taken, sameModel, foreign: foreign.length, images };
  }

  #insert(intentId: string, { label, feature, modelId, source, place }: Example): void {
    this.database.run(
      `INSERT INTO exemplars (intentId, label, feature, modelId, source, imageUri, x, y)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      intentId,
      label,
      bytesOf(feature),
      modelId,
      source,
      place?.imageUri ?? null,
      place?.x ?? null,
      place?.y ?? null,
    );
  }

  #row(intentId: string): IntentRow {
    const row = this.database.get<IntentRow>('SELECT * FROM intents WHERE intentId = ?', intentId);
    if (row === undefined)
      throw new BridgeError('IntentNotFound', `no intent has the id ${intentId}`, { intentId });
    return row;
  }

  #describe({ intentId, name, color, modelId, checkpointId, createdAt, updatedAt }: IntentRow): Intent {
    const counts = this.database.get<{ n: number; positives: number | null }>(
      'SELECT count(*) AS n, sum(label) AS positives FROM exemplars WHERE intentId = ?',
      intentId,
    );
    return {
      intentId,
      name,
      color: JSON.parse(color) as [number, number, number],
      modelId,
      exemplars: counts?.n ?? 0,
      positives: counts?.positives ?? 0,
      checkpointId,
      judgements: this.judgementCount(intentId),
      createdAt,
      updatedAt,
    };
  }
}

function exampleOf({ label, feature, modelId, source, imageUri, x, y }: ExampleRow): Example {
  return {
    label: label === 1 ? 1 : 0,
    feature: floatsOf(feature),
    modelId,
    source,
    place: imageUri !== null && x !== null && y !== null ? { imageUri, x, y } : undefined,
  };
}
