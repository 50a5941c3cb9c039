import { BridgeError } from '../../errors';
import { canonicalClassName } from '../../segmentation/className';
import { EXAMPLE_SOURCES, type Example } from '../search/example';

/** Says what the document is, and its form. */
const FORMAT = 'sampo-intent' as const;
const FORMAT_VERSION = 1 as const;

/** What a document holds, decoded. */
export interface IntentContent {
  readonly intentId: string;
  readonly name: string;
  readonly color: readonly [number, number, number];
  readonly modelId: string;
  readonly createdAt: string;
  readonly round: number;
  readonly scoreThreshold: number | null;
  /** [intentTokens * channels]. */
  readonly tokens: Float32Array | null;
  readonly exemplars: readonly Example[];
}

/** What features of a model look like. */
export interface FeatureForm {
  readonly modelId: string;
  /** Length of a feature. */
  readonly channels: number;
}

/** An intent as one JSON object; vectors are base64 of little-endian float32. */
export type IntentDocument = Readonly<Record<string, unknown>>;

/** What `writeDocument` gives: IntentDocument of the protocol, without its refinement. */
export type WrittenDocument = ReturnType<typeof writeDocument>;

/** Content -> document; its refinement goes into `checkpoint` (see Checkpoints.export). */
export function writeDocument({ tokens, exemplars, ...content }: IntentContent) {
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    ...content,
    tokens: tokens === null ? null : base64(tokens),
    exemplars: exemplars.map(({ feature, place, ...rest }) => ({
      ...rest,
      ...place,
      feature: base64(feature),
    })),
  };
}

/**
 * Document -> content. @param model its id and the length of its features; features of other models may have any length
 * @throws BridgeError `IntentInvalid` naming the part
 */
export function readDocument(value: unknown, model: FeatureForm): IntentContent {
  const document = record(value, 'the document');
  if (document['format'] !== FORMAT) throw invalid(`it is no ${FORMAT} document`);
  if (document['formatVersion'] !== FORMAT_VERSION)
    throw invalid(`its form is version ${String(document['formatVersion'])}, this reads ${FORMAT_VERSION}`);
  const text = (name: string): string => {
    const found = document[name];
    if (typeof found !== 'string' || found === '' || found.length > 200) throw invalid(`${name} is no text`);
    return found;
  };
  const color = document['color'];
  if (!isColor(color)) throw invalid('color is not three numbers from 0 to 255');
  const { tokens, exemplars, round, scoreThreshold } = document;
  if (!Array.isArray(exemplars)) throw invalid('exemplars is no list');
  if (scoreThreshold !== null && !(isNumber(scoreThreshold) && scoreThreshold >= 0 && scoreThreshold <= 1))
    throw invalid('scoreThreshold is not from 0 to 1');
  if (!isNumber(round) || !Number.isInteger(round) || round < 0) throw invalid('round is no whole number');
  return {
    intentId: text('intentId'),
    name: className(text('name')),
    color,
    modelId: text('modelId'),
    createdAt: text('createdAt'),
    round,
    scoreThreshold,
    tokens: tokens === null ? null : vector(tokens, 'tokens'),
    exemplars: exemplars.map((example, i) => readExample(example, `exemplars[${i}]`, model)),
  };
}

function className(text: string): string {
  try {
    return canonicalClassName(text);
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

function readExample(value: unknown, name: string, model: FeatureForm): Example {
  const example = record(value, name);
  const { label, modelId, imageUri, x, y } = example;
  if (label !== 0 && label !== 1) throw invalid(`${name}.label is neither 0 nor 1`);
  const source = EXAMPLE_SOURCES.find((known) => known === example['source']);
  if (typeof modelId !== 'string' || source === undefined) throw invalid(`${name} lacks its origin`);
  const feature = vector(example['feature'], `${name}.feature`);
  if (modelId === model.modelId && feature.length !== model.channels)
    throw invalid(`${name}.feature has ${feature.length} values, not ${model.channels}`);
  const placed = typeof imageUri === 'string' && isNumber(x) && isNumber(y);
  return { label, feature, modelId, source, place: placed ? { imageUri, x, y } : undefined };
}

/** Little-endian float32 of stored bytes, on a boundary of their own. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** The bytes of a vector, for a blob. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function base64(values: Float32Array): string {
  return Buffer.from(bytesOf(values)).toString('base64');
}

function vector(value: unknown, name: string): Float32Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  if (bytes.length === 0 || bytes.length % 4 !== 0) throw invalid(`${name} is no base64 of float32 values`);
  const values = floatsOf(bytes);
  if (!values.every(Number.isFinite)) throw invalid(`${name} holds a value that is no finite number`);
  return values;
}

function isColor(value: unknown): value is [number, number, number] {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    value.every((part) => Number.isInteger(part) && (part as number) >= 0 && (part as number) <= 255)
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** @throws BridgeError `IntentInvalid` when it is no object */
export function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${name} is no object`);
  return value as Record<string, unknown>;
}

/** What is thrown for a document that is none. */
export function invalid(reason: string): BridgeError {
  return new BridgeError('IntentInvalid', `the intent cannot be read: ${reason}`, { reason });
}
