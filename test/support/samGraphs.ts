import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphBuilder } from '../../src/autodiff/builder';
import { int, type Graph } from '../../src/autodiff/graph';
import { encodeModel } from '../../src/autodiff/onnxCodec';
import { float32Tensor } from '../../src/tensor';

/** Side of the encoder's input where a test does not say, px. */
const SMALL = 128;
/** Channels of the embedding: the mean colour of a cell, and a constant. */
export const CHANNELS = 4;
/** Radius of the disc that answers a point, as a share of the encoder's input. */
const RADIUS = 9 / 256;

/** The sizes of graphs of SAM's proportions: stride 16, masks four times as fine as the embedding. @param image side of the encoder's input, px */
function sizes(image: number) {
  return { IMAGE: image, CELLS: image / 16, MASK: image / 4 };
}

/** What is written: names as the export scripts write them, and what a test changes. */
export interface SamGraphs {
  readonly encoder: Graph;
  readonly decoder: Graph;
}

type Dims = readonly (number | string)[];

/** Opens dimensions that the builder wants fixed: its nodes do not depend on them. */
function open(graph: Graph, dims: Readonly<Record<string, Dims>>): Graph {
  const inputs = graph.inputs.map((port) => ({ ...port, dims: dims[port.name] ?? port.dims }));
  return { ...graph, inputs };
}

/**
 * An encoder whose embedding is the mean colour of each cell and a constant: [1, CHANNELS, CELLS, CELLS]; with high-resolution
 * features and a positional embedding where a form has them.
 */
export function encoder(names: {
  readonly image: string;
  readonly embedding: string;
  readonly highRes?: readonly [string, string];
  readonly position?: string;
  readonly hwc?: boolean;
  readonly size: number;
  readonly channels?: number;
}): Graph {
  const { IMAGE, CELLS } = sizes(names.size);
  const b = new GraphBuilder();
  const given = b.input(names.image, 'float32', names.hwc ? [IMAGE, IMAGE, 3] : [1, 3, IMAGE, IMAGE]);
  const image = names.hwc ? b.reshape(b.transpose(given, [2, 0, 1]), [1, 3, IMAGE, IMAGE]) : given;
  const pool = (side: number): string => {
    const kernel = IMAGE / side;
    const cells = b.reshape(image, [3, side, kernel, side, kernel]);
    return b.reshape(b.reduceMean(b.transpose(cells, [0, 1, 3, 2, 4]), [3, 4], false), [1, 3, side, side]);
  };
  const one = b.constant(float32Tensor([1, 1, CELLS, CELLS], new Float32Array(CELLS * CELLS).fill(1)));
  if (names.highRes) {
    b.output(names.highRes[0], pool(4 * CELLS));
    b.output(names.highRes[1], pool(2 * CELLS));
  }
  const ones = Array<string>((names.channels ?? CHANNELS) - 3).fill(one);
  b.output(names.embedding, b.concat([pool(CELLS), ...ones], 1));
  if (names.position) b.output(names.position, b.expand(one, [1, CHANNELS, CELLS, CELLS]));
  return b.build();
}

/** Distance² of every mask cell to the wanted points' mean, as K masks: [1, K, MASK, MASK] logits, positive inside a disc. */
function discs(
  b: GraphBuilder,
  coords: string,
  labels: string,
  { masks, size, zoom = 1 }: { readonly masks: number; readonly size: number; readonly zoom?: number },
): string {
  const { IMAGE, MASK } = sizes(size);
  const radius = RADIUS * IMAGE;
  // [1, N] 1 where the label is 1
  const wanted = b.cast(b.emit('Equal', [labels, b.scalar(1)]), 'float32');
  const weights = b.emit('Unsqueeze', [wanted, b.vector([2])]);
  const sum = b.emit('ReduceSum', [b.mul(coords, weights), b.vector([1])], { keepdims: int(1) });
  const count = b.emit('ReduceSum', [weights, b.vector([1])], { keepdims: int(1) });
  const centre = b.scale(b.div(sum, count), zoom); // [1, 1, 2]
  const cell = IMAGE / MASK;
  const grid = Float32Array.from({ length: MASK * MASK * 2 }, (_, i) => {
    const at = i >> 1;
    return ((i % 2 === 0 ? at % MASK : Math.floor(at / MASK)) + 0.5) * cell;
  });
  const away = b.sub(b.constant(float32Tensor([1, MASK * MASK, 2], grid)), centre);
  const square = b.reduceSum(b.mul(away, away), [2], false); // [1, MASK²]
  const inside = b.scale(b.shift(b.neg(square), radius ** 2), 4 / radius ** 2);
  const one = b.reshape(inside, [1, 1, MASK, MASK]);
  // The masks of one prompt differ in how sure they are.
  const sure = Float32Array.from({ length: masks }, (_, k) => 1 + k);
  return b.mul(one, b.constant(float32Tensor([1, masks, 1, 1], sure)));
}

/** Scores that depend on the embedding, so that a wrong one is no help: [1, K]. */
function scores(b: GraphBuilder, embedding: string, masks: number): string {
  const level = b.reshape(b.emit('Tanh', [b.reduceMean(embedding, [1, 2, 3], false)]), [1, 1]);
  const steps = Float32Array.from({ length: masks }, (_, k) => 0.1 * k);
  return b.add(b.scale(level, 0.1), b.constant(float32Tensor([1, masks], steps)));
}

/** segment-anything's own names; also MobileSAM's and micro-sam's. @param masks 1 as with `--return-single-mask` */
export function samGraphs({ masks = 4, hwc = false, size = SMALL } = {}): SamGraphs {
  const { CELLS, MASK } = sizes(size);
  const b = new GraphBuilder();
  const embedding = b.input('image_embeddings', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const coords = b.input('point_coords', 'float32', [1, 2, 2]);
  const labels = b.input('point_labels', 'float32', [1, 2]);
  b.input('mask_input', 'float32', [1, 1, MASK, MASK]);
  b.input('has_mask_input', 'float32', [1]);
  b.input('orig_im_size', 'float32', [2]);
  const low = discs(b, coords, labels, { masks, size });
  b.output('masks', b.emit('Neg', [low])); // never to be read: the low-resolution masks are what counts
  b.output('iou_predictions', scores(b, embedding, masks));
  b.output('low_res_masks', low);
  const points = { point_coords: [1, 'num_points', 2], point_labels: [1, 'num_points'] };
  return {
    encoder: encoder({ image: 'input_image', embedding: 'image_embeddings', hwc, size }),
    decoder: open(b.build(), points),
  };
}

/** samexporter's SAM 2. */
export function sam2Graphs(size = SMALL): SamGraphs {
  const { CELLS, MASK } = sizes(size);
  const b = new GraphBuilder();
  const embedding = b.input('image_embed', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const fine = b.input('high_res_feats_0', 'float32', [1, 3, 4 * CELLS, 4 * CELLS]);
  const middle = b.input('high_res_feats_1', 'float32', [1, 3, 2 * CELLS, 2 * CELLS]);
  const coords = b.input('point_coords', 'float32', [1, 2, 2]);
  const labels = b.input('point_labels', 'float32', [1, 2]);
  b.input('mask_input', 'float32', [1, 1, MASK, MASK]);
  b.input('has_mask_input', 'float32', [1]);
  const detail = b.add(b.reduceMean(fine, [1, 2, 3], true), b.reduceMean(middle, [1, 2, 3], true));
  b.output('masks', b.add(discs(b, coords, labels, { masks: 3, size }), b.scale(detail, 1e-3)));
  b.output('iou_predictions', scores(b, embedding, 3));
  const open_: Record<string, Dims> = {
    point_coords: ['num_labels', 'num_points', 2],
    point_labels: ['num_labels', 'num_points'],
    mask_input: ['num_labels', 1, MASK, MASK],
    has_mask_input: ['num_labels'],
  };
  return {
    encoder: encoder({
      image: 'image',
      embedding: 'image_embed',
      highRes: ['high_res_feats_0', 'high_res_feats_1'],
      size,
    }),
    decoder: open(b.build(), open_),
  };
}

/** EfficientSAM's names: points in px of the size that is asked for, a query dimension, no label 0. */
export function efficientSamGraphs(tileSize: number, size = SMALL): SamGraphs {
  const { IMAGE, CELLS, MASK } = sizes(size);
  const b = new GraphBuilder();
  const embedding = b.input('image_embeddings', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const coords = b.input('batched_point_coords', 'float32', [1, 1, 1, 2]);
  const labels = b.input('batched_point_labels', 'float32', [1, 1, 1]);
  b.input('orig_im_size', 'int64', [2]);
  const squeeze = (value: string): string => b.emit('Squeeze', [value, b.vector([1])]);
  const found = discs(b, squeeze(coords), squeeze(labels), { masks: 3, size, zoom: size / tileSize });
  b.output('output_masks', b.reshape(found, [1, 1, 3, MASK, MASK]));
  b.output('iou_predictions', b.reshape(scores(b, embedding, 3), [1, 1, 3]));
  const points = {
    batched_point_coords: [1, 1, 'num_points', 2],
    batched_point_labels: [1, 1, 'num_points'],
  };
  return {
    encoder: open(encoder({ image: 'batched_images', embedding: 'image_embeddings', size }), {
      batched_images: ['batch', 3, IMAGE, IMAGE],
    }),
    decoder: open(b.build(), points),
  };
}

/** Hugging Face's names (optimum, transformers.js), with integer labels. */
export function huggingFaceGraphs(size = SMALL): SamGraphs {
  const { CELLS, MASK } = sizes(size);
  const b = new GraphBuilder();
  const embedding = b.input('image_embeddings', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const position = b.input('image_positional_embeddings', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const coords = b.input('input_points', 'float32', [1, 1, 1, 2]);
  const labels = b.input('input_labels', 'int64', [1, 1, 1]);
  const squeeze = (value: string): string => b.emit('Squeeze', [value, b.vector([1])]);
  const found = discs(b, squeeze(coords), b.cast(squeeze(labels), 'float32'), { masks: 3, size });
  const shift = b.scale(b.reduceMean(position, [1, 2, 3], true), 1e-3);
  b.output('iou_scores', b.reshape(scores(b, embedding, 3), [1, 1, 3]));
  b.output('pred_masks', b.reshape(b.add(found, shift), [1, 1, 3, MASK, MASK]));
  const points = {
    input_points: ['batch_size', 'point_batch_size', 'nb_points_per_image', 2],
    input_labels: ['batch_size', 'point_batch_size', 'nb_points_per_image'],
  };
  return {
    encoder: encoder({
      image: 'pixel_values',
      embedding: 'image_embeddings',
      position: 'image_positional_embeddings',
      size,
    }),
    decoder: open(b.build(), points),
  };
}

/** transformers.js's names of SAM 2: three levels of one name, and boxes that may be none. */
export function sam2HuggingFaceGraphs(size = SMALL): SamGraphs {
  const { CELLS, MASK } = sizes(size);
  const b = new GraphBuilder();
  const fine = b.input('image_embeddings.0', 'float32', [1, 3, 4 * CELLS, 4 * CELLS]);
  const middle = b.input('image_embeddings.1', 'float32', [1, 3, 2 * CELLS, 2 * CELLS]);
  const embedding = b.input('image_embeddings.2', 'float32', [1, CHANNELS, CELLS, CELLS]);
  const coords = b.input('input_points', 'float32', [1, 1, 1, 2]);
  const labels = b.input('input_labels', 'int64', [1, 1, 1]);
  const boxes = b.input('input_boxes', 'float32', [1, 1, 4]);
  const squeeze = (value: string): string => b.emit('Squeeze', [value, b.vector([1])]);
  const found = discs(b, squeeze(coords), b.cast(squeeze(labels), 'float32'), { masks: 3, size });
  const detail = b.add(b.reduceMean(fine, [1, 2, 3], true), b.reduceMean(middle, [1, 2, 3], true));
  const none = b.reshape(b.emit('ReduceSum', [boxes], { keepdims: int(1) }), [1, 1, 1, 1]);
  const masks = b.add(b.add(found, b.scale(detail, 1e-3)), none);
  b.output('iou_scores', b.reshape(scores(b, embedding, 3), [1, 1, 3]));
  b.output('pred_masks', b.reshape(masks, [1, 1, 3, MASK, MASK]));
  const prompts = {
    input_points: ['batch_size', 1, 'num_points', 2],
    input_labels: ['batch_size', 1, 'num_points'],
    input_boxes: ['batch_size', 'num_boxes', 4],
  };
  return {
    encoder: encoder({
      image: 'pixel_values',
      embedding: 'image_embeddings.2',
      highRes: ['image_embeddings.0', 'image_embeddings.1'],
      size,
    }),
    decoder: open(b.build(), prompts),
  };
}

/** A graph whose inputs and outputs have other names. */
export function renamed(graph: Graph, names: Readonly<Record<string, string>>): Graph {
  const named = (name: string): string => names[name] ?? name;
  return {
    ...graph,
    inputs: graph.inputs.map((port) => ({ ...port, name: named(port.name) })),
    outputs: graph.outputs.map((port) => ({ ...port, name: named(port.name) })),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(named),
      outputs: node.outputs.map(named),
    })),
  };
}

/** Writes graphs as ONNX files into a folder. */
export function writeGraphs(folder: string, graphs: Readonly<Record<string, Graph>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, graph] of Object.entries(graphs))
    writeFileSync(join(folder, `${name}.onnx`), encodeModel(graph));
  return folder;
}
