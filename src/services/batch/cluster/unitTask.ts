import { createHash } from 'node:crypto';
import type { SearchFilters } from '../../search/searchRequest';
import type { Stain } from '../../images/stains';
import type { Outline } from '../../../segmentation/geometry';
import type { Unit } from '../../../segmentation/unitGrid';
import type { PinnedIntent } from '../job';
import type { JobError } from '../jobStore';

/** Form of a task and its answer; a change of either is another number. */
const TASK_FORM = 1;

/** What lets another machine open the same picture. */
export interface SharedImage {
  /** As the server spells it. */
  readonly path: string;
  /** Of the content and how it is shown: a worker that opens another picture under this path does not search it. */
  readonly contentKey: string;
  /** Channels from 1, as `image/open` takes them. */
  readonly stains: 'rgb' | { readonly channel: number; readonly stain: Stain }[];
}

/** One unit, as the queue carries it: everything its result depends on. Paths are as the server spells them. */
export interface UnitTask {
  readonly jobId: string;
  readonly position: number;
  readonly unit: Unit;
  readonly image: SharedImage;
  /** Only objects in it, image px; all of the unit's when absent. */
  readonly within?: Outline | undefined;
  /** Used for the search, µm/px. */
  readonly pixelSizeMicrons: number;
  readonly intents: readonly PinnedIntent[];
  readonly filters: SearchFilters;
  /** Holds the pinned intents, and the units' files. */
  readonly sharedFolder: string;
  /** How often workers that cannot reach the image have given it back. */
  readonly returned: number;
}

/** What a worker answers; the objects are in the unit's file. */
export interface UnitAnswer {
  readonly objects: number;
  readonly seconds: number;
  /** Of the unit's file. */
  readonly sha256: string;
}

/** What must be equal for two machines to give the same bytes. */
export interface WorkKind {
  /** Of this program. */
  readonly version: string;
  readonly modelId: string;
  readonly encoder: string;
  readonly decoder: string;
}

/** Name of the queue in which servers and workers of one kind meet: others never see its units. */
export function queueName(kind: WorkKind): string {
  const parts = [TASK_FORM, kind.version, kind.modelId, kind.encoder, kind.decoder];
  return `units-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)}`;
}

/** Why a worker of `own` kind takes nothing from a server that wants `wanted`; undefined when it does. */
export function mismatch(own: WorkKind, wanted: WorkKind): string | undefined {
  if (own.version !== wanted.version) return `it is sampo ${wanted.version}, this is ${own.version}`;
  if (own.modelId !== wanted.modelId) return `it wants the model ${wanted.modelId}, this has ${own.modelId}`;
  if (own.encoder !== wanted.encoder || own.decoder !== wanted.decoder)
    return `its files of the model ${wanted.modelId} are others than these (decoder ${wanted.decoder.slice(0, 12)} and ${own.decoder.slice(0, 12)})`;
  return undefined;
}

/** Names a unit in the queue: the same unit of the same content has the same name in a server's next life. */
export function taskId({ jobId, position, unit, image }: UnitTask): string {
  return `${jobId}-${position}-${unit.index}-${image.contentKey.slice(0, 12)}`;
}

/** A fault as it travels through the queue, whose jobs fail with a text. */
export function faultText(fault: JobError): string {
  return JSON.stringify(fault);
}

/** Reads it back; a text of the queue itself is its word on a lost worker. */
export function readFault(text: string): JobError {
  try {
    const { name, message } = JSON.parse(text) as Partial<JobError>;
    if (name !== undefined && message !== undefined) return { name, message };
  } catch {
    // Not ours: below.
  }
  if (/stalled/i.test(text))
    return {
      name: 'WorkerLost',
      message: 'every worker that took it was lost while it searched it',
    };
  return { name: 'InternalError', message: text };
}
