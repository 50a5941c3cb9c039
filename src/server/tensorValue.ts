import { BridgeError } from '../errors';
import type { TensorValue } from '../protocol/types.gen';

/** A tensor as the services take and give it (structurally the `Tensor` of src/tensor.ts, which this layer does not import). */
export interface PlainTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array } as const;

/** Reads a tensor by value. @throws BridgeError InvalidParams when the bytes do not fill the shape */
export function readTensorValue({ type, dims, base64 }: TensorValue) {
  const bytes = Buffer.from(base64, 'base64');
  const View = ARRAYS[type];
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.byteLength !== count * View.BYTES_PER_ELEMENT) {
    throw new BridgeError(
      'InvalidParams',
      `a ${type} tensor of shape [${dims.join(', ')}] needs ${count * View.BYTES_PER_ELEMENT} bytes, got ${bytes.byteLength}`,
      {
        problems: [{ pointer: '/feeds', expected: 'as many bytes as the shape needs' }],
      },
    );
  }
  // A pooled buffer may start at any byte; typed arrays may not.
  return {
    type,
    dims,
    data: new View(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)),
  };
}

/** Writes a tensor by value. @throws BridgeError ModelInvalid for element types the protocol does not carry */
export function writeTensorValue({ type, dims, data }: PlainTensor): TensorValue {
  if (!Object.hasOwn(ARRAYS, type))
    throw new BridgeError('ModelInvalid', `outputs of type ${type} cannot be sent`);
  return {
    type: type as TensorValue['type'],
    dims: [...dims],
    base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  };
}
