import type { TensorSpec } from '../../../engine/engine';
import type { RgbImage } from '../../../segmentation/preprocess';
import { elementCount, float32Tensor, type Tensor } from '../../../tensor';
import { resample } from '../../images/pixels';
import { formOf, type DecoderInput } from './forms';
import type { SamManifest } from './manifest';
import { refuse } from './recognise';

/** A point prompt, tile px; label 1 wanted, 0 not wanted, 2 and 3 the corners of a box. */
export interface PromptPoint {
  readonly x: number;
  readonly y: number;
  readonly label: 0 | 1 | 2 | 3;
}

/** What the encoder gives the decoder, by decoder input role. */
export type Embeddings = Partial<Readonly<Record<DecoderInput, Tensor>>>;

/** One prompt's answer: mask logits [count, side, side], predicted IoU [count]. */
export interface PromptMasks {
  readonly logits: Float32Array;
  readonly scores: Float32Array;
  readonly count: number;
  readonly side: number;
}

type ImageSpec = Pick<SamManifest, 'imageSize' | 'tileSize' | 'layout' | 'normalization' | 'padding'>;
type DecoderSpec = Pick<SamManifest, 'form' | 'imageSize' | 'tileSize' | 'decoder' | 'bindings'>;

/**
 * A tile as the encoder takes it: enlarged so that `tileSize` becomes `imageSize`, in the top-left corner of the canvas, the rest
 * filled as the form wants. -> [1, 3, S, S] normalised, or [S, S, 3] 0..255
 */
export function imageTensor(tile: RgbImage, spec: ImageSpec): Tensor {
  const { imageSize: side, normalization, layout, padding } = spec;
  const zoom = side / spec.tileSize;
  const width = Math.max(1, Math.round(tile.width * zoom));
  const height = Math.max(1, Math.round(tile.height * zoom));
  const whole = { x: 0, y: 0, width: tile.width, height: tile.height };
  const enlarged = resample({ ...tile, channels: 3 }, whole, width, height).data;
  const out = new Float32Array(side * side * 3);
  for (let c = 0; c < 3; c++) {
    const mean = normalization.mean[c]!;
    const value = (level: number): number =>
      layout === 'hwc' ? level : (level * normalization.scale - mean) / normalization.std[c]!;
    const table = Float32Array.from({ length: 256 }, (_, level) => value(level));
    const outside = padding === 'white' ? value(255) : layout === 'hwc' ? mean / normalization.scale : 0;
    const [from, step] = layout === 'hwc' ? [c, 3] : [c * side * side, 1];
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        out[from + (y * side + x) * step] =
          x < width && y < height ? table[enlarged[(y * width + x) * 3 + c]!]! : outside;
  }
  return float32Tensor(layout === 'hwc' ? [side, side, 3] : [1, 3, side, side], out);
}

/** Decoder inputs for one prompt. @param points at least one, at most the form's limit */
export function decoderFeeds(
  embeddings: Embeddings,
  points: readonly PromptPoint[],
  spec: DecoderSpec,
): Record<string, Tensor> {
  const form = formOf(spec.form);
  const { inputs } = spec.bindings;
  const feeds: Record<string, Tensor> = {};
  for (const role of ['embedding', 'highRes0', 'highRes1', 'position'] as const)
    if (inputs[role] !== undefined) feeds[inputs[role]] = embeddings[role]!;
  const portOf = (role: DecoderInput): TensorSpec | undefined =>
    spec.decoder.inputs.find(({ name }) => name === inputs[role]);

  const zoom = form.pointsInOriginalSize ? 1 : spec.imageSize / spec.tileSize;
  const rows: { x: number; y: number; label: number }[] = points.map(({ x, y, label }) => ({
    x: x * zoom,
    y: y * zoom,
    label: label,
  }));
  const coordsPort = portOf('coords')!;
  const fixed = coordsPort.dims[form.pointBatchDims];
  const boxed = points.some(({ label }) => label === 2);
  // A graph of fixed size is filled up; SAM wants its padding point when no box says where the object ends.
  const wanted = typeof fixed === 'number' ? fixed : rows.length + (form.padsPoints && !boxed ? 1 : 0);
  while (rows.length < wanted) rows.push({ x: 0, y: 0, label: -1 });
  const batch = Array<number>(form.pointBatchDims).fill(1);
  feeds[coordsPort.name] = tensorOf(
    coordsPort,
    [...batch, wanted, 2],
    rows.slice(0, wanted).flatMap(({ x, y }) => [x, y]),
  );
  const labelsPort = portOf('labels')!;
  feeds[labelsPort.name] = tensorOf(
    labelsPort,
    [...batch, wanted],
    rows.slice(0, wanted).map(({ label }) => label),
  );
  const side = embeddings.embedding!.dims.at(-1)!;
  const maskPort = portOf('maskInput');
  if (maskPort !== undefined) {
    const open = [1, 1, 4 * side, 4 * side];
    feeds[maskPort.name] = zeros(maskPort, open);
  }
  const hasMask = portOf('hasMaskInput');
  if (hasMask !== undefined) feeds[hasMask.name] = zeros(hasMask, [1]);
  const sizePort = portOf('originalSize');
  if (sizePort !== undefined) feeds[sizePort.name] = tensorOf(sizePort, [2], [spec.tileSize, spec.tileSize]);
  const boxes = portOf('boxes');
  if (boxes !== undefined) feeds[boxes.name] = tensorOf(boxes, [1, 0, 4], []);
  return feeds;
}

/** The encoder's outputs by role. @throws BridgeError `ModelInvalid` when one is missing or not float32 [1, C, S, S] */
export function readEmbeddings(
  outputs: Readonly<Record<string, Tensor>>,
  { bindings }: Pick<SamManifest, 'bindings'>,
): Embeddings {
  return Object.fromEntries(
    Object.entries(bindings.embeddings).map(([role, name]) => {
      const tensor = outputs[name];
      const [batch, , height, width] = tensor?.dims ?? [];
      if (
        tensor === undefined ||
        tensor.type !== 'float32' ||
        tensor.dims.length !== 4 ||
        batch !== 1 ||
        height !== width
      )
        throw refuse(
          `the encoder's output ${name} is ${tensor ? `${tensor.type} [${tensor.dims.join(', ')}]` : 'missing'}, float32 [1, channels, side, side] is wanted`,
          { output: name },
        );
      return [role, tensor];
    }),
  );
}

/** The decoder's answer. @throws BridgeError `ModelInvalid` when its shapes say no square masks, or not a score for each */
export function readMasks(
  outputs: Readonly<Record<string, Tensor>>,
  { bindings }: Pick<SamManifest, 'bindings'>,
): PromptMasks {
  const masks = outputs[bindings.outputs.masks];
  const scores = outputs[bindings.outputs.scores];
  const [height, width] = masks?.dims.slice(-2) ?? [];
  const count = elementCount(masks?.dims.slice(0, -2) ?? []);
  if (
    !(masks?.data instanceof Float32Array) ||
    !(scores?.data instanceof Float32Array) ||
    masks.dims.length < 3 ||
    height !== width ||
    scores.data.length !== count
  )
    throw refuse(
      `the decoder answers ${bindings.outputs.masks} [${masks?.dims.join(', ')}] and ${bindings.outputs.scores} [${scores?.dims.join(', ')}]: square masks with one score each are wanted`,
      { outputs: Object.values(bindings.outputs) },
    );
  return { logits: masks.data, scores: scores.data, count, side: height! };
}

function zeros(port: TensorSpec, open: readonly number[]): Tensor {
  const dims = port.dims.map((dim, i) => (typeof dim === 'number' ? dim : (open[i] ?? 1)));
  return tensorOf(port, dims, Array<number>(elementCount(dims)).fill(0));
}

function tensorOf({ type }: TensorSpec, dims: readonly number[], values: readonly number[]): Tensor {
  if (type === 'int64') return { type, dims, data: BigInt64Array.from(values, BigInt) };
  if (type === 'int32') return { type, dims, data: Int32Array.from(values) };
  return float32Tensor(dims, Float32Array.from(values));
}
