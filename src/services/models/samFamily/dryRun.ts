import { randomUUID } from 'node:crypto';
import type { Engine, JobOptions } from '../../../engine/engine';
import { isBridgeError } from '../../../errors';
import { decoderFeeds, imageTensor, readEmbeddings, readMasks } from './feeds';
import type { FoundGraph, SamManifest } from './manifest';
import { recognise, refuse, type RecognisedPair } from './recognise';

/** The part of a manifest that the graphs alone decide. */
export type GraphFacts = Pick<
  SamManifest,
  | 'form'
  | 'tileSize'
  | 'imageSize'
  | 'embedding'
  | 'normalization'
  | 'layout'
  | 'padding'
  | 'encoder'
  | 'decoder'
  | 'bindings'
  | 'limits'
  | 'extraShapes'
  | 'dryRun'
>;

/** What was found out about a folder. */
export interface CheckedPair {
  readonly facts: GraphFacts;
  /** File paths as given. */
  readonly encoder: string;
  readonly decoder: string;
}

/**
 * Loads the graphs of a folder, tells which is what, and runs both once on a grey tile with a point in its middle.
 * @param files paths of the ONNX files @param tileSize px that the encoder's input shows
 * @throws BridgeError `ModelInvalid` that names file, tensor and shape; `RequestCancelled`, `EngineCrashed`, `OutOfMemory`
 */
export async function checkPair(
  engine: Engine,
  files: readonly { readonly file: string; readonly path: string }[],
  place: string,
  tileSize: number,
  job: JobOptions = {},
): Promise<CheckedPair> {
  const loaded = new Map<string, string>();
  try {
    const graphs: FoundGraph[] = [];
    for (const { file, path } of files) {
      const id = `import-${randomUUID()}`;
      const { inputs, outputs } = await naming(`loading ${file}`, engine.load(id, { model: path }, job));
      loaded.set(file, id);
      graphs.push({ file, inputs, outputs });
    }
    const pair = recognise(graphs, place);
    const idOf = ({ file }: FoundGraph): string => loaded.get(file)!;
    const facts = await runOnce(engine, pair, idOf, tileSize, job);
    const pathOf = ({ file }: FoundGraph): string => files.find((one) => one.file === file)!.path;
    return { facts, encoder: pathOf(pair.encoder), decoder: pathOf(pair.decoder) };
  } finally {
    for (const id of loaded.values()) await engine.release(id).catch(() => undefined);
  }
}

async function runOnce(
  engine: Engine,
  pair: RecognisedPair,
  idOf: (graph: FoundGraph) => string,
  tileSize: number,
  job: JobOptions,
): Promise<GraphFacts> {
  const { form, encoder, decoder, image } = pair;
  const ports = ({ inputs, outputs }: FoundGraph) => ({ inputs, outputs });
  const draft = {
    form: form.name,
    tileSize,
    imageSize: image.size,
    normalization: form.normalization,
    layout: image.layout,
    padding: form.padding,
    encoder: ports(encoder),
    decoder: ports(decoder),
    bindings: {
      image: image.name,
      inputs: pair.inputs,
      embeddings: pair.embeddings,
      outputs: pair.outputs,
    },
  };
  const grey = new Uint8Array(tileSize * tileSize * 3).fill(128);
  const tile = imageTensor({ width: tileSize, height: tileSize, data: grey }, draft);
  const start = performance.now();
  const encoded = await naming(
    `the dry run of ${encoder.file}`,
    engine.run(idOf(encoder), { [image.name]: tile }, { ...job, fetch: Object.values(pair.embeddings) }),
  );
  const between = performance.now();
  const embeddings = readEmbeddings(encoded, draft);
  const { dims, data } = embeddings.embedding!;
  const [, channels = 0, side = 0] = dims;
  const wanted = decoder.inputs.find(({ name }) => name === pair.inputs.embedding)!.dims;
  if (wanted.some((dim, i) => typeof dim === 'number' && dim !== dims[i]))
    throw refuse(
      `${encoder.file} gives ${pair.embeddings.embedding} [${dims.join(', ')}], ${decoder.file} wants ${pair.inputs.embedding} [${wanted.join(', ')}]: they are not of one model`,
      { file: decoder.file, given: dims, wanted },
    );
  const middle = tileSize / 2;
  const prompt = [{ x: middle, y: middle, label: 1 as const }];
  const answered = await naming(
    `the dry run of ${decoder.file}`,
    engine.run(idOf(decoder), decoderFeeds(embeddings, prompt, draft), {
      ...job,
      fetch: Object.values(pair.outputs),
    }),
  );
  const end = performance.now();
  const masks = readMasks(answered, draft);
  for (const [name, values] of [
    [pair.embeddings.embedding!, data as Float32Array],
    [pair.outputs.masks, masks.logits],
    [pair.outputs.scores, masks.scores],
  ] as const)
    if (!values.every(Number.isFinite))
      throw refuse(`the dry run gave values in ${name} that are not finite`, { output: name });
  const fixed = decoder.inputs.find(({ name }) => name === pair.inputs.coords)!.dims[form.pointBatchDims];
  return {
    ...draft,
    embedding: { channels, stride: tileSize / side },
    limits: {
      points: typeof fixed === 'number' ? Math.min(fixed, form.points) : form.points,
      masks: masks.count,
      maskStride: tileSize / masks.side,
    },
    extraShapes: Object.fromEntries(
      Object.entries(embeddings)
        .filter(([role]) => role !== 'embedding')
        .map(([role, tensor]) => [role, tensor.dims]),
    ),
    dryRun: {
      encoderSeconds: round(between - start),
      decoderSeconds: round(end - between),
    },
  };
}

function round(ms: number): number {
  return Math.round(ms) / 1000;
}

/** What the runtime says of a graph that does not load or run is an error of the model, told with the file it is about. */
async function naming<T>(doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isBridgeError(error)) throw error;
    if (!['ModelInvalid', 'ModelInputInvalid', 'InferenceFailed'].includes(error.errorName)) throw error;
    throw refuse(`${doing} failed: ${error.message}`, { ...error.data, reason: error.message });
  }
}
