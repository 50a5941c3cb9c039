import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BridgeError } from '../errors';
import { elementCount, type Tensor, type TensorData, type TensorType } from '../tensor';
import type { Attribute, Graph, GraphNode, GraphPort } from './graph';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx_pb';

const ELEMENT: ReadonlyMap<number, TensorType> = new Map([
  [Type.FLOAT, 'float32'],
  [Type.DOUBLE, 'float64'],
  [Type.INT32, 'int32'],
  [Type.INT64, 'int64'],
  [Type.UINT8, 'uint8'],
  [Type.INT8, 'int8'],
  [Type.BOOL, 'bool'],
]);

/** ONNX's number of an element type, as `Cast` and `ValueInfo` want it. */
export const ELEMENT_CODE = Object.fromEntries([...ELEMENT].map(([code, type]) => [type, code])) as Readonly<
  Record<TensorType, number>
>;

/** The element type of an ONNX number. @throws BridgeError ModelInvalid for types this project does not hold. */
export function elementType(code: number, where: string): TensorType {
  const type = ELEMENT.get(code);
  if (type === undefined)
    throw invalid(`${where} has element type ${Type[code] ?? code}, which is not supported`);
  return type;
}

function invalid(message: string): BridgeError {
  return new BridgeError('ModelInvalid', message, {
    hint: 'Export the model as a single ONNX file in float32, without subgraphs or external data.',
  });
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** A tensor's data out of raw little-endian bytes. Copied: `raw_data` is rarely aligned to its elements. */
function fromRaw(type: TensorType, raw: Uint8Array): TensorData {
  const bytes = new Uint8Array(raw.byteLength);
  bytes.set(raw);
  return new ARRAYS[type](bytes.buffer);
}

function fromFields(type: TensorType, proto: TensorProto): TensorData {
  switch (type) {
    case 'float32':
      return Float32Array.from(proto.floatData);
    case 'float64':
      return Float64Array.from(proto.doubleData);
    case 'int64':
      return BigInt64Array.from(proto.int64Data);
    case 'int32':
      return Int32Array.from(proto.int32Data);
    case 'int8':
      return Int8Array.from(proto.int32Data);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(proto.int32Data);
  }
}

/** float16 bits as a number (IEEE 754-2019, binary16). */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Weights packed as float16 are held as float32: the Cast behind them then changes nothing. */
function fromHalf({ rawData, int32Data }: TensorProto): Float32Array {
  if (rawData.byteLength === 0) return Float32Array.from(int32Data, halfValue);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Float32Array.from({ length: rawData.byteLength / 2 }, (_, i) =>
    halfValue(view.getUint16(2 * i, true)),
  );
}

function decodeTensor(proto: TensorProto): Tensor {
  const where = `tensor '${proto.name}'`;
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL)
    throw invalid(`${where} lies in an external file`);
  const half = proto.dataType === (Type.FLOAT16 as number);
  const type = half ? 'float32' : elementType(proto.dataType, where);
  const dims = proto.dims.map(Number);
  const read = () => (proto.rawData.byteLength > 0 ? fromRaw(type, proto.rawData) : fromFields(type, proto));
  const data = half ? fromHalf(proto) : read();
  if (data.length !== elementCount(dims))
    throw invalid(`${where} of shape [${dims.join(',')}] holds ${data.length} values`);
  return { type, dims, data };
}

function encodeTensor(name: string, tensor: Tensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return create(TensorProtoSchema, {
    name,
    dataType: ELEMENT_CODE[tensor.type],
    dims: tensor.dims.map(BigInt),
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  });
}

function decodeAttribute(proto: AttributeProto, node: NodeProto): Attribute {
  if (proto.type === Kind.INT) return { kind: 'int', value: Number(proto.i) };
  if (proto.type === Kind.FLOAT) return { kind: 'float', value: proto.f };
  if (proto.type === Kind.STRING) return { kind: 'string', value: new TextDecoder().decode(proto.s) };
  if (proto.type === Kind.INTS) return { kind: 'ints', value: proto.ints.map(Number) };
  if (proto.type === Kind.FLOATS) return { kind: 'floats', value: proto.floats };
  if (proto.type === Kind.TENSOR && proto.t !== undefined)
    return { kind: 'tensor', value: decodeTensor(proto.t) };
  throw invalid(`attribute '${proto.name}' of ${node.opType} (node '${node.name}') is a ${Kind[proto.type]}`);
}

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: Kind.INT, i: BigInt(attribute.value) });
    case 'float':
      return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: attribute.value });
    case 'string':
      return create(AttributeProtoSchema, {
        name,
        type: Kind.STRING,
        s: new TextEncoder().encode(attribute.value),
      });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: attribute.value.map(BigInt) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: Kind.FLOATS, floats: [...attribute.value] });
    case 'tensor':
      return create(AttributeProtoSchema, {
        name,
        type: Kind.TENSOR,
        t: encodeTensor('', attribute.value),
      });
  }
}

function decodePort(proto: ValueInfoProto): GraphPort {
  const value = proto.type?.value;
  if (value?.case !== 'tensorType') throw invalid(`'${proto.name}' is not a tensor`);
  const dims = (value.value.shape?.dim ?? []).map((dim): number | string =>
    dim.value.case === 'dimValue' ? Number(dim.value.value) : (dim.value.value ?? '?'),
  );
  return { name: proto.name, type: elementType(value.value.elemType, `'${proto.name}'`), dims };
}

function encodePort(port: GraphPort): ValueInfoProto {
  const dim = port.dims.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  return create(ValueInfoProtoSchema, {
    name: port.name,
    type: { value: { case: 'tensorType', value: { elemType: ELEMENT_CODE[port.type], shape: { dim } } } },
  });
}

function decodeNode(proto: NodeProto): GraphNode {
  return {
    op: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(proto.attribute.map((a) => [a.name, decodeAttribute(a, proto)])),
  };
}

/** Reads an ONNX file. @throws BridgeError ModelInvalid when the bytes are no model, or hold subgraphs, external data
 *  or element types other than float32, float64, int8, int32, int64, uint8 and bool. */
export function decodeModel(bytes: Uint8Array): Graph {
  let model;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw invalid(`not an ONNX file: ${error instanceof Error ? error.message : String(error)}`);
  }
  const graph = model.graph;
  const opset = model.opsetImport.find((set) => set.domain === '' || set.domain === 'ai.onnx');
  if (graph === undefined || opset === undefined) throw invalid('the file holds no ONNX graph');
  const initializers = new Map(graph.initializer.map((proto) => [proto.name, decodeTensor(proto)]));
  return {
    opset: Number(opset.version),
    // Files of IR version 3 list initializers among the inputs as well.
    inputs: graph.input.filter((port) => !initializers.has(port.name)).map(decodePort),
    outputs: graph.output.map(decodePort),
    initializers,
    nodes: graph.node.map(decodeNode),
  };
}

/** Writes a graph as an ONNX file (IR version 9; domains of the nodes are imported at version 1). */
export function encodeModel(graph: Graph): Uint8Array {
  const domains = new Set(graph.nodes.map((node) => node.domain).filter((domain) => domain !== ''));
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: 'sampo-bridge',
    opsetImport: [
      { domain: '', version: BigInt(graph.opset) },
      ...[...domains].map((domain) => ({ domain, version: 1n })),
    ],
    graph: create(GraphProtoSchema, {
      name: 'graph',
      input: graph.inputs.map(encodePort),
      output: graph.outputs.map(encodePort),
      initializer: [...graph.initializers].map(([name, tensor]) => encodeTensor(name, tensor)),
      node: graph.nodes.map((node) =>
        create(NodeProtoSchema, {
          opType: node.op,
          domain: node.domain,
          name: node.name,
          input: [...node.inputs],
          output: [...node.outputs],
          attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name, value)),
        }),
      ),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}
