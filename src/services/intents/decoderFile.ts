import { decodeModel, encodeModel } from '../../autodiff/onnxCodec';
import { BridgeError } from '../../errors';

/** A decoder's ONNX file with other values of some parameters. @throws BridgeError `CheckpointDamaged` when one is not the decoder's */
export function decoderWith(decoder: Uint8Array, parameters: ReadonlyMap<string, Float32Array>): Uint8Array {
  const base = decodeModel(decoder);
  const initializers = new Map(base.initializers);
  for (const [name, data] of parameters) {
    const tensor = initializers.get(name);
    if (tensor?.data.length !== data.length)
      throw new BridgeError('CheckpointDamaged', `the checkpoint has a parameter ${name} of another model`);
    initializers.set(name, { ...tensor, data });
  }
  return encodeModel({ ...base, initializers });
}
