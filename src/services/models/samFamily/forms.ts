import type { Normalization } from '../../../segmentation/preprocess';

/** What a decoder input is for. Labels are 1 wanted, 0 not wanted, 2 and 3 box corners, -1 padding. */
export type DecoderInput =
  | 'embedding'
  | 'highRes0'
  | 'highRes1'
  | 'position'
  | 'coords'
  | 'labels'
  | 'maskInput'
  | 'hasMaskInput'
  | 'originalSize'
  | 'boxes';

/** What a decoder output is: mask logits, their predicted IoU. */
export type DecoderOutput = 'masks' | 'scores';

/** Names of the forms, as manifests and `model/list` say them. */
export type FormName = 'sam' | 'sam2' | 'efficient-sam' | 'sam-hf' | 'sam2-hf';

/** How one family of export scripts names and shapes its graphs. */
export interface SamForm {
  readonly name: FormName;
  /** Whose exports look like this, for messages. */
  readonly of: string;
  /** Accepted names per role, the usual one first. */
  readonly inputs: Partial<Readonly<Record<DecoderInput, readonly string[]>>>;
  /** Roles that some exports of the form lack. */
  readonly optional: readonly DecoderInput[];
  readonly outputs: Readonly<Record<DecoderOutput, readonly string[]>>;
  /** Dimensions before [N, 2] of the point coordinates. */
  readonly pointBatchDims: 1 | 2;
  /** Whether the decoder wants one padding point (label -1) when there is no box: SAM was trained so. */
  readonly padsPoints: boolean;
  /** Whether label 0 means something to the decoder. */
  readonly negatives: boolean;
  /** Whether box corners may be given as points of labels 2 and 3. */
  readonly boxCorners: boolean;
  /** Most points of one prompt. */
  readonly points: number;
  /** Points are in px of the size given as `originalSize` instead of px of the encoder's input. */
  readonly pointsInOriginalSize: boolean;
  /** (value * scale - mean) / std of the encoder's input, unless it normalises by itself. */
  readonly normalization: Normalization;
  /** What fills the canvas beside a tile: zeros after the normalization, or white pixels. */
  readonly padding: 'zero' | 'white';
}

/** ImageNet's statistics: SAM's pixel_mean and pixel_std are these times 255. */
export const IMAGENET: Normalization = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const SCORES = ['iou_predictions', 'iou_preds', 'scores'];

/**
 * The forms, each as its own export script writes it: segment-anything `scripts/export_onnx_model.py` (MobileSAM, micro-sam and
 * samexporter use the same wrapper), samexporter `export_sam2.py` and osam's SAM 2 files, EfficientSAM `export_to_onnx.py`,
 * Hugging Face optimum `SamOnnxConfig` and transformers.js `modeling_sam2.js`.
 */
export const FORMS: readonly SamForm[] = [
  {
    name: 'sam',
    of: 'SAM, MobileSAM, micro-sam, PathoSAM',
    inputs: {
      embedding: ['image_embeddings'],
      coords: ['point_coords'],
      labels: ['point_labels'],
      maskInput: ['mask_input'],
      hasMaskInput: ['has_mask_input'],
      originalSize: ['orig_im_size'],
    },
    // Some exports leave the mask prompt out.
    optional: ['maskInput', 'hasMaskInput', 'originalSize'],
    outputs: { masks: ['low_res_masks', 'masks'], scores: SCORES },
    pointBatchDims: 1,
    padsPoints: true,
    negatives: true,
    boxCorners: true,
    points: 16,
    pointsInOriginalSize: false,
    normalization: IMAGENET,
    padding: 'zero',
  },
  {
    name: 'sam2',
    of: 'SAM 2 (samexporter, osam)',
    inputs: {
      embedding: ['image_embed', 'image_embeddings', 'image_embedding'],
      highRes0: ['high_res_feats_0', 'high_res_features1'],
      highRes1: ['high_res_feats_1', 'high_res_features2'],
      coords: ['point_coords'],
      labels: ['point_labels'],
      maskInput: ['mask_input'],
      hasMaskInput: ['has_mask_input'],
      originalSize: ['orig_im_size'],
    },
    optional: ['originalSize'],
    outputs: { masks: ['low_res_masks', 'masks'], scores: SCORES },
    pointBatchDims: 1,
    padsPoints: false,
    negatives: true,
    boxCorners: true,
    points: 16,
    pointsInOriginalSize: false,
    normalization: IMAGENET,
    padding: 'white',
  },
  {
    name: 'efficient-sam',
    of: 'EfficientSAM',
    inputs: {
      embedding: ['image_embeddings'],
      coords: ['batched_point_coords'],
      labels: ['batched_point_labels'],
      originalSize: ['orig_im_size'],
    },
    optional: [],
    outputs: { masks: ['output_masks'], scores: SCORES },
    pointBatchDims: 2,
    padsPoints: false,
    // Its prompt encoder has embeddings for labels -1, 1, 2 and 3 alone.
    negatives: false,
    boxCorners: true,
    points: 6,
    pointsInOriginalSize: true,
    // It normalises by itself: it wants 0..1.
    normalization: { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
    padding: 'white',
  },
  {
    name: 'sam-hf',
    of: 'Hugging Face SAM (optimum, transformers.js)',
    inputs: {
      embedding: ['image_embeddings'],
      position: ['image_positional_embeddings'],
      coords: ['input_points'],
      labels: ['input_labels'],
    },
    optional: [],
    outputs: { masks: ['pred_masks'], scores: ['iou_scores'] },
    pointBatchDims: 2,
    padsPoints: false,
    negatives: true,
    boxCorners: false,
    points: 16,
    pointsInOriginalSize: false,
    normalization: IMAGENET,
    padding: 'zero',
  },
  {
    name: 'sam2-hf',
    of: 'Hugging Face SAM 2 (transformers.js)',
    inputs: {
      highRes0: ['image_embeddings.0'],
      highRes1: ['image_embeddings.1'],
      embedding: ['image_embeddings.2'],
      coords: ['input_points'],
      labels: ['input_labels'],
      boxes: ['input_boxes'],
    },
    optional: ['boxes'],
    outputs: { masks: ['pred_masks'], scores: ['iou_scores'] },
    pointBatchDims: 2,
    padsPoints: false,
    negatives: true,
    boxCorners: false,
    points: 16,
    pointsInOriginalSize: false,
    normalization: IMAGENET,
    padding: 'white',
  },
];

/** The form of a name. @throws RangeError for a name that is none */
export function formOf(name: string): SamForm {
  const form = FORMS.find((one) => one.name === name);
  if (form === undefined) throw new RangeError(`no form is called ${name}`);
  return form;
}
