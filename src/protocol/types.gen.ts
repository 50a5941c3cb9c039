// Generated from schemas/ by scripts/generate.mjs; do not edit.
/**
 * RGB, 0 to 255.
 *
 * @minItems 3
 * @maxItems 3
 */
export type Color = readonly [number, number, number];
/**
 * [x, y, width, height] in image px.
 *
 * @minItems 4
 * @maxItems 4
 */
export type Box = readonly [number, number, number, number];
/**
 * Where to look for objects.
 */
export type Extent = ExtentImage | ExtentRectangle | ExtentPolygon | ExtentMultiPolygon;
export type CheckpointDeleteResult = null;
export type ImageCloseResult = null;
export type ImageReadRegionResult = RegionBlob | RegionInline;
export type IntentDeleteResult = null;
export type ModelLoadParams = ModelByPath | ModelByValue;
export type ModelReleaseResult = null;
export type ServerStopResult = null;
export type ShutdownResult = null;
export type TrainingStopResult = null;
/**
 * A position in full-resolution image pixels; (0, 0) is the top-left corner of the top-left pixel.
 */
export interface Point {
  /**
   * image px from the left edge
   */
  readonly x: number;
  /**
   * image px from the top edge
   */
  readonly y: number;
}
/**
 * One click on a nucleus.
 */
export interface Click {
  /**
   * image px
   */
  readonly x: number;
  /**
   * image px
   */
  readonly y: number;
  /**
   * false: not this type
   */
  readonly positive?: boolean;
}
/**
 * A region in image pixels.
 */
export interface Rectangle {
  /**
   * left, image px
   */
  readonly x: number;
  /**
   * top, image px
   */
  readonly y: number;
  /**
   * image px
   */
  readonly width: number;
  /**
   * image px
   */
  readonly height: number;
}
/**
 * GeoJSON Polygon or MultiPolygon (RFC 7946 form) in image pixels.
 */
export interface Geometry {
  readonly type: 'Polygon' | 'MultiPolygon';
  readonly coordinates: readonly unknown[];
}
/**
 * One found object as a GeoJSON feature.
 */
export interface Feature {
  readonly type: 'Feature';
  /**
   * UUID, stable over refinements
   */
  readonly id: string;
  readonly geometry: Geometry;
  readonly properties: {
    readonly objectType: 'detection';
    readonly classification?: {
      /**
       * class name: the intent's
       */
      readonly name: string;
      readonly color: Color;
    };
    /**
     * label
     */
    readonly name?: string;
    /**
     * name, beginning with "SAMPO ", to value, never null. "SAMPO score": 0 to 1. "SAMPO uncertainty": 0 (certain) to 1 (the score is on the threshold). "SAMPO area µm²". "SAMPO round": refinements behind the answer
     */
    readonly measurements?: {
      [k: string]: number;
    };
  };
}
/**
 * An object of the client as a GeoJSON feature; more than the geometry is not read.
 */
export interface ExampleFeature {
  readonly type: 'Feature';
  /**
   * UUID, stable over refinements
   */
  readonly id?: string;
  readonly geometry: Geometry;
  /**
   * objectType, classification { name, color }, measurements
   */
  readonly properties: {};
}
/**
 * Objects as GeoJSON.
 */
export interface FeatureCollection {
  readonly type: 'FeatureCollection';
  readonly features: readonly Feature[];
}
/**
 * A small picture of an object. A place (X, Y) of the image is at ((X - x) / downsample, (Y - y) / downsample).
 */
export interface Thumbnail {
  /**
   * id of the object
   */
  readonly objectId: string;
  /**
   * the picture
   */
  readonly base64: string;
  readonly encoding: 'png';
  /**
   * px of the picture
   */
  readonly width: number;
  /**
   * px of the picture
   */
  readonly height: number;
  /**
   * left edge in the image, image px
   */
  readonly x: number;
  /**
   * top edge in the image, image px
   */
  readonly y: number;
  /**
   * image px per px of the picture, at least 1
   */
  readonly downsample: number;
}
export interface ExtentImage {
  readonly type: 'image';
}
export interface ExtentRectangle {
  readonly type: 'view' | 'rectangle';
  /**
   * left, image px
   */
  readonly x: number;
  /**
   * top, image px
   */
  readonly y: number;
  /**
   * image px
   */
  readonly width: number;
  /**
   * image px
   */
  readonly height: number;
}
/**
 * GeoJSON polygon coordinates.
 */
export interface ExtentPolygon {
  readonly type: 'polygon';
  /**
   * @minItems 1
   */
  readonly coordinates: readonly (readonly (readonly [number, number])[])[];
}
/**
 * GeoJSON coordinates of several polygons, which may overlap.
 */
export interface ExtentMultiPolygon {
  readonly type: 'multipolygon';
  /**
   * @minItems 1
   */
  readonly coordinates: readonly (readonly (readonly (readonly [number, number])[])[])[];
}
/**
 * Filters that need no inference.
 */
export interface Filters {
  /**
   * least intent score, 0 to 1: 0.5 is the answer, and about half of the objects scored 0.5 are of the type; what was clicked or accepted scores 1, what was rejected 0
   */
  readonly threshold?: number;
  /**
   * least object area, µm²
   */
  readonly minAreaMicrons2?: number;
  /**
   * largest object area, µm²
   */
  readonly maxAreaMicrons2?: number;
  /**
   * largest deviation of a simplified outline, image px; 0 keeps the exact pixel edges
   */
  readonly simplify?: number;
}
/**
 * One input or output of a graph.
 */
export interface TensorSpec {
  /**
   * tensor name
   */
  readonly name: string;
  /**
   * element type
   */
  readonly type: string;
  readonly dims: readonly (number | string)[];
}
/**
 * A tensor by value.
 */
export interface TensorValue {
  readonly type: 'float32' | 'int32' | 'int64' | 'uint8';
  /**
   * Items: size
   */
  readonly dims: readonly number[];
  /**
   * little-endian values, row-major
   */
  readonly base64: string;
}
/**
 * The device in use and why.
 */
export interface DeviceReport {
  /**
   * what was asked for
   */
  readonly requested: string;
  /**
   * what runs
   */
  readonly used: string;
  readonly tried: readonly {
    /**
     * provider
     */
    readonly device: string;
    /**
     * a session could be created
     */
    readonly ok: boolean;
    /**
     * why not
     */
    readonly reason?: string;
  }[];
}
/**
 * Limits in force; past one the error LimitExceeded names it.
 */
export interface Limits {
  /**
   * bytes of one message
   */
  readonly messageBytes: number;
  /**
   * bytes of pixels held for one client
   */
  readonly blobBytes: number;
  /**
   * pixels of one image read
   */
  readonly regionPixels: number;
  /**
   * pixels of an image that is decoded whole
   */
  readonly imagePixels: number;
  /**
   * clicks, boxes and examples of one request
   */
  readonly promptsPerRequest: number;
  /**
   * objects of one answer
   */
  readonly objectsPerAnswer: number;
  /**
   * unanswered requests of one client
   */
  readonly requestsInFlight: number;
  /**
   * connected clients
   */
  readonly clients: number;
  /**
   * depth of a JSON message
   */
  readonly nesting: number;
  /**
   * sustained rate of one client
   */
  readonly messagesPerSecond: number;
  /**
   * pictures of one answer of review/next
   */
  readonly thumbnails: number;
}
/**
 * What a user looks for: a class name, its colour and its examples.
 */
export interface Intent {
  /**
   * UUID
   */
  readonly intentId: string;
  /**
   * class name
   */
  readonly name: string;
  readonly color: Color;
  /**
   * model the exemplars belong to
   */
  readonly modelId: string;
  /**
   * stored examples
   */
  readonly exemplars: number;
  /**
   * positive examples
   */
  readonly positives: number;
  /**
   * active refinement
   */
  readonly checkpointId: string | null;
  /**
   * stored judgements
   */
  readonly judgements: number;
  /**
   * ISO 8601
   */
  readonly createdAt: string;
  /**
   * ISO 8601
   */
  readonly updatedAt: string;
}
/**
 * An intent as one document: what intent/export gives and intent/import takes.
 */
export interface IntentDocument {
  readonly format: 'sampo-intent';
  readonly formatVersion: 1;
  /**
   * UUID
   */
  readonly intentId: string;
  /**
   * class name
   */
  readonly name: string;
  readonly color: Color;
  /**
   * model the examples belong to
   */
  readonly modelId: string;
  /**
   * ISO 8601
   */
  readonly createdAt: string;
  /**
   * refinements so far
   */
  readonly round: number;
  /**
   * least score; null: the model's own
   */
  readonly scoreThreshold: number | null;
  /**
   * base64 of little-endian float32
   */
  readonly tokens: string | null;
  readonly exemplars: readonly {
    /**
     * 1: of the type, 0: not
     */
    readonly label: 0 | 1;
    /**
     * base64 of little-endian float32
     */
    readonly feature: string;
    /**
     * model that made the feature
     */
    readonly modelId: string;
    /**
     * how it was shown: click, box or object
     */
    readonly source: string;
    /**
     * image
     */
    readonly imageUri?: string;
    /**
     * image px
     */
    readonly x?: number;
    /**
     * image px
     */
    readonly y?: number;
  }[];
  /**
   * the refinement in use
   */
  readonly checkpoint?: {
    /**
     * refinement round
     */
    readonly round: number;
    readonly metrics: RefinementMetrics;
    readonly provenance: {};
    /**
     * ISO 8601
     */
    readonly createdAt: string;
    /**
     * base64 of the checkpoint file
     */
    readonly file: string;
  };
}
/**
 * What a refinement came to: the last step's figures, and the check on judgements kept back. A stopped one has the steps alone; that of an imported version may hold more.
 */
export interface RefinementMetrics {
  /**
   * steps made
   */
  readonly steps?: number;
  /**
   * of the step
   */
  readonly loss?: number;
  /**
   * preference part
   */
  readonly lossDpo?: number;
  /**
   * ranking part
   */
  readonly lossRank?: number;
  /**
   * segmentation part
   */
  readonly lossSegment?: number;
  /**
   * score part
   */
  readonly lossScore?: number;
  /**
   * mean margin of chosen over rejected, against the reference
   */
  readonly meanMargin?: number;
  /**
   * share of pairs with a positive margin
   */
  readonly rewardAccuracy?: number;
  /**
   * judgements of the intent
   */
  readonly judgements?: number;
  /**
   * objects kept back as a check
   */
  readonly heldOut?: number;
  /**
   * judged objects in images that are not open
   */
  readonly closed?: number;
  /**
   * tiles read
   */
  readonly tiles?: number;
  readonly holdOutBefore?: HoldOutResult;
  readonly holdOutAfter?: HoldOutResult;
  readonly holdOutGain?: {
    /**
     * mean gain of an object's log-likelihood, nats
     */
    readonly mean: number;
    /**
     * standard error of the mean, nats
     */
    readonly error: number;
  };
  /**
   * threshold of the refined intent
   */
  readonly scoreThreshold?: number;
  /**
   * reading and encoding the judged tiles
   */
  readonly readSeconds?: number;
  /**
   * training
   */
  readonly trainSeconds?: number;
}
/**
 * The judged objects kept back as a check.
 */
export interface HoldOutResult {
  /**
   * share of the objects on the right side of the threshold
   */
  readonly accuracy: number;
  /**
   * objects kept back
   */
  readonly count: number;
}
/**
 * One decision of the user.
 */
export interface Judgement {
  readonly kind: 'accept' | 'reject' | 'add' | 'edit' | 'better';
  /**
   * judged object
   */
  readonly objectId?: string;
  readonly geometry?: Geometry;
  /**
   * result that held the object
   */
  readonly resultId?: string;
  /**
   * index of the better candidate
   */
  readonly chosen?: number;
  /**
   * Items: indices of the others
   */
  readonly rejected?: readonly number[];
  /**
   * prompt that made the candidates
   */
  readonly promptId?: string;
}
/**
 * A judgement as stored.
 */
export interface StoredJudgement {
  /**
   * UUID
   */
  readonly judgementId: string;
  readonly kind: 'accept' | 'reject' | 'add' | 'edit' | 'better';
  /**
   * image
   */
  readonly imageUri: string;
  /**
   * object
   */
  readonly objectId?: string;
  /**
   * ISO 8601
   */
  readonly at: string;
  /**
   * Items: earlier judgement that this one replaces
   */
  readonly overrides?: readonly string[];
}
/**
 * One version of an intent.
 */
export interface Checkpoint {
  /**
   * UUID
   */
  readonly checkpointId: string;
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * in use
   */
  readonly active: boolean;
  /**
   * ISO 8601
   */
  readonly createdAt: string;
  /**
   * refinement round
   */
  readonly round: number;
  readonly metrics?: RefinementMetrics;
  /**
   * where it comes from; an imported version has what its maker wrote
   */
  readonly provenance?: {
    /**
     * model it refines
     */
    readonly model?: string;
    /**
     * of that model's decoder
     */
    readonly decoderSha256?: string;
    /**
     * checkpoint it went on from
     */
    readonly startedFrom?: string | null;
    /**
     * ids of what it learned from
     */
    readonly judgements?: readonly string[];
    /**
     * all settings of the training
     */
    readonly settings?: {};
    /**
     * of the program
     */
    readonly version?: string;
  };
}
/**
 * Figures of one training step; the parts that the objective has.
 */
export interface StepMetrics {
  /**
   * of the step
   */
  readonly loss?: number;
  /**
   * preference part
   */
  readonly lossDpo?: number;
  /**
   * ranking part
   */
  readonly lossRank?: number;
  /**
   * segmentation part
   */
  readonly lossSegment?: number;
  /**
   * score part
   */
  readonly lossScore?: number;
  /**
   * mean margin of chosen over rejected, against the reference
   */
  readonly meanMargin?: number;
  /**
   * share of pairs with a positive margin
   */
  readonly rewardAccuracy?: number;
}
/**
 * Something the user should know; not a failure.
 */
export interface Warning {
  /**
   * machine-readable name
   */
  readonly name: string;
  /**
   * for a person
   */
  readonly message: string;
}
/**
 * An imported model. More members say how its graphs are fed.
 */
export interface ModelManifest {
  /**
   * modelId of requests
   */
  readonly name: string;
  /**
   * version
   */
  readonly version: string;
  /**
   * form of the graphs
   */
  readonly family: string;
  /**
   * export that was recognised, e.g. sam
   */
  readonly form: string;
  /**
   * licence
   */
  readonly licence: string;
  /**
   * scale it works at, µm per px
   */
  readonly micronsPerPixel: number;
  /**
   * side of a tile, px
   */
  readonly tileSize: number;
  /**
   * side of the encoder's input, px
   */
  readonly imageSize: number;
  readonly embedding: {
    /**
     * features of a place
     */
    readonly channels: number;
    /**
     * px of a tile per place
     */
    readonly stride: number;
  };
  readonly limits: {
    /**
     * points of one prompt
     */
    readonly points: number;
    /**
     * masks of one prompt
     */
    readonly masks: number;
    /**
     * px of a tile per mask cell
     */
    readonly maskStride: number;
  };
  readonly dryRun: {
    /**
     * wall time of one tile
     */
    readonly encoderSeconds: number;
    /**
     * wall time of one prompt
     */
    readonly decoderSeconds: number;
  };
}
/**
 * A batch run.
 */
export interface BatchJob {
  /**
   * UUID
   */
  readonly jobId: string;
  /**
   * failed: finished, but for images or parts of images; stopped: by a fault that would meet every image, or the end of the server; both go on with batch/resume
   */
  readonly state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'stopped';
  /**
   * why it stands still, or what it waits for; empty otherwise
   */
  readonly message: string;
  /**
   * ISO 8601
   */
  readonly createdAt: string;
  /**
   * folder of the results
   */
  readonly outputFolder: string;
  /**
   * names of the intents, as they were pinned
   */
  readonly intents: readonly string[];
  /**
   * images
   */
  readonly images: {
    /**
     * in all
     */
    readonly total: number;
    /**
     * finished
     */
    readonly done: number;
    /**
     * not to be had; see errors.csv
     */
    readonly failed: number;
  };
  /**
   * parts of the images that were opened so far
   */
  readonly units: {
    /**
     * in all
     */
    readonly total: number;
    /**
     * finished
     */
    readonly done: number;
    /**
     * not to be had; see errors.csv
     */
    readonly failed: number;
  };
  /**
   * found so far
   */
  readonly objects: number;
  /**
   * searched so far, mm²
   */
  readonly areaMm2: number;
  /**
   * time left, s; absent until something is finished
   */
  readonly etaSeconds?: number;
}
export interface StainedChannel {
  /**
   * name of a channel, or its number from 1
   */
  readonly channel: string | number;
  /**
   * stain it is shown as
   */
  readonly stain: 'haematoxylin' | 'eosin' | 'dab';
}
export interface BatchCancelParams {
  /**
   * job
   */
  readonly jobId: string;
}
export interface BatchCancelResult {
  readonly job: BatchJob;
}
export interface BatchListParams {}
export interface BatchListResult {
  readonly jobs: readonly BatchJob[];
}
export interface BatchResumeParams {
  /**
   * job
   */
  readonly jobId: string;
}
export interface BatchResumeResult {
  readonly job: BatchJob;
}
export interface BatchStartParams {
  /**
   * @minItems 1
   * @maxItems 64
   *
   * Items: intent
   */
  readonly intentIds: readonly string[];
  /**
   * @minItems 1
   * @maxItems 100000
   */
  readonly images: readonly {
    /**
     * file path
     */
    readonly path: string;
    readonly extent?: Extent;
    /**
     * µm per px
     */
    readonly pixelSizeMicrons?: number;
  }[];
  /**
   * folder for the results
   */
  readonly outputFolder: string;
  readonly filters?: Filters;
  /**
   * search tissue alone, found on a small level
   */
  readonly tissue?: boolean;
  /**
   * a GeoParquet file beside each GeoJSON
   */
  readonly geoParquet?: boolean;
}
export interface BatchStartResult {
  readonly job: BatchJob;
}
export interface BatchStatusParams {
  /**
   * job
   */
  readonly jobId: string;
}
export interface BatchStatusResult {
  readonly job: BatchJob;
}
export interface CheckpointActivateParams {
  /**
   * intent
   */
  readonly intentId: string;
  readonly checkpointId: string | null;
}
export interface CheckpointActivateResult {
  readonly intent: Intent;
}
export interface CheckpointDeleteParams {
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * checkpoint
   */
  readonly checkpointId: string;
}
export interface CheckpointListParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface CheckpointListResult {
  readonly checkpoints: readonly Checkpoint[];
}
export interface ExitParams {}
export interface ImageCloseParams {
  /**
   * open image
   */
  readonly imageId: string;
}
export interface ImageOpenParams {
  /**
   * file path, file: URI, or any name for source "client"
   */
  readonly uri: string;
  readonly source: 'client' | 'file';
  /**
   * px, needed for "client"
   */
  readonly width?: number;
  /**
   * px, needed for "client"
   */
  readonly height?: number;
  /**
   * µm per px; kept with a "file" for every later command; null forgets it and takes the file's own
   */
  readonly pixelSizeMicrons?: number | null;
  /**
   * channels
   */
  readonly channels?: number;
  /**
   * how the channels of a "file" are shown, kept for every later command; "auto" (at first) guesses from their names, "rgb" takes colours as they are
   */
  readonly stains?: ('auto' | 'rgb') | readonly StainedChannel[];
}
export interface ImageOpenResult {
  /**
   * id for later calls
   */
  readonly imageId: string;
  /**
   * kind of file, e.g. OME-TIFF; "viewer" for source "client"
   */
  readonly format: string;
  /**
   * which page of the file is shown and where its levels are, for people
   */
  readonly picture: string;
  /**
   * px
   */
  readonly width: number;
  /**
   * px
   */
  readonly height: number;
  /**
   * channels as stored
   */
  readonly channels: number;
  /**
   * Items: as the file calls it, or channel 1 and so on
   */
  readonly channelNames: readonly string[];
  /**
   * how the channels are shown: colours as they are, or channels as stains
   */
  readonly stains: 'rgb' | readonly StainedChannel[];
  /**
   * as stored; 32 for floating point numbers
   */
  readonly bitsPerSample: number;
  /**
   * µm per px, null when unknown
   */
  readonly pixelSizeMicrons: number | null;
  readonly pixelSizeSource: 'client' | 'file' | 'unknown';
  /**
   * where the pixel size is from, e.g. OME-XML PhysicalSize; null when it is unknown
   */
  readonly pixelSizeFrom: string | null;
  readonly levels: readonly {
    /**
     * px
     */
    readonly width: number;
    /**
     * px
     */
    readonly height: number;
    /**
     * against full resolution
     */
    readonly downsample: number;
  }[];
  readonly warnings: readonly Warning[];
}
export interface ImageReadRegionParams {
  /**
   * open image
   */
  readonly imageId: string;
  /**
   * as given to image/open
   */
  readonly uri: string;
  /**
   * left, image px
   */
  readonly x: number;
  /**
   * top, image px
   */
  readonly y: number;
  /**
   * image px
   */
  readonly width: number;
  /**
   * image px
   */
  readonly height: number;
  /**
   * the answer has width / downsample columns, rounded
   */
  readonly downsample: number;
}
export interface RegionBlob {
  /**
   * name of a binary frame sent before this answer
   */
  readonly blob: string;
}
export interface RegionInline {
  /**
   * encoded pixels
   */
  readonly base64: string;
  readonly encoding: 'png' | 'jpeg' | 'raw';
  /**
   * px
   */
  readonly width: number;
  /**
   * px
   */
  readonly height: number;
  /**
   * 1 to 4
   */
  readonly channels: number;
}
export interface ImageRegionParams {
  /**
   * open image
   */
  readonly imageId: string;
  /**
   * left, image px
   */
  readonly x: number;
  /**
   * top, image px
   */
  readonly y: number;
  /**
   * image px
   */
  readonly width: number;
  /**
   * image px
   */
  readonly height: number;
  /**
   * 1 is full resolution
   */
  readonly downsample?: number;
}
export interface ImageRegionResult {
  /**
   * the picture
   */
  readonly base64: string;
  readonly encoding: 'png';
  /**
   * px
   */
  readonly width: number;
  /**
   * px
   */
  readonly height: number;
}
export interface InitializeParams {
  /**
   * protocol version the client was written for, e.g. 1.0
   */
  readonly protocolVersion: string;
  readonly client: {
    /**
     * program
     */
    readonly name: string;
    /**
     * its version
     */
    readonly version?: string;
  };
  readonly capabilities?: {
    /**
     * the client answers image/readRegion
     */
    readonly readRegion?: boolean;
    /**
     * the client takes objects/publish
     */
    readonly publish?: boolean;
  };
}
export interface InitializeResult {
  /**
   * protocol version of the server
   */
  readonly protocolVersion: string;
  readonly server: {
    /**
     * program
     */
    readonly name: string;
    /**
     * its version
     */
    readonly version: string;
  };
  readonly capabilities: {
    /**
     * Items: method
     */
    readonly methods: readonly string[];
  };
  readonly limits: Limits;
  readonly device: DeviceReport;
}
export interface InitializedParams {}
export interface IntentChangedParams {
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * as it is now, null when it was deleted
   */
  readonly intent: Intent | null;
}
export interface IntentCreateParams {
  /**
   * class name
   */
  readonly name: string;
  readonly color?: Color;
}
export interface IntentCreateResult {
  readonly intent: Intent;
}
export interface IntentDeleteParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface IntentExportParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface IntentExportResult {
  readonly document: IntentDocument;
}
export interface IntentGetParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface IntentGetResult {
  readonly intent: Intent;
}
export interface IntentImportParams {
  /**
   * an IntentDocument; a part that does not fit is named by IntentInvalid
   */
  readonly document: {};
}
export interface IntentImportResult {
  readonly intent: Intent;
  readonly warnings: readonly Warning[];
}
export interface IntentListParams {}
export interface IntentListResult {
  readonly intents: readonly Intent[];
}
export interface IntentUpdateParams {
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * class name
   */
  readonly name?: string;
  readonly color?: Color;
  /**
   * forget the stored examples
   */
  readonly clearExemplars?: boolean;
}
export interface IntentUpdateResult {
  readonly intent: Intent;
}
export interface ModelImportParams {
  /**
   * folder
   */
  readonly path: string;
  /**
   * name to keep it under; the folder's when left out
   */
  readonly name?: string;
}
export interface ModelImportResult {
  readonly manifest: ModelManifest;
  readonly warnings: readonly Warning[];
}
export interface ModelListParams {}
export interface ModelListResult {
  readonly models: readonly {
    /**
     * name
     */
    readonly modelId: string;
    /**
     * form of the graphs
     */
    readonly family: string;
    /**
     * version
     */
    readonly version?: string;
    /**
     * licence
     */
    readonly licence?: string;
    /**
     * in the engine
     */
    readonly loaded: boolean;
  }[];
}
export interface ModelByPath {
  /**
   * ONNX file in an allowed folder
   */
  readonly path: string;
}
export interface ModelByValue {
  /**
   * the ONNX file
   */
  readonly base64: string;
}
export interface ModelLoadResult {
  /**
   * id for model/run
   */
  readonly modelId: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * device in use
   */
  readonly device: string;
}
export interface ModelPullParams {
  /**
   * name
   */
  readonly name: string;
}
export interface ModelPullResult {
  readonly manifest: ModelManifest;
  readonly warnings: readonly Warning[];
}
export interface ModelReleaseParams {
  /**
   * as answered by model/load
   */
  readonly modelId: string;
}
export interface ModelRunParams {
  /**
   * as answered by model/load
   */
  readonly modelId: string;
  /**
   * input name to value
   */
  readonly feeds: {
    [k: string]: FeedTensor | FeedRegion;
  };
  /**
   * runs
   */
  readonly repeat?: number;
}
export interface FeedTensor {
  readonly tensor: TensorValue;
}
/**
 * float32 [1, 3, height / downsample, width / downsample], RGB
 */
export interface FeedRegion {
  readonly region: {
    /**
     * open image
     */
    readonly imageId: string;
    /**
     * left, image px
     */
    readonly x: number;
    /**
     * top, image px
     */
    readonly y: number;
    /**
     * image px
     */
    readonly width: number;
    /**
     * image px
     */
    readonly height: number;
    /**
     * 1 is full resolution
     */
    readonly downsample?: number;
    /**
     * factor on the 0 to 255 values
     */
    readonly scale?: number;
  };
}
export interface ModelRunResult {
  readonly outputs: {
    [k: string]: TensorValue;
  };
  /**
   * runs done
   */
  readonly runs: number;
  /**
   * wall time
   */
  readonly seconds: number;
}
export interface ObjectsPublishParams {
  /**
   * open image
   */
  readonly imageId: string;
  /**
   * intent
   */
  readonly intentId: string;
  readonly added: readonly Feature[];
  readonly changed: readonly Feature[];
  /**
   * Items: object id
   */
  readonly removed: readonly string[];
}
export interface PreferenceListParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface PreferenceListResult {
  readonly judgements: readonly StoredJudgement[];
  /**
   * something can be undone
   */
  readonly canUndo: boolean;
  /**
   * something can be redone
   */
  readonly canRedo: boolean;
}
export interface PreferenceRedoParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface PreferenceRedoResult {
  /**
   * Items: UUID
   */
  readonly judgementIds: readonly string[];
  /**
   * judgements in force
   */
  readonly total: number;
}
export interface PreferenceSubmitParams {
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * open image
   */
  readonly imageId: string;
  /**
   * @minItems 1
   * @maxItems 10000
   */
  readonly judgements: readonly Judgement[];
}
export interface PreferenceSubmitResult {
  /**
   * Items: UUID
   */
  readonly judgementIds: readonly string[];
  /**
   * judgements of the intent in force
   */
  readonly total: number;
  readonly conflicts: readonly {
    /**
     * new
     */
    readonly judgementId: string;
    /**
     * earlier judgement of the same object
     */
    readonly replaces: string;
  }[];
}
export interface PreferenceUndoParams {
  /**
   * intent
   */
  readonly intentId: string;
}
export interface PreferenceUndoResult {
  /**
   * Items: UUID
   */
  readonly judgementIds: readonly string[];
  /**
   * judgements in force
   */
  readonly total: number;
}
export interface CancelRequestParams {
  /**
   * id of the request
   */
  readonly id: string | number;
}
export interface ProgressParams {
  /**
   * id of the request
   */
  readonly id: string | number;
  readonly value: {
    readonly kind: 'begin' | 'report' | 'end';
    /**
     * for a person
     */
    readonly message?: string;
    /**
     * 0 to 100
     */
    readonly percentage?: number;
    /**
     * seconds left
     */
    readonly etaSeconds?: number;
    readonly objects?: readonly Feature[];
    readonly metrics?: StepMetrics;
  };
}
export interface ReviewNextParams {
  /**
   * result of segment/prompt
   */
  readonly resultId: string;
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * how many
   */
  readonly count?: number;
  /**
   * a picture of each object comes too; for as many objects as the limit "thumbnails" allows
   */
  readonly thumbnails?: {
    /**
     * longest side of a picture at most, px
     */
    readonly size?: number;
    /**
     * side of the square that is shown, µm; more around an object that is larger
     */
    readonly microns?: number;
  };
}
export interface ReviewNextResult {
  readonly objects: readonly Feature[];
  /**
   * judged so far
   */
  readonly judged: number;
  /**
   * objects
   */
  readonly total: number;
  /**
   * only when asked for; in the order of objects
   */
  readonly thumbnails?: readonly Thumbnail[];
}
export interface RpcDiscoverParams {}
/**
 * OpenRPC 1.3 document
 */
export interface RpcDiscoverResult {
  /**
   * version of OpenRPC
   */
  readonly openrpc: string;
  readonly info: {};
  readonly methods: readonly {}[];
  readonly components: {};
}
export interface SegmentPromptParams {
  /**
   * open image
   */
  readonly imageId: string;
  /**
   * @minItems 1
   * @maxItems 32
   */
  readonly intents: readonly {
    /**
     * intent
     */
    readonly intentId: string;
    readonly clicks?: readonly Click[];
    readonly boxes?: readonly Box[];
    readonly exampleObjects?: readonly ExampleFeature[];
  }[];
  readonly extent: Extent;
  readonly filters?: Filters;
  /**
   * overrides the pixel size of the image
   */
  readonly pixelSizeMicrons?: number;
  /**
   * model, as in model/list; the bundled one when left out
   */
  readonly modelId?: string;
  /**
   * store the examples with the intent
   */
  readonly remember?: boolean;
}
export interface SegmentPromptResult {
  /**
   * for segment/threshold and judgements
   */
  readonly resultId: string;
  readonly featureCollection: FeatureCollection;
  readonly candidates: readonly {
    /**
     * names the prompt in judgements
     */
    readonly promptId: string;
    /**
     * intent
     */
    readonly intentId: string;
    readonly click?: Point;
    readonly masks: readonly {
      /**
       * predicted IoU
       */
      readonly score: number;
      readonly feature?: Feature;
    }[];
  }[];
  readonly tiles: {
    /**
     * tiles
     */
    readonly total: number;
    /**
     * computed
     */
    readonly done: number;
    readonly failed: readonly {
      /**
       * px
       */
      readonly x: number;
      /**
       * px
       */
      readonly y: number;
      /**
       * what happened
       */
      readonly error: string;
    }[];
    /**
     * embeddings taken from the cache
     */
    readonly cached: number;
  };
  /**
   * µm per px used
   */
  readonly pixelSizeMicrons: number;
  /**
   * wall time
   */
  readonly seconds: number;
  readonly warnings: readonly Warning[];
}
export interface SegmentThresholdParams {
  /**
   * result of segment/prompt
   */
  readonly resultId: string;
  readonly filters: Filters;
}
export interface SegmentThresholdResult {
  readonly featureCollection: FeatureCollection;
}
export interface ServerStatusParams {}
export interface ServerStatusResult {
  /**
   * server version
   */
  readonly version: string;
  /**
   * protocol version
   */
  readonly protocolVersion: string;
  /**
   * process
   */
  readonly pid: number;
  /**
   * seconds since the start
   */
  readonly uptimeSeconds: number;
  /**
   * resident memory of the server
   */
  readonly rssBytes: number;
  /**
   * connected clients
   */
  readonly clients: number;
  /**
   * images open for this client
   */
  readonly openImages: number;
  readonly device: DeviceReport;
  readonly engine: {
    readonly pid: number | null;
    /**
     * restarts since the start
     */
    readonly restarts: number;
    /**
     * resident memory of the engine
     */
    readonly rssBytes: number;
    /**
     * bytes of resident tensors
     */
    readonly residentBytes: number;
    /**
     * Items: model id
     */
    readonly models: readonly string[];
    readonly queue: {
      /**
       * waiting
       */
      readonly interactive: number;
      /**
       * waiting
       */
      readonly training: number;
      /**
       * waiting
       */
      readonly batch: number;
    };
  };
  readonly limits: Limits;
  /**
   * folders whose images may be opened by path
   *
   * Items: folder
   */
  readonly roots: readonly string[];
  /**
   * of a server with a queue: who searches its batches
   */
  readonly workers?: {
    /**
     * of Redis or Valkey, without user and password
     */
    readonly address: string;
    /**
     * whether the connection stands
     */
    readonly connected: boolean;
    /**
     * workers that have said lately that they are there
     */
    readonly list: readonly {
      /**
       * machine and process
       */
      readonly name: string;
      /**
       * of the worker's program
       */
      readonly version: string;
      /**
       * of its model
       */
      readonly modelId: string;
      /**
       * whether it takes this server's work: version and model are the same
       */
      readonly fits: boolean;
      /**
       * what keeps it from working; empty otherwise
       */
      readonly trouble: string;
    }[];
  };
}
export interface ServerStopParams {}
export interface ShutdownParams {}
export interface TrainingStartParams {
  /**
   * intent
   */
  readonly intentId: string;
  /**
   * Items: results to compute again
   */
  readonly resultIds?: readonly string[];
  readonly settings?: {
    /**
     * time budget
     */
    readonly seconds?: number;
    /**
     * largest number of steps
     */
    readonly steps?: number;
    readonly trainable?: 'tokens' | 'heads' | 'decoder';
    /**
     * seed
     */
    readonly seed?: number;
    readonly objective?: 'sampo' | 'pixel-loss';
  };
}
export interface TrainingStartResult {
  /**
   * the new version; null when it was stopped
   */
  readonly checkpointId: string | null;
  /**
   * the refinement is in use
   */
  readonly activated: boolean;
  /**
   * for a person
   */
  readonly verdict: string;
  readonly metrics: RefinementMetrics;
  /**
   * wall time
   */
  readonly seconds: number;
}
export interface TrainingStatusParams {}
export interface TrainingStatusResult {
  /**
   * a refinement is under way
   */
  readonly running: boolean;
  /**
   * whose
   */
  readonly intentId?: string;
  /**
   * step
   */
  readonly step?: number;
  readonly metrics?: StepMetrics;
  /**
   * estimate
   */
  readonly secondsLeft?: number;
}
export interface TrainingStopParams {
  /**
   * intent
   */
  readonly intentId: string;
}
/** Requests a client may send. */
export interface ClientRequests {
  readonly 'batch/cancel': {
    readonly params: BatchCancelParams;
    readonly result: BatchCancelResult;
  };
  readonly 'batch/list': {
    readonly params: BatchListParams;
    readonly result: BatchListResult;
  };
  readonly 'batch/resume': {
    readonly params: BatchResumeParams;
    readonly result: BatchResumeResult;
  };
  readonly 'batch/start': {
    readonly params: BatchStartParams;
    readonly result: BatchStartResult;
  };
  readonly 'batch/status': {
    readonly params: BatchStatusParams;
    readonly result: BatchStatusResult;
  };
  readonly 'checkpoint/activate': {
    readonly params: CheckpointActivateParams;
    readonly result: CheckpointActivateResult;
  };
  readonly 'checkpoint/delete': {
    readonly params: CheckpointDeleteParams;
    readonly result: CheckpointDeleteResult;
  };
  readonly 'checkpoint/list': {
    readonly params: CheckpointListParams;
    readonly result: CheckpointListResult;
  };
  readonly 'image/close': {
    readonly params: ImageCloseParams;
    readonly result: ImageCloseResult;
  };
  readonly 'image/open': {
    readonly params: ImageOpenParams;
    readonly result: ImageOpenResult;
  };
  readonly 'image/region': {
    readonly params: ImageRegionParams;
    readonly result: ImageRegionResult;
  };
  readonly initialize: {
    readonly params: InitializeParams;
    readonly result: InitializeResult;
  };
  readonly 'intent/create': {
    readonly params: IntentCreateParams;
    readonly result: IntentCreateResult;
  };
  readonly 'intent/delete': {
    readonly params: IntentDeleteParams;
    readonly result: IntentDeleteResult;
  };
  readonly 'intent/export': {
    readonly params: IntentExportParams;
    readonly result: IntentExportResult;
  };
  readonly 'intent/get': {
    readonly params: IntentGetParams;
    readonly result: IntentGetResult;
  };
  readonly 'intent/import': {
    readonly params: IntentImportParams;
    readonly result: IntentImportResult;
  };
  readonly 'intent/list': {
    readonly params: IntentListParams;
    readonly result: IntentListResult;
  };
  readonly 'intent/update': {
    readonly params: IntentUpdateParams;
    readonly result: IntentUpdateResult;
  };
  readonly 'model/import': {
    readonly params: ModelImportParams;
    readonly result: ModelImportResult;
  };
  readonly 'model/list': {
    readonly params: ModelListParams;
    readonly result: ModelListResult;
  };
  readonly 'model/load': {
    readonly params: ModelLoadParams;
    readonly result: ModelLoadResult;
  };
  readonly 'model/pull': {
    readonly params: ModelPullParams;
    readonly result: ModelPullResult;
  };
  readonly 'model/release': {
    readonly params: ModelReleaseParams;
    readonly result: ModelReleaseResult;
  };
  readonly 'model/run': {
    readonly params: ModelRunParams;
    readonly result: ModelRunResult;
  };
  readonly 'preference/list': {
    readonly params: PreferenceListParams;
    readonly result: PreferenceListResult;
  };
  readonly 'preference/redo': {
    readonly params: PreferenceRedoParams;
    readonly result: PreferenceRedoResult;
  };
  readonly 'preference/submit': {
    readonly params: PreferenceSubmitParams;
    readonly result: PreferenceSubmitResult;
  };
  readonly 'preference/undo': {
    readonly params: PreferenceUndoParams;
    readonly result: PreferenceUndoResult;
  };
  readonly 'review/next': {
    readonly params: ReviewNextParams;
    readonly result: ReviewNextResult;
  };
  readonly 'rpc.discover': {
    readonly params: RpcDiscoverParams;
    readonly result: RpcDiscoverResult;
  };
  readonly 'segment/prompt': {
    readonly params: SegmentPromptParams;
    readonly result: SegmentPromptResult;
  };
  readonly 'segment/threshold': {
    readonly params: SegmentThresholdParams;
    readonly result: SegmentThresholdResult;
  };
  readonly 'server/status': {
    readonly params: ServerStatusParams;
    readonly result: ServerStatusResult;
  };
  readonly 'server/stop': {
    readonly params: ServerStopParams;
    readonly result: ServerStopResult;
  };
  readonly shutdown: {
    readonly params: ShutdownParams;
    readonly result: ShutdownResult;
  };
  readonly 'training/start': {
    readonly params: TrainingStartParams;
    readonly result: TrainingStartResult;
  };
  readonly 'training/status': {
    readonly params: TrainingStatusParams;
    readonly result: TrainingStatusResult;
  };
  readonly 'training/stop': {
    readonly params: TrainingStopParams;
    readonly result: TrainingStopResult;
  };
}
/** Notifications a client may send. */
export interface ClientNotifications {
  readonly exit: {
    readonly params: ExitParams;
    readonly result: undefined;
  };
  readonly initialized: {
    readonly params: InitializedParams;
    readonly result: undefined;
  };
  readonly '$/cancelRequest': {
    readonly params: CancelRequestParams;
    readonly result: undefined;
  };
}
/** Requests the server may send. */
export interface ServerRequests {
  readonly 'image/readRegion': {
    readonly params: ImageReadRegionParams;
    readonly result: ImageReadRegionResult;
  };
}
/** Notifications the server may send. */
export interface ServerNotifications {
  readonly 'intent/changed': {
    readonly params: IntentChangedParams;
    readonly result: undefined;
  };
  readonly 'objects/publish': {
    readonly params: ObjectsPublishParams;
    readonly result: undefined;
  };
  readonly '$/cancelRequest': {
    readonly params: CancelRequestParams;
    readonly result: undefined;
  };
  readonly '$/progress': {
    readonly params: ProgressParams;
    readonly result: undefined;
  };
}
