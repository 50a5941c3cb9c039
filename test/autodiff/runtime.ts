import * as ort from 'onnxruntime-node';
import type { Tensor, TensorType } from '../../src/tensor';
import type { Graph } from '../../src/autodiff/graph';
import { encodeModel } from '../../src/autodiff/onnxCodec';
import { TEST_PROVIDERS } from '../support/testDevice';

/** A graph loaded into the runtime, for tests: the shelf itself runs nothing. */
export interface Runner {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export async function load(graph: Graph): Promise<Runner> {
  return loadBytes(encodeModel(graph));
}

export async function loadBytes(bytes: Uint8Array): Promise<Runner> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: TEST_PROVIDERS,
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    async run(feeds) {
      const native = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [
          name,
          new ort.Tensor(tensor.type, tensor.data as Float32Array, tensor.dims),
        ]),
      );
      const result = await session.run(native);
      return Object.fromEntries(
        Object.entries(result).map(([name, value]) => [
          name,
          {
            type: value.type as TensorType,
            dims: [...value.dims],
            data: (value as ort.TypedTensor<'float32'>).data,
          },
        ]),
      );
    },
    release: () => session.release(),
  };
}
