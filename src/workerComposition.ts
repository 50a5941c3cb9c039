import { homedir } from 'node:os';
import { statSync } from 'node:fs';
import { bundledFolder } from './bundledModels';
import { createEngineClient } from './engine/engineClient';
import { BridgeError } from './errors';
import type { Log } from './log';
import { packageVersion } from './packageFiles';
import type { PathMap } from './services/batch/cluster/pathMap';
import { TaskSearch } from './services/batch/cluster/taskSearch';
import { WorkerLoop } from './services/batch/cluster/workerLoop';
import { workKindOf } from './services/batch/cluster/workKind';
import { imageFormats } from './services/images/imageFormats';
import { ImageRegistry } from './services/images/images';
import type { LibrarySearch } from './services/images/openSlide/librarySearch';
import { OpenSlide } from './services/images/openSlide/openSlide';
import { OmeZarr } from './services/images/zarr/omeZarr';
import { loadDecoder } from './services/intents/checkpoints';
import { checkModelFiles } from './services/models/modelManifest';
import { NucleusModel } from './services/models/nucleusModel';

export interface WorkerOptions {
  /** Of the Redis or Valkey server. */
  readonly queue: string;
  readonly device?: string | undefined;
  /** Folder under `models/` of the package; sampo-tiny when absent. */
  readonly model?: string | undefined;
  /** Folders that may be read and written. */
  readonly roots: readonly string[];
  readonly maps: readonly PathMap[];
  readonly openSlide?: LibrarySearch;
  /** Units at a time. */
  readonly units: number;
  /** Of one operator; the number of cores when absent. */
  readonly threads?: number | undefined;
  readonly lostAfterMs: number;
  readonly graceMs: number;
  readonly log: Log;
}

/** A running worker. */
export interface RunningWorker {
  readonly address: string;
  readonly modelId: string;
  /** Finishes or gives back what is under way. */
  close(): Promise<void>;
}

/** How long the first connection to the queue may take, ms. */
const FIRST_CONNECTION = 10_000;

/**
 * Builds what a worker is made of: engine, model, pictures, and the queue's side that takes units. It has no state folder.
 * @throws BridgeError `FileNotFound` for a root that is not there, `QueueUnavailable`, and what the engine and the model throw
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { log, roots } = options;
  for (const root of roots)
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new BridgeError('FileNotFound', `the folder ${root} cannot be reached`, {
        path: root,
        hint: 'mount the share that holds the slides, or correct --root',
      });
  const folder = bundledFolder(options.model);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer();
  };
  try {
    const engine = await createEngineClient({ device: options.device, threads: options.threads, log });
    closers.push(() => engine.close());
    const model = new NucleusModel(engine, folder);
    checkModelFiles(folder, model.manifest);
    await model.load();
    const searched = options.openSlide ?? { platform: process.platform, env: {}, home: homedir() };
    const openSlide = new OpenSlide({ ...searched, log });
    closers.push(() => openSlide.close());
    const omeZarr = new OmeZarr({ log });
    closers.push(() => omeZarr.close());
    const tasks = new TaskSearch({
      model,
      images: new ImageRegistry({ roots, formats: imageFormats({ openSlide, omeZarr }) }),
      checkpoints: { loadDecoder: (id, parameters) => loadDecoder(engine, model, id, parameters) },
      roots,
      maps: options.maps,
      log,
    });
    closers.push(() => tasks.close());
    const loop = new WorkerLoop({
      url: options.queue,
      kind: workKindOf(model, packageVersion()),
      units: options.units,
      lostAfterMs: options.lostAfterMs,
      graceMs: options.graceMs,
      log,
      search: (task, signal) => tasks.run(task, signal),
    });
    closers.push(() => loop.close());
    await loop.start(FIRST_CONNECTION);
    return { address: loop.address, modelId: model.id, close };
  } catch (error) {
    await close();
    throw error;
  }
}
