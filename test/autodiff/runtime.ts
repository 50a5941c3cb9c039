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

/** Small seeded generator (mulberry32), uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
