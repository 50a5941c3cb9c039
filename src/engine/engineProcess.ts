import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { BridgeError, type ErrorName } from '../errors';
import type { Tensor, TensorData, TensorType } from '../tensor';
import { AlignedInputs } from './alignedInputs';
import { PROBE, PROBE_GRAPH, chooseDevice, deviceCandidates } from './devices';
import type { Device, Feed, TensorSpec } from './engine';
import type { EngineAnswers, EngineQuestion, EngineReply } from './engineMessages';

// The one place that touches ONNX Runtime. `session.run` blocks this process for its whole length (measured, Node 20 to
// 24), so the process answers one question at a time and the client interrupts it with SIGKILL.

type Question<K extends EngineQuestion['kind']> = Extract<EngineQuestion, { kind: K }>;

const ELEMENT_TYPES: readonly string[] = ['float32', 'float64', 'int32', 'int64', 'uint8', 'int8', 'bool'];

/** What ONNX Runtime 1.30 says about feeds and fetches that do not fit the model. */
const UNFIT =
  /missing in 'feeds'|invalid rank|invalid dimensions|unexpected input data type|invalid output name/i;

const sessions = new Map<string, InferenceSession>();
const residents = new Map<string, OrtTensor>();
const aligned = new AlignedInputs();
let settings = { device: 'cpu' as Device, threads: 1, spinning: true };

function send(reply: EngineReply): void {
  process.send?.(reply);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** ONNX Runtime reports a failed allocation only in words. */
function runtimeError(errorName: ErrorName, doing: string, error: unknown): BridgeError {
  const text = textOf(error);
  if (/bad.?alloc|failed to allocate|out of memory/i.test(text)) {
    return new BridgeError('OutOfMemory', `not enough memory while ${doing}: ${text}`, {
      hint: 'use smaller tiles or a smaller batch, or close other programs',
      retryable: true,
      reason: text,
    });
  }
  return new BridgeError(errorName, `${doing} failed: ${text}`, { reason: text });
}

/** One provider at a time: in a list, a provider this build lacks is dropped with only a console warning. */
function createSession(device: Device, source: string | Uint8Array): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: settings.threads,
    ...(settings.spinning ? {} : { extra: { session: { intra_op: { allow_spinning: '0' } } } }),
  };
  return typeof source === 'string'
    ? InferenceSession.create(source, options)
    : InferenceSession.create(source, options);
}

async function probe(device: Device): Promise<void> {
  send({ kind: 'trying', device });
  const session = await createSession(device, PROBE_GRAPH);
  const { y } = await session.run({ x: new OrtTensor('float32', Float32Array.from(PROBE.x), [2, 2]) });
  const values = y === undefined ? [] : Array.from(y.data as Float32Array);
  await session.release();
  if (values.join() !== PROBE.y.join()) throw new Error(`wrong result [${values.join()}] for a known graph`);
}

async function start({
  device,
  excluded,
  threads,
  spinning,
}: Question<'start'>): Promise<EngineAnswers['start']> {
  settings = { device: 'cpu', threads, spinning };
  const choice = await chooseDevice(deviceCandidates(device, process.platform), excluded, probe);
  settings = { device: choice.used, threads, spinning };
  return choice;
}

function specsOf(metadata: readonly InferenceSession.ValueMetadata[]): TensorSpec[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, dims: [...value.shape] }
      : { name: value.name, type: 'not a tensor', dims: [] },
  );
}

async function load({ model, source }: Question<'load'>): Promise<EngineAnswers['load']> {
  let session: InferenceSession;
  let device = settings.device;
  let fallbackReason: string | undefined;
  try {
    session = await createSession(device, source);
  } catch (error) {
    if (device === 'cpu') throw runtimeError('ModelInvalid', `loading the model "${model}"`, error);
    fallbackReason = textOf(error);
    device = 'cpu';
    session = await createSession('cpu', source).catch((cpuError: unknown) => {
      throw runtimeError('ModelInvalid', `loading the model "${model}"`, cpuError);
    });
  }
  await sessions.get(model)?.release();
  sessions.set(model, session);
  return {
    inputs: specsOf(session.inputMetadata),
    outputs: specsOf(session.outputMetadata),
    device,
    ...(fallbackReason === undefined ? {} : { fallbackReason }),
  };
}

function toOrt(name: string, { type, dims, data }: Tensor): OrtTensor {
  try {
    return new OrtTensor(type, data as Uint8Array, dims);
  } catch (error) {
    throw new BridgeError(
      'ModelInputInvalid',
      `tensor "${name}" (${type} [${dims.join()}]): ${textOf(error)}`,
    );
  }
}

function fromOrt(name: string, { type, dims, data }: OrtTensor): Tensor {
  if (!ELEMENT_TYPES.includes(type)) {
    throw new BridgeError('ModelInputInvalid', `tensor "${name}" has the element type ${type}`, {
      hint: `the engine carries ${ELEMENT_TYPES.join(', ')}`,
    });
  }
  return { type: type as TensorType, dims: [...dims], data: data as TensorData };
}

function residentOf(name: string): OrtTensor {
  const tensor = residents.get(name);
  if (tensor === undefined) {
    throw new BridgeError('ResidentMissing', `no tensor named "${name}" is in the engine`, {
      hint: 'it was dropped, or the engine restarted since it was computed: compute it again',
      retryable: true,
      resident: name,
    });
  }
  return tensor;
}

/** Puts every input where its alignment is always the same. */
function align(inputs: Record<string, OrtTensor>): void {
  // By name: the order in which a client puts its feeds together must not matter either.
  const names = Object.keys(inputs).sort();
  const copies = aligned.place(names.map((name) => inputs[name]!.data as TensorData));
  for (const [i, name] of names.entries()) {
    const { type, dims } = inputs[name]!;
    inputs[name] = new OrtTensor(type, copies[i] as Uint8Array, dims);
  }
}

async function run({ model, feeds, fetch, keep }: Question<'run'>): Promise<EngineAnswers['run']> {
  const session = sessions.get(model);
  if (session === undefined) throw new BridgeError('ModelNotFound', `the model "${model}" is not loaded`);
  const inputs: Record<string, OrtTensor> = {};
  for (const [name, feed] of Object.entries<Feed>(feeds)) {
    inputs[name] = 'resident' in feed ? residentOf(feed.resident) : toOrt(name, feed);
  }
  align(inputs);
  const returned = fetch ?? session.outputNames.filter((name) => !(name in keep));
  let results: InferenceSession.OnnxValueMapType;
  try {
    results = await session.run(inputs, [...new Set([...returned, ...Object.keys(keep)])]);
  } catch (error) {
    const name = UNFIT.test(textOf(error)) ? 'ModelInputInvalid' : 'InferenceFailed';
    throw runtimeError(name, `running the model "${model}"`, error);
  }
  const outputs: Record<string, Tensor> = {};
  for (const name of returned) outputs[name] = fromOrt(name, results[name] as OrtTensor);
  const kept: Record<string, number> = {};
  for (const [name, resident] of Object.entries(keep)) {
    const tensor = results[name] as OrtTensor;
    residents.set(resident, tensor);
    kept[resident] = (tensor.data as TensorData).byteLength;
  }
  return { outputs, kept };
}

async function answer(question: EngineQuestion): Promise<EngineAnswers[EngineQuestion['kind']]> {
  switch (question.kind) {
    case 'start':
      return start(question);
    case 'load':
      return load(question);
    case 'run':
      return run(question);
    case 'release':
      await sessions.get(question.model)?.release();
      sessions.delete(question.model);
      return null;
    case 'setResident':
      residents.set(question.name, toOrt(question.name, question.tensor));
      return null;
    case 'getResident':
      return fromOrt(question.name, residentOf(question.name));
    case 'dropResident':
      residents.delete(question.name);
      return null;
  }
}

process.on('message', (question: EngineQuestion) => {
  void answer(question).then(
    (value) => send({ kind: 'answer', rssBytes: process.memoryUsage.rss(), value }),
    (error: unknown) => {
      const failure = error instanceof BridgeError ? error : new BridgeError('InternalError', textOf(error));
      send({
        kind: 'failure',
        rssBytes: process.memoryUsage.rss(),
        errorName: failure.errorName,
        message: failure.message,
        data: failure.data,
      });
    },
  );
});
// The parent's end: whatever the reason, the engine goes with it.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole terminal group; the server decides when the engine ends.
process.on('SIGINT', () => undefined);
