import type { NucleusModel } from '../../models/nucleusModel';
import type { WorkKind } from './unitTask';

/** What a machine with this model and program must have in common with another. @param version of this program */
export function workKindOf({ id, manifest }: NucleusModel, version: string): WorkKind {
  const { encoder, decoder } = manifest.files;
  return { version, modelId: id, encoder: encoder.sha256, decoder: decoder.sha256 };
}
