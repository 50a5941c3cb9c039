import type { Tensor } from '../tensor';

/** What a refinement may change: the intent's own tokens, the decoder's last layers too, or the whole decoder. */
export type TrainableSet = 'tokens' | 'heads' | 'decoder';

/** Names of what turns the transformer's tokens and keys into masks and scores, in this project's and in SAM's exports. */
const HEADS =
  /hypernetwork|iou_head|iou_prediction_head|upscal|residual_scale|mask_bias|mask_tokens|output_tokens/i;

/** Position encodings, running statistics and constants of exporters: not weights. */
const BUFFERS =
  /fourier|gaussian|image_pe|pos_embed|positional|running_(mean|var)|(^|\/)Constant|_output_\d+$/i;

/** Rows beyond which a tensor of three or four dimensions is a map of positions, not a weight. */
const LARGEST_KERNEL = 32;

/** Which initializers of a decoder are trained. Positional maps, statistics and integers never are. */
export function isTrainable(set: TrainableSet): (name: string, tensor: Tensor) => boolean {
  return (name, { type, dims }) => {
    if (set === 'tokens' || type !== 'float32' || BUFFERS.test(name)) return false;
    if (dims.length >= 3 && dims.slice(-2).every((dim) => dim > LARGEST_KERNEL)) return false;
    return set === 'decoder' || HEADS.test(name);
  };
}
