import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFileChecked, sha256, writeFileAtomic } from '../../store/files';
import { readCheckpoint, writeCheckpoint, type Refinement } from '../intents/checkpointFile';
import { decoderWith } from '../intents/decoderFile';
import type { NucleusModel } from '../models/nucleusModel';
import type { TrainRun } from './trainStep';

const CHECKPOINT = 'training.sampo';
const PROGRESS = 'training.json';

/** What an interrupted run has left. */
export interface SavedRun {
  readonly steps: number;
  readonly refinement: Refinement;
}

/** Where a whole model is trained into: the run's progress, and at its end the model's files. */
export class TrainingFolder {
  /** @param key tells runs of other options apart: theirs are not taken up */
  constructor(
    private readonly path: string,
    private readonly key: string,
  ) {
    mkdirSync(path, { recursive: true });
  }

  /** What an interrupted run of the same options has saved. @throws BridgeError `FileDamaged`, `CheckpointDamaged` */
  async readSaved(): Promise<SavedRun | undefined> {
    const path = join(this.path, PROGRESS);
    if (!existsSync(path)) return undefined;
    const progress = JSON.parse(readFileSync(path, 'utf8')) as {
      key: string;
      steps: number;
      checksum: string;
    };
    if (progress.key !== this.key) return undefined;
    const bytes = await readFileChecked(join(this.path, CHECKPOINT), progress.checksum);
    return { steps: progress.steps, refinement: readCheckpoint(bytes) };
  }

  /** Saves a run: first the checkpoint, then the line that vouches for it. */
  async save({ parameters, tokens }: TrainRun, steps: number): Promise<void> {
    const bytes = writeCheckpoint({ parameters, tokens, exemplars: [] });
    const checksum = await writeFileAtomic(join(this.path, CHECKPOINT), bytes);
    const progress = Buffer.from(JSON.stringify({ key: this.key, steps, checksum }));
    await writeFileAtomic(join(this.path, PROGRESS), progress);
  }

  /** Writes the model with its new decoder, as a folder like the one it came from. */
  async writeModel(model: NucleusModel, parameters: TrainRun['parameters']): Promise<void> {
    const { manifest, folder } = model;
    const { encoder, decoder } = manifest.files;
    const bytes = decoderWith(await model.read('decoder'), parameters);
    copyFileSync(join(folder, encoder.path), join(this.path, encoder.path));
    await writeFileAtomic(join(this.path, decoder.path), bytes);
    const files = { encoder, decoder: { ...decoder, sha256: sha256(bytes), bytes: bytes.length } };
    await writeFileAtomic(
      join(this.path, 'model.json'),
      Buffer.from(`${JSON.stringify({ ...manifest, files }, null, 2)}\n`),
    );
  }
}
