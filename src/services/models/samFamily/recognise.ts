import type { TensorSpec } from '../../../engine/engine';
import { BridgeError } from '../../../errors';
import { FORMS, type DecoderInput, type DecoderOutput, type SamForm } from './forms';
import type { FoundGraph } from './manifest';

/** A pair of graphs whose roles are known. */
export interface RecognisedPair {
  readonly form: SamForm;
  readonly encoder: FoundGraph;
  readonly decoder: FoundGraph;
  readonly image: { readonly name: string; readonly layout: 'nchw' | 'hwc'; readonly size: number };
  readonly inputs: Partial<Readonly<Record<DecoderInput, string>>>;
  readonly embeddings: Partial<Readonly<Record<DecoderInput, string>>>;
  readonly outputs: Readonly<Record<DecoderOutput, string>>;
}

/** Side of the encoder's input where the graph leaves it open: SAM's, SAM 2's and EfficientSAM's. */
const IMAGE_SIZE = 1024;
/** Roles whose tensors come from the encoder. */
const FROM_ENCODER: readonly DecoderInput[] = ['embedding', 'highRes0', 'highRes1', 'position'];
/** Other names encoders give their embedding. */
const EMBEDDING_NAMES = ['image_embeddings', 'image_embedding', 'image_embed', 'embeddings', 'embedding'];
const POINT_INPUTS = new Set(FORMS.flatMap(({ inputs }) => inputs.coords ?? []));

/**
 * Finds the encoder and the decoder among a folder's graphs and says which input is what. @param place the folder, for messages
 * @throws BridgeError `ModelInvalid` that says which file lacks which input or output
 */
export function recognise(graphs: readonly FoundGraph[], place: string): RecognisedPair {
  const decoders = graphs.filter(({ inputs }) => inputs.some(({ name }) => POINT_INPUTS.has(name)));
  const whole = decoders.find((graph) => imageInput(graph) !== undefined);
  if (whole !== undefined)
    throw refuse(
      `${whole.file} takes pixels and points at once: encoder and decoder must be two graphs, so that a tile is encoded once`,
      { file: whole.file, hint: 'export the image encoder and the mask decoder apart' },
    );
  const encoders = graphs.filter((graph) => !decoders.includes(graph) && imageInput(graph) !== undefined);
  const decoder = only(decoders, 'decoder', place, graphs);
  const { form, inputs, outputs } = recogniseDecoder(decoder);
  const encoder = only(encoders, 'encoder', place, graphs, decoder);
  const image = imageInput(encoder)!;
  const embeddings: Partial<Record<DecoderInput, string>> = {};
  for (const role of FROM_ENCODER) {
    const wanted = inputs[role];
    if (wanted === undefined) continue;
    const port = decoder.inputs.find(({ name }) => name === wanted)!;
    const output = matchOutput(encoder, port, role);
    if (output === undefined)
      throw refuse(
        `${encoder.file} has no output for the decoder's input ${describe(port)}; it gives ${list(encoder.outputs)}`,
        { file: encoder.file, missing: [wanted], form: form.name },
      );
    embeddings[role] = output.name;
  }
  for (const port of [encoder.inputs[0]!, ...used(decoder, inputs), ...picked(decoder, outputs)])
    if (!['float32', 'int64', 'int32'].includes(port.type))
      throw refuse(`the tensor ${describe(port)} is not float32; export the model in full precision`, {
        tensor: port.name,
        type: port.type,
      });
  return { form, encoder, decoder, image, inputs, embeddings, outputs };
}

/** The form of a decoder and what its tensors are called. @throws BridgeError `ModelInvalid` naming what is missing from the nearest form */
export function recogniseDecoder(graph: FoundGraph): Pick<RecognisedPair, 'form' | 'inputs' | 'outputs'> {
  const attempts = FORMS.map((form) => tryForm(graph, form));
  const fault = ({ missing, unknown }: (typeof attempts)[number]): number => missing.length + unknown.length;
  const [best] = attempts.toSorted((a, b) => fault(a) - fault(b));
  const { form, inputs, outputs, missing, unknown } = best!;
  if (fault(best!) === 0) return { form, inputs, outputs: outputs as Record<DecoderOutput, string> };
  const parts = [
    ...(missing.length > 0 ? [`lacks ${missing.join(' and ')}`] : []),
    ...(unknown.length > 0 ? [`has ${unknown.join(' and ')}, which no such export has`] : []),
  ];
  throw refuse(`${graph.file} looks like a decoder of ${form.of}, but ${parts.join(' and ')}`, {
    file: graph.file,
    form: form.name,
    missing,
    unknown,
    inputs: graph.inputs.map(describe),
    outputs: graph.outputs.map(describe),
    hint: 'docs/models.md lists the inputs and outputs of every form',
  });
}

function tryForm(graph: FoundGraph, form: SamForm) {
  const inputs: Partial<Record<DecoderInput, string>> = {};
  const outputs: Partial<Record<DecoderOutput, string>> = {};
  const missing: string[] = [];
  const names = new Set(graph.inputs.map(({ name }) => name));
  for (const [role, accepted] of entries(form.inputs)) {
    const found = accepted.find((name) => names.has(name));
    if (found !== undefined) inputs[role] = found;
    else if (!form.optional.includes(role)) missing.push(`the input ${accepted.join(' or ')}`);
  }
  const given = new Set(graph.outputs.map(({ name }) => name));
  for (const [role, accepted] of entries(form.outputs)) {
    const found = accepted.find((name) => given.has(name));
    if (found !== undefined) outputs[role] = found;
    else missing.push(`the output ${accepted.join(' or ')}`);
  }
  const known = new Set(Object.values(inputs));
  const unknown = [...names].filter((name) => !known.has(name)).map((name) => `the input ${name}`);
  return { form, inputs, outputs, missing, unknown };
}

/** The only input of a graph when it is an image: [1, 3, S, S], or [S, S, 3]. */
function imageInput(graph: FoundGraph): RecognisedPair['image'] | undefined {
  const [port] = graph.inputs.filter(({ name }) => !POINT_INPUTS.has(name) && !isPrompt(name));
  if (port === undefined) return undefined;
  const { name, dims } = port;
  const square = (height: number | string | undefined, width: number | string | undefined) =>
    typeof height !== 'number' || typeof width !== 'number' || height === width;
  const size = (side: number | string | undefined) => (typeof side === 'number' ? side : IMAGE_SIZE);
  if (dims.length === 4 && dims[1] === 3 && square(dims[2], dims[3]))
    return { name, layout: 'nchw', size: size(dims[2]) };
  if (dims.length === 3 && dims[2] === 3 && square(dims[0], dims[1]))
    return { name, layout: 'hwc', size: size(dims[0]) };
  return undefined;
}

const PROMPTS = new Set(FORMS.flatMap(({ inputs }) => Object.values(inputs).flat()));
function isPrompt(name: string): boolean {
  return PROMPTS.has(name);
}

/** The encoder's output for a decoder input: of its name, else of a usual name, else the only one of its shape. */
function matchOutput(encoder: FoundGraph, port: TensorSpec, role: DecoderInput): TensorSpec | undefined {
  const fits = ({ dims }: TensorSpec): boolean =>
    dims.length === port.dims.length &&
    dims.every(
      (dim, i) => typeof dim === 'string' || typeof port.dims[i] === 'string' || dim === port.dims[i],
    );
  const named = encoder.outputs.find(({ name }) => name === port.name);
  if (named !== undefined) return named;
  const fitting = encoder.outputs.filter(fits);
  if (role === 'embedding') {
    const usual = fitting.find(({ name }) => EMBEDDING_NAMES.includes(name));
    if (usual !== undefined) return usual;
  }
  return fitting.length === 1 ? fitting[0] : undefined;
}

function only(
  found: readonly FoundGraph[],
  part: 'encoder' | 'decoder',
  place: string,
  all: readonly FoundGraph[],
  decoder?: FoundGraph,
): FoundGraph {
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const files = found.map(({ file }) => file);
    throw refuse(`${place} holds ${files.length} ${part}s: ${files.join(', ')}; one is wanted`, {
      files,
      hint: 'leave one encoder and one decoder in the folder, say the full-precision ones',
    });
  }
  const wanted =
    part === 'decoder'
      ? `a graph with the input ${[...POINT_INPUTS].join(' or ')}`
      : 'a graph whose only input is an image, [1, 3, 1024, 1024] or [height, width, 3]';
  const seen = all.map(
    (graph) => `${graph.file} (takes ${list(graph.inputs)}; gives ${list(graph.outputs)})`,
  );
  throw refuse(
    `${place} holds no ${part}: ${wanted}${seen.length > 0 ? `. It holds ${seen.join('; ')}` : ''}`,
    {
      missing: [part],
      files: all.map(({ file }) => file),
      hint:
        decoder === undefined
          ? 'put the encoder and the decoder of the same model, as ONNX files, into one folder'
          : `the script of segment-anything, MobileSAM and micro-sam writes the decoder alone (${decoder.file}); export the image encoder as well, for example with samexporter`,
    },
  );
}

function used(graph: FoundGraph, inputs: RecognisedPair['inputs']): TensorSpec[] {
  const names = new Set(Object.values(inputs));
  return graph.inputs.filter(({ name }) => names.has(name));
}

function picked(graph: FoundGraph, outputs: RecognisedPair['outputs']): TensorSpec[] {
  const names = new Set(Object.values(outputs));
  return graph.outputs.filter(({ name }) => names.has(name));
}

function describe({ name, type, dims }: TensorSpec): string {
  return `${name} ${type} [${dims.join(', ')}]`;
}

function list(ports: readonly TensorSpec[]): string {
  return ports.map(describe).join(', ') || 'nothing';
}

function entries<K extends string>(record: Partial<Readonly<Record<K, readonly string[]>>>) {
  return Object.entries(record) as [K, readonly string[]][];
}

/** A folder or graph that cannot be taken in. */
export function refuse(message: string, data: Readonly<Record<string, unknown>> = {}): BridgeError {
  return new BridgeError('ModelInvalid', message, { reason: message, ...data });
}
