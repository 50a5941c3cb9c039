/** Element types that cross the engine boundary. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;
export type TensorType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'int8' | 'bool';

/** A dense, row-major tensor; `data.length` equals the product of `dims`. */
export interface Tensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A float32 tensor over `data` (not copied). @throws RangeError when the length does not fit the shape. */
export function float32Tensor(
  dims: readonly number[],
  data: Float32Array = new Float32Array(elementCount(dims)),
): Tensor {
  if (data.length !== elementCount(dims)) {
    throw new RangeError(
      `tensor of shape [${dims.join(',')}] needs ${elementCount(dims)} values, got ${data.length}`,
    );
  }
  return { type: 'float32', dims, data };
}
