import { BridgeError } from '../../errors';
import type { Exemplar } from '../../segmentation/prompts';

/** First bytes of a file; the last one is the version of the form. */
const MAGIC = Buffer.from('SAMPOCK1', 'latin1');

/** What a refinement has made of an intent. */
export interface Refinement {
  /** Decoder parameters that differ from the base model's, by name. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** The intent's own tokens, [intentTokens * channels]. */
  readonly tokens: Float32Array;
  /** What the judgements added to its examples. */
  readonly exemplars: readonly Exemplar[];
  /** Score from which an object belongs to the intent, 0..1; the model's own when absent. */
  readonly scoreThreshold?: number;
}

interface Header {
  readonly parameters: readonly { readonly name: string; readonly length: number }[];
  readonly tokens: number;
  readonly labels: readonly (0 | 1)[];
  /** Length of an exemplar's feature. */
  readonly channels: number;
  readonly scoreThreshold?: number;
}

/** A refinement as one file: magic, header length (uint32), header (JSON, padded to 4), float32 values; little-endian. */
export function writeCheckpoint({ parameters, tokens, exemplars, scoreThreshold }: Refinement): Uint8Array {
  const header: Header = {
    parameters: [...parameters].map(([name, { length }]) => ({ name, length })),
    tokens: tokens.length,
    labels: exemplars.map(({ label }) => label),
    channels: exemplars[0]?.feature.length ?? 0,
    ...(scoreThreshold !== undefined && { scoreThreshold }),
  };
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((4 - (json.length % 4)) % 4, ' ')]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(padded.length);
  const values = [...parameters.values(), tokens, ...exemplars.map(({ feature }) => feature)];
  return Buffer.concat([
    MAGIC,
    length,
    padded,
    ...values.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength)),
  ]);
}

/** The inverse of `writeCheckpoint`. @throws BridgeError `CheckpointDamaged` */
export function readCheckpoint(bytes: Uint8Array): Refinement {
  const file = Buffer.from(bytes); // a copy: aligned, and the caller's to keep
  try {
    if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('it is no checkpoint file');
    const start = MAGIC.length + 4;
    const end = start + file.readUInt32LE(MAGIC.length);
    const header = JSON.parse(file.toString('utf8', start, end)) as Header;
    const { parameters, tokens, labels, channels, scoreThreshold } = header;
    let offset = end;
    const take = (length: number): Float32Array => {
      const values = new Float32Array(length);
      if (offset + 4 * length > file.length) throw new Error('it ends early');
      for (let i = 0; i < length; i++, offset += 4) values[i] = file.readFloatLE(offset);
      return values;
    };
    return {
      parameters: new Map(parameters.map(({ name, length }) => [name, take(length)])),
      tokens: take(tokens),
      exemplars: labels.map((label) => ({ label, feature: take(channels) })),
      ...(scoreThreshold !== undefined && { scoreThreshold }),
    };
  } catch (error) {
    throw new BridgeError('CheckpointDamaged', `the checkpoint cannot be read: ${(error as Error).message}`);
  }
}
