import type { TensorSpec } from '../../../../src/engine/engine';
import { FORMS } from '../../../../src/services/models/samFamily/forms';
import type { FoundGraph } from '../../../../src/services/models/samFamily/manifest';
import { recognise } from '../../../../src/services/models/samFamily/recognise';

const port = (name: string, dims: TensorSpec['dims'], type = 'float32'): TensorSpec => ({ name, dims, type });
const graph = (file: string, inputs: TensorSpec[], outputs: TensorSpec[]): FoundGraph => ({
  file,
  inputs,
  outputs,
});
const E = [1, 256, 64, 64];

/** Full-size graphs as the public export scripts name and shape them. */
const EXPORTS: Record<string, { form: string; graphs: FoundGraph[] }> = {
  'segment-anything decoder with a samexporter encoder': {
    form: 'sam',
    graphs: [
      graph(
        'sam_vit_b.encoder.onnx',
        [port('input_image', [1, 3, 1024, 1024])],
        [port('image_embeddings', E)],
      ),
      graph(
        'sam_vit_b.decoder.onnx',
        [
          port('image_embeddings', E),
          port('point_coords', [1, 'num_points', 2]),
          port('point_labels', [1, 'num_points']),
          port('mask_input', [1, 1, 256, 256]),
          port('has_mask_input', [1]),
          port('orig_im_size', [2]),
        ],
        [
          port('masks', ['a', 'b', 'c', 'd']),
          port('iou_predictions', ['a', 4]),
          port('low_res_masks', ['a', 'b', 256, 256]),
        ],
      ),
    ],
  },
  'an encoder that normalises by itself, with another name for its output': {
    form: 'sam',
    graphs: [
      graph('encoder.onnx', [port('input_image', ['h', 'w', 3])], [port('embeddings', E)]),
      graph(
        'decoder.onnx',
        [
          port('image_embeddings', E),
          port('point_coords', [1, 'n', 2]),
          port('point_labels', [1, 'n']),
          port('mask_input', [1, 1, 256, 256]),
          port('has_mask_input', [1]),
        ],
        [port('masks', [1, 4, 256, 256]), port('iou_predictions', [1, 4])],
      ),
    ],
  },
  EfficientSAM: {
    form: 'efficient-sam',
    graphs: [
      graph(
        'efficient_sam_vitt_encoder.onnx',
        [port('batched_images', ['batch', 3, 'height', 'width'])],
        [port('image_embeddings', ['batch', 256, 64, 64])],
      ),
      graph(
        'efficient_sam_vitt_decoder.onnx',
        [
          port('image_embeddings', ['batch', 256, 64, 64]),
          port('batched_point_coords', [1, 1, 'num_points', 2]),
          port('batched_point_labels', [1, 1, 'num_points']),
          port('orig_im_size', [2], 'int64'),
        ],
        [
          port('output_masks', [1, 1, 3, 'h', 'w']),
          port('iou_predictions', [1, 1, 3]),
          port('1797', [1, 3, 256, 256]),
        ],
      ),
    ],
  },
  'SAM 2 by samexporter': {
    form: 'sam2',
    graphs: [
      graph(
        'sam2.encoder.onnx',
        [port('image', [1, 3, 1024, 1024])],
        [
          port('high_res_feats_0', [1, 32, 256, 256]),
          port('high_res_feats_1', [1, 64, 128, 128]),
          port('image_embed', E),
        ],
      ),
      graph(
        'sam2.decoder.onnx',
        [
          port('image_embed', E),
          port('high_res_feats_0', [1, 32, 256, 256]),
          port('high_res_feats_1', [1, 64, 128, 128]),
          port('point_coords', ['num_labels', 'num_points', 2]),
          port('point_labels', ['num_labels', 'num_points']),
          port('mask_input', ['num_labels', 1, 256, 256]),
          port('has_mask_input', ['num_labels']),
        ],
        [port('masks', ['a', 'b', 'c', 'd']), port('iou_predictions', ['a', 'b'])],
      ),
    ],
  },
  'Hugging Face SAM': {
    form: 'sam-hf',
    graphs: [
      graph('prompt_encoder_mask_decoder.onnx', hfInputs(), [
        port('iou_scores', ['b', 'p', 3]),
        port('pred_masks', ['b', 'p', 3, 'h', 'w']),
      ]),
      graph(
        'vision_encoder.onnx',
        [port('pixel_values', ['batch_size', 3, 1024, 1024])],
        [
          port('image_embeddings', ['b', 256, 64, 64]),
          port('image_positional_embeddings', ['b', 256, 64, 64]),
        ],
      ),
    ],
  },
  'Hugging Face SAM 2': {
    form: 'sam2-hf',
    graphs: [
      graph(
        'prompt_encoder_mask_decoder.onnx',
        [
          port('input_points', ['b', 1, 'n', 2]),
          port('input_labels', ['b', 1, 'n'], 'int64'),
          port('input_boxes', ['b', 'n', 4]),
          port('image_embeddings.0', ['b', 32, 256, 256]),
          port('image_embeddings.1', ['b', 64, 128, 128]),
          port('image_embeddings.2', ['b', 256, 64, 64]),
        ],
        [
          port('iou_scores', ['b', 'n', 3]),
          port('pred_masks', ['b', 'n', 3, 256, 256]),
          port('object_score_logits', ['b', 'n', 1]),
        ],
      ),
      graph(
        'vision_encoder.onnx',
        [port('pixel_values', ['b', 3, 1024, 1024])],
        [
          port('image_embeddings.0', ['b', 32, 256, 256]),
          port('image_embeddings.1', ['b', 64, 128, 128]),
          port('image_embeddings.2', ['b', 256, 64, 64]),
        ],
      ),
    ],
  },
};

function hfInputs(): TensorSpec[] {
  return [
    port('image_positional_embeddings', ['b', 256, 64, 64]),
    port('image_embeddings', ['b', 256, 64, 64]),
    port('input_points', ['b', 'p', 'n', 2]),
    port('input_labels', ['b', 'p', 'n'], 'int64'),
  ];
}

test.each(Object.entries(EXPORTS))('%s is recognised', (_, { form, graphs }) => {
  const pair = recognise(graphs, 'the folder');
  expect(pair.form.name).toBe(form);
  expect(pair.image.size).toBe(1024);
  // Every role of the form that the decoder has is bound, and every tensor of the encoder's that it needs.
  expect(Object.values(pair.inputs).sort()).toEqual(pair.decoder.inputs.map(({ name }) => name).sort());
  for (const name of Object.values(pair.embeddings))
    expect(pair.encoder.outputs.map((output) => output.name)).toContain(name);
  expect(pair.embeddings.embedding).toBeDefined();
});

test('low-resolution masks are preferred, and an encoder that takes 0 to 255 is told apart', () => {
  const [sam, own] = Object.values(EXPORTS).map(({ graphs }) => recognise(graphs, 'the folder'));
  expect([sam!.outputs.masks, sam!.image.layout]).toEqual(['low_res_masks', 'nchw']);
  expect([own!.outputs.masks, own!.image.layout, own!.embeddings.embedding]).toEqual([
    'masks',
    'hwc',
    'embeddings',
  ]);
});

test('every form has an example here', () => {
  expect(new Set(Object.values(EXPORTS).map(({ form }) => form))).toEqual(
    new Set(FORMS.map(({ name }) => name)),
  );
});

const [encoder, decoder] = EXPORTS['segment-anything decoder with a samexporter encoder']!.graphs as [
  FoundGraph,
  FoundGraph,
];
const without = (found: FoundGraph, name: string): FoundGraph => ({
  ...found,
  inputs: found.inputs.filter((one) => one.name !== name),
  outputs: found.outputs.filter((one) => one.name !== name),
});

test.each<[string, FoundGraph[], RegExp]>([
  ['nothing', [], /holds no decoder/],
  ['no decoder', [encoder], /holds no decoder.*sam_vit_b\.encoder\.onnx \(takes input_image/],
  ['no encoder', [decoder], /holds no encoder: a graph whose only input is an image/],
  ['two encoders', [encoder, { ...encoder, file: 'other.onnx' }, decoder], /2 encoders: .*other\.onnx/],
  ['two decoders', [encoder, decoder, { ...decoder, file: 'other.onnx' }], /2 decoders/],
  [
    'a decoder without labels',
    [encoder, without(decoder, 'point_labels')],
    /decoder of SAM, MobileSAM.* but lacks the input point_labels/,
  ],
  [
    'a decoder without scores',
    [encoder, without(decoder, 'iou_predictions')],
    /lacks the output iou_predictions/,
  ],
  [
    'a decoder with one more input',
    [encoder, { ...decoder, inputs: [...decoder.inputs, port('text_embedding', [1, 77])] }],
    /has the input text_embedding, which no such export has/,
  ],
  [
    'an encoder of another embedding',
    [{ ...encoder, outputs: [port('tokens', [1, 197, 768])] }, decoder],
    /no output for the decoder's input image_embeddings float32 \[1, 256, 64, 64\]; it gives tokens/,
  ],
  [
    'half precision',
    [encoder, { ...decoder, inputs: decoder.inputs.map((one) => ({ ...one, type: 'float16' })) }],
    /is not float32/,
  ],
  [
    'one graph for everything',
    [graph('model.onnx', [port('pixel_values', [1, 3, 1024, 1024]), ...hfInputs().slice(2)], [])],
    /pixels and points at once/,
  ],
])('%s: it says exactly what is missing', (_, graphs, message) => {
  let met: unknown;
  try {
    recognise(graphs, 'the folder');
  } catch (error) {
    met = error;
  }
  expect(met).toMatchObject({
    errorName: 'ModelInvalid',
    message: expect.stringMatching(message) as string,
  });
});
