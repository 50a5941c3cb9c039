// Generated from schemas/ by scripts/generate.mjs; do not edit.

/**
 * RGB, 0 to 255.
 *
 * @minItems 3
 * @maxItems 3
 */
export type Color = [number, number, number];
/**
 * [x, y, width, height] in image px.
 *
 * @minItems 4
 * @maxItems 4
 */
export type Box = [number, number, number, number];
/**
 * Where to look for objects.
 */
export type Extent = ExtentImage | ExtentRectangle | ExtentPolygon;
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
  x: number;
  /**
   * image px from the top edge
   */
  y: number;
}
/**
 * One click on a nucleus.
 */
export interface Click {
  /**
   * image px
   */
  x: number;
  /**
   * image px
   */
  y: number;
  /**
   * false: not this type
   */
  positive?: boolean;
}
/**
 * A region in image pixels.
 */
export interface Rectangle {
  /**
   * left, image px
   */
  x: number;
  /**
   * top, image px
   */
  y: number;
  /**
   * image px
   */
  width: number;
  /**
   * image px
   */
  height: number;
}
/**
 * GeoJSON Polygon or MultiPolygon (RFC 7946 form) in image pixels.
 */
export interface Geometry {
  type: 'Polygon' | 'MultiPolygon';
  coordinates: unknown[];
}
/**
 * One object as a GeoJSON feature.
 */
export interface Feature {
  type: 'Feature';
  /**
   * UUID, stable over refinements
   */
  id?: string;
  geometry: Geometry;
  /**
   * objectType, classification { name, color }, measurements
   */
  properties: {};
}
/**
 * Objects as GeoJSON.
 */
export interface FeatureCollection {
  type: 'FeatureCollection';
  features: Feature[];
}
export interface ExtentImage {
  type: 'image';
}
export interface ExtentRectangle {
  type: 'view' | 'rectangle';
  /**
   * left, image px
   */
  x: number;
  /**
   * top, image px
   */
  y: number;
  /**
   * image px
   */
  width: number;
  /**
   * image px
   */
  height: number;
}
/**
 * GeoJSON polygon coordinates.
 */
export interface ExtentPolygon {
  type: 'polygon';
  /**
   * @minItems 1
   */
  coordinates: [number, number][][];
}
/**
 * Filters that need no inference.
 */
export interface Filters {
  /**
   * least intent score, 0 to 1
   */
  threshold?: number;
  /**
   * least object area, µm²
   */
  minAreaMicrons2?: number;
  /**
   * largest object area, µm²
   */
  maxAreaMicrons2?: number;
  /**
   * largest deviation of a simplified outline, image px; 0 keeps the exact pixel edges
   */
  simplify?: number;
}
/**
 * One input or output of a graph.
 */
export interface TensorSpec {
  /**
   * tensor name
   */
  name: string;
  /**
   * element type
   */
  type: string;
  dims: (number | string)[];
}
/**
 * A tensor by value.
 */
export interface TensorValue {
  type: 'float32' | 'int32' | 'int64' | 'uint8';
  /**
   * Items: size
   */
  dims: number[];
  /**
   * little-endian values, row-major
   */
  base64: string;
}
/**
 * The device in use and why.
 */
export interface DeviceReport {
  /**
   * what was asked for
   */
  requested: string;
  /**
   * what runs
   */
  used: string;
  tried: {
    /**
     * provider
     */
    device: string;
    /**
     * a session could be created
     */
    ok: boolean;
    /**
     * why not
     */
    reason?: string;
  }[];
}
/**
 * Limits in force; past one the error LimitExceeded names it.
 */
export interface Limits {
  /**
   * bytes of one message
   */
  messageBytes: number;
  /**
   * bytes of pixels held for one client
   */
  blobBytes: number;
  /**
   * pixels of one image read
   */
  regionPixels: number;
  /**
   * pixels of an image that is decoded whole
   */
  imagePixels: number;
  /**
   * clicks, boxes and examples of one request
   */
  promptsPerRequest: number;
  /**
   * objects of one answer
   */
  objectsPerAnswer: number;
  /**
   * unanswered requests of one client
   */
  requestsInFlight: number;
  /**
   * connected clients
   */
  clients: number;
  /**
   * depth of a JSON message
   */
  nesting: number;
  /**
   * sustained rate of one client
   */
  messagesPerSecond: number;
}
/**
 * What a user looks for: a class name, its colour and its examples.
 */
export interface Intent {
  /**
   * UUID
   */
  intentId: string;
  /**
   * class name
   */
  name: string;
  color: Color;
  /**
   * model the exemplars belong to
   */
  modelId: string;
  /**
   * stored examples
   */
  exemplars: number;
  /**
   * positive examples
   */
  positives: number;
  /**
   * active refinement
   */
  checkpointId: string | null;
  /**
   * stored judgements
   */
  judgements: number;
  /**
   * ISO 8601
   */
  createdAt: string;
  /**
   * ISO 8601
   */
  updatedAt: string;
}
/**
 * One decision of the user.
 */
export interface Judgement {
  kind: 'accept' | 'reject' | 'add' | 'edit' | 'better';
  /**
   * judged object
   */
  objectId?: string;
  geometry?: Geometry;
  /**
   * result that held the object
   */
  resultId?: string;
  /**
   * index of the better candidate
   */
  chosen?: number;
  /**
   * Items: indices of the others
   */
  rejected?: number[];
  /**
   * prompt that made the candidates
   */
  promptId?: string;
}
/**
 * A judgement as stored.
 */
export interface StoredJudgement {
  /**
   * UUID
   */
  judgementId: string;
  kind: 'accept' | 'reject' | 'add' | 'edit' | 'better';
  /**
   * image
   */
  imageUri: string;
  /**
   * object
   */
  objectId?: string;
  /**
   * ISO 8601
   */
  at: string;
  /**
   * Items: earlier judgement that this one replaces
   */
  overrides?: string[];
}
/**
 * One version of an intent.
 */
export interface Checkpoint {
  /**
   * UUID
   */
  checkpointId: string;
  /**
   * intent
   */
  intentId: string;
  /**
   * in use
   */
  active: boolean;
  /**
   * ISO 8601
   */
  createdAt: string;
  /**
   * refinement round
   */
  round: number;
  metrics?: {};
  provenance?: {};
}
/**
 * Something the user should know; not a failure.
 */
export interface Warning {
  /**
   * machine-readable name
   */
  name: string;
  /**
   * for a person
   */
  message: string;
}
/**
 * A batch run.
 */
export interface BatchJob {
  /**
   * UUID
   */
  jobId: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  /**
   * images
   */
  total: number;
  /**
   * finished images
   */
  done: number;
  /**
   * failed images
   */
  failed: number;
}
export interface StainedChannel {
  /**
   * name of a channel, or its number from 1
   */
  channel: string | number;
  /**
   * stain it is shown as
   */
  stain: 'haematoxylin' | 'eosin' | 'dab';
}
export interface BatchCancelParams {
  /**
   * job
   */
  jobId: string;
}
export interface BatchCancelResult {
  job: BatchJob;
}
export interface BatchListParams {}
export interface BatchListResult {
  jobs: BatchJob[];
}
export interface BatchResumeParams {
  /**
   * job
   */
  jobId: string;
}
export interface BatchResumeResult {
  job: BatchJob;
}
export interface BatchStartParams {
  /**
   * @minItems 1
   *
   * Items: intent
   */
  intentIds: string[];
  /**
   * @minItems 1
   */
  images: {
    /**
     * file path
     */
    path: string;
    extent?: Extent;
    /**
     * µm per px
     */
    pixelSizeMicrons?: number;
  }[];
  /**
   * folder for the results
   */
  outputFolder: string;
  filters?: Filters;
}
export interface BatchStartResult {
  job: BatchJob;
}
export interface BatchStatusParams {
  /**
   * job
   */
  jobId: string;
}
export interface BatchStatusResult {
  job: BatchJob;
}
export interface CheckpointActivateParams {
  /**
   * intent
   */
  intentId: string;
  checkpointId: string | null;
}
export interface CheckpointActivateResult {
  intent: Intent;
}
export interface CheckpointDeleteParams {
  /**
   * intent
   */
  intentId: string;
  /**
   * checkpoint
   */
  checkpointId: string;
}
export interface CheckpointListParams {
  /**
   * intent
   */
  intentId: string;
}
export interface CheckpointListResult {
  checkpoints: Checkpoint[];
}
export interface ExitParams {}
export interface ImageCloseParams {
  /**
   * open image
   */
  imageId: string;
}
export interface ImageOpenParams {
  /**
   * file path, file: URI, or any name for source "client"
   */
  uri: string;
  source: 'client' | 'file';
  /**
   * px, needed for "client"
   */
  width?: number;
  /**
   * px, needed for "client"
   */
  height?: number;
  /**
   * µm per px; kept with a "file" for every later command; null forgets it and takes the file's own
   */
  pixelSizeMicrons?: number | null;
  /**
   * channels
   */
  channels?: number;
  /**
   * how the channels of a "file" are shown, kept for every later command; "auto" (at first) guesses from their names, "rgb" takes colours as they are
   */
  stains?: ('auto' | 'rgb') | StainedChannel[];
}
export interface ImageOpenResult {
  /**
   * id for later calls
   */
  imageId: string;
  /**
   * kind of file, e.g. OME-TIFF; "viewer" for source "client"
   */
  format: string;
  /**
   * which page of the file is shown and where its levels are, for people
   */
  picture: string;
  /**
   * px
   */
  width: number;
  /**
   * px
   */
  height: number;
  /**
   * channels as stored
   */
  channels: number;
  /**
   * Items: as the file calls it, or channel 1 and so on
   */
  channelNames: string[];
  /**
   * how the channels are shown: colours as they are, or channels as stains
   */
  stains: 'rgb' | StainedChannel[];
  /**
   * as stored; 32 for floating point numbers
   */
  bitsPerSample: number;
  /**
   * µm per px, null when unknown
   */
  pixelSizeMicrons: number | null;
  pixelSizeSource: 'client' | 'file' | 'unknown';
  /**
   * where the pixel size is from, e.g. OME-XML PhysicalSize; null when it is unknown
   */
  pixelSizeFrom: string | null;
  levels: {
    /**
     * px
     */
    width: number;
    /**
     * px
     */
    height: number;
    /**
     * against full resolution
     */
    downsample: number;
  }[];
  warnings: Warning[];
}
export interface ImageReadRegionParams {
  /**
   * open image
   */
  imageId: string;
  /**
   * as given to image/open
   */
  uri: string;
  /**
   * left, image px
   */
  x: number;
  /**
   * top, image px
   */
  y: number;
  /**
   * image px
   */
  width: number;
  /**
   * image px
   */
  height: number;
  /**
   * the answer has width / downsample columns, rounded
   */
  downsample: number;
}
export interface RegionBlob {
  /**
   * name of a binary frame sent before this answer
   */
  blob: string;
}
export interface RegionInline {
  /**
   * encoded pixels
   */
  base64: string;
  encoding: 'png' | 'jpeg' | 'raw';
  /**
   * px
   */
  width: number;
  /**
   * px
   */
  height: number;
  /**
   * 1 to 4
   */
  channels: number;
}
export interface ImageRegionParams {
  /**
   * open image
   */
  imageId: string;
  /**
   * left, image px
   */
  x: number;
  /**
   * top, image px
   */
  y: number;
  /**
   * image px
   */
  width: number;
  /**
   * image px
   */
  height: number;
  /**
   * 1 is full resolution
   */
  downsample?: number;
}
export interface ImageRegionResult {
  /**
   * the picture
   */
  base64: string;
  encoding: 'png';
  /**
   * px
   */
  width: number;
  /**
   * px
   */
  height: number;
}
export interface InitializeParams {
  /**
   * protocol version the client was written for, e.g. 1.0
   */
  protocolVersion: string;
  client: {
    /**
     * program
     */
    name: string;
    /**
     * its version
     */
    version?: string;
  };
  capabilities?: {
    /**
     * the client answers image/readRegion
     */
    readRegion?: boolean;
    /**
     * the client takes objects/publish
     */
    publish?: boolean;
  };
}
export interface InitializeResult {
  /**
   * protocol version of the server
   */
  protocolVersion: string;
  server: {
    /**
     * program
     */
    name: string;
    /**
     * its version
     */
    version: string;
  };
  capabilities: {
    /**
     * Items: method
     */
    methods: string[];
  };
  limits: Limits;
  device: DeviceReport;
}
export interface InitializedParams {}
export interface IntentCreateParams {
  /**
   * class name
   */
  name: string;
  color?: Color;
}
export interface IntentCreateResult {
  intent: Intent;
}
export interface IntentDeleteParams {
  /**
   * intent
   */
  intentId: string;
}
export interface IntentExportParams {
  /**
   * intent
   */
  intentId: string;
}
export interface IntentExportResult {
  document: {};
}
export interface IntentGetParams {
  /**
   * intent
   */
  intentId: string;
}
export interface IntentGetResult {
  intent: Intent;
}
export interface IntentImportParams {
  document: {};
}
export interface IntentImportResult {
  intent: Intent;
  warnings: Warning[];
}
export interface IntentListParams {}
export interface IntentListResult {
  intents: Intent[];
}
export interface IntentUpdateParams {
  /**
   * intent
   */
  intentId: string;
  /**
   * class name
   */
  name?: string;
  color?: Color;
  /**
   * forget the stored examples
   */
  clearExemplars?: boolean;
}
export interface IntentUpdateResult {
  intent: Intent;
}
export interface ModelImportParams {
  /**
   * folder
   */
  path: string;
  /**
   * name to keep it under; the folder's when left out
   */
  name?: string;
}
export interface ModelImportResult {
  manifest: {};
  warnings: Warning[];
}
export interface ModelListParams {}
export interface ModelListResult {
  models: {
    /**
     * name
     */
    modelId: string;
    /**
     * form of the graphs
     */
    family: string;
    /**
     * version
     */
    version?: string;
    /**
     * licence
     */
    licence?: string;
    /**
     * in the engine
     */
    loaded: boolean;
  }[];
}
export interface ModelByPath {
  /**
   * ONNX file in an allowed folder
   */
  path: string;
}
export interface ModelByValue {
  /**
   * the ONNX file
   */
  base64: string;
}
export interface ModelLoadResult {
  /**
   * id for model/run
   */
  modelId: string;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /**
   * device in use
   */
  device: string;
}
export interface ModelPullParams {
  /**
   * name
   */
  name: string;
}
export interface ModelPullResult {
  manifest: {};
  warnings: Warning[];
}
export interface ModelReleaseParams {
  /**
   * as answered by model/load
   */
  modelId: string;
}
export interface ModelRunParams {
  /**
   * as answered by model/load
   */
  modelId: string;
  /**
   * input name to value
   */
  feeds: {
    [k: string]: FeedTensor | FeedRegion;
  };
  /**
   * runs
   */
  repeat?: number;
}
export interface FeedTensor {
  tensor: TensorValue;
}
/**
 * float32 [1, 3, height / downsample, width / downsample], RGB
 */
export interface FeedRegion {
  region: {
    /**
     * open image
     */
    imageId: string;
    /**
     * left, image px
     */
    x: number;
    /**
     * top, image px
     */
    y: number;
    /**
     * image px
     */
    width: number;
    /**
     * image px
     */
    height: number;
    /**
     * 1 is full resolution
     */
    downsample?: number;
    /**
     * factor on the 0 to 255 values
     */
    scale?: number;
  };
}
export interface ModelRunResult {
  outputs: {
    [k: string]: TensorValue;
  };
  /**
   * runs done
   */
  runs: number;
  /**
   * wall time
   */
  seconds: number;
}
export interface ObjectsPublishParams {
  /**
   * open image
   */
  imageId: string;
  /**
   * intent
   */
  intentId: string;
  added: Feature[];
  changed: Feature[];
  /**
   * Items: object id
   */
  removed: string[];
}
export interface PreferenceListParams {
  /**
   * intent
   */
  intentId: string;
}
export interface PreferenceListResult {
  judgements: StoredJudgement[];
  /**
   * something can be undone
   */
  canUndo: boolean;
  /**
   * something can be redone
   */
  canRedo: boolean;
}
export interface PreferenceRedoParams {
  /**
   * intent
   */
  intentId: string;
}
export interface PreferenceRedoResult {
  /**
   * Items: UUID
   */
  judgementIds: string[];
  /**
   * judgements in force
   */
  total: number;
}
export interface PreferenceSubmitParams {
  /**
   * intent
   */
  intentId: string;
  /**
   * open image
   */
  imageId: string;
  /**
   * @minItems 1
   * @maxItems 10000
   */
  judgements: Judgement[];
}
export interface PreferenceSubmitResult {
  /**
   * Items: UUID
   */
  judgementIds: string[];
  /**
   * judgements of the intent in force
   */
  total: number;
  conflicts: {
    /**
     * new
     */
    judgementId: string;
    /**
     * earlier judgement of the same object
     */
    replaces: string;
  }[];
}
export interface PreferenceUndoParams {
  /**
   * intent
   */
  intentId: string;
}
export interface PreferenceUndoResult {
  /**
   * Items: UUID
   */
  judgementIds: string[];
  /**
   * judgements in force
   */
  total: number;
}
export interface CancelRequestParams {
  /**
   * id of the request
   */
  id: string | number;
}
export interface ProgressParams {
  /**
   * id of the request
   */
  id: string | number;
  value: {
    kind: 'begin' | 'report' | 'end';
    /**
     * for a person
     */
    message?: string;
    /**
     * 0 to 100
     */
    percentage?: number;
    /**
     * seconds left
     */
    etaSeconds?: number;
    objects?: Feature[];
    metrics?: {};
  };
}
export interface ReviewNextParams {
  /**
   * result of segment/prompt
   */
  resultId: string;
  /**
   * intent
   */
  intentId: string;
  /**
   * how many
   */
  count?: number;
}
export interface ReviewNextResult {
  objects: Feature[];
  /**
   * judged so far
   */
  judged: number;
  /**
   * objects
   */
  total: number;
}
export interface RpcDiscoverParams {}
/**
 * OpenRPC 1.3 document
 */
export interface RpcDiscoverResult {}
export interface SegmentPromptParams {
  /**
   * open image
   */
  imageId: string;
  /**
   * @minItems 1
   * @maxItems 32
   */
  intents: {
    /**
     * intent
     */
    intentId: string;
    clicks?: Click[];
    boxes?: Box[];
    exampleObjects?: Feature[];
  }[];
  extent: Extent;
  filters?: Filters;
  /**
   * overrides the pixel size of the image
   */
  pixelSizeMicrons?: number;
  /**
   * model, as in model/list; the bundled one when left out
   */
  modelId?: string;
  /**
   * store the examples with the intent
   */
  remember?: boolean;
}
export interface SegmentPromptResult {
  /**
   * for segment/threshold and judgements
   */
  resultId: string;
  featureCollection: FeatureCollection;
  candidates: {
    /**
     * names the prompt in judgements
     */
    promptId: string;
    /**
     * intent
     */
    intentId: string;
    click?: Point;
    masks: {
      /**
       * predicted IoU
       */
      score: number;
      feature?: Feature;
    }[];
  }[];
  tiles: {
    /**
     * tiles
     */
    total: number;
    /**
     * computed
     */
    done: number;
    failed: {
      /**
       * px
       */
      x: number;
      /**
       * px
       */
      y: number;
      /**
       * what happened
       */
      error: string;
    }[];
    /**
     * embeddings taken from the cache
     */
    cached: number;
  };
  /**
   * µm per px used
   */
  pixelSizeMicrons: number;
  /**
   * wall time
   */
  seconds: number;
  warnings: Warning[];
}
export interface SegmentThresholdParams {
  /**
   * result of segment/prompt
   */
  resultId: string;
  filters: Filters;
}
export interface SegmentThresholdResult {
  featureCollection: FeatureCollection;
}
export interface ServerStatusParams {}
export interface ServerStatusResult {
  /**
   * server version
   */
  version: string;
  /**
   * protocol version
   */
  protocolVersion: string;
  /**
   * process
   */
  pid: number;
  /**
   * seconds since the start
   */
  uptimeSeconds: number;
  /**
   * resident memory of the server
   */
  rssBytes: number;
  /**
   * connected clients
   */
  clients: number;
  /**
   * images open for this client
   */
  openImages: number;
  device: DeviceReport;
  engine: {
    pid: number | null;
    /**
     * restarts since the start
     */
    restarts: number;
    /**
     * resident memory of the engine
     */
    rssBytes: number;
    /**
     * bytes of resident tensors
     */
    residentBytes: number;
    /**
     * Items: model id
     */
    models: string[];
    queue: {
      /**
       * waiting
       */
      interactive: number;
      /**
       * waiting
       */
      training: number;
      /**
       * waiting
       */
      batch: number;
    };
  };
  limits: Limits;
}
export interface ServerStopParams {}
export interface ShutdownParams {}
export interface TrainingStartParams {
  /**
   * intent
   */
  intentId: string;
  /**
   * Items: results to compute again
   */
  resultIds?: string[];
  settings?: {
    /**
     * time budget
     */
    seconds?: number;
    /**
     * largest number of steps
     */
    steps?: number;
    trainable?: 'tokens' | 'heads' | 'decoder';
    /**
     * seed
     */
    seed?: number;
    objective?: 'sampo' | 'pixel-loss';
  };
}
export interface TrainingStartResult {
  checkpointId: string | null;
  /**
   * the refinement is in use
   */
  activated: boolean;
  /**
   * for a person
   */
  verdict: string;
  metrics: {};
  /**
   * wall time
   */
  seconds: number;
}
export interface TrainingStatusParams {}
export interface TrainingStatusResult {
  /**
   * a refinement is under way
   */
  running: boolean;
  /**
   * whose
   */
  intentId?: string;
  /**
   * step
   */
  step?: number;
  metrics?: {};
  /**
   * estimate
   */
  secondsLeft?: number;
}
export interface TrainingStopParams {
  /**
   * intent
   */
  intentId: string;
}

/** Requests a client may send. */
export interface ClientRequests {
  'batch/cancel': { params: BatchCancelParams; result: BatchCancelResult };
  'batch/list': { params: BatchListParams; result: BatchListResult };
  'batch/resume': { params: BatchResumeParams; result: BatchResumeResult };
  'batch/start': { params: BatchStartParams; result: BatchStartResult };
  'batch/status': { params: BatchStatusParams; result: BatchStatusResult };
  'checkpoint/activate': { params: CheckpointActivateParams; result: CheckpointActivateResult };
  'checkpoint/delete': { params: CheckpointDeleteParams; result: CheckpointDeleteResult };
  'checkpoint/list': { params: CheckpointListParams; result: CheckpointListResult };
  'image/close': { params: ImageCloseParams; result: ImageCloseResult };
  'image/open': { params: ImageOpenParams; result: ImageOpenResult };
  'image/region': { params: ImageRegionParams; result: ImageRegionResult };
  'initialize': { params: InitializeParams; result: InitializeResult };
  'intent/create': { params: IntentCreateParams; result: IntentCreateResult };
  'intent/delete': { params: IntentDeleteParams; result: IntentDeleteResult };
  'intent/export': { params: IntentExportParams; result: IntentExportResult };
  'intent/get': { params: IntentGetParams; result: IntentGetResult };
  'intent/import': { params: IntentImportParams; result: IntentImportResult };
  'intent/list': { params: IntentListParams; result: IntentListResult };
  'intent/update': { params: IntentUpdateParams; result: IntentUpdateResult };
  'model/import': { params: ModelImportParams; result: ModelImportResult };
  'model/list': { params: ModelListParams; result: ModelListResult };
  'model/load': { params: ModelLoadParams; result: ModelLoadResult };
  'model/pull': { params: ModelPullParams; result: ModelPullResult };
  'model/release': { params: ModelReleaseParams; result: ModelReleaseResult };
  'model/run': { params: ModelRunParams; result: ModelRunResult };
  'preference/list': { params: PreferenceListParams; result: PreferenceListResult };
  'preference/redo': { params: PreferenceRedoParams; result: PreferenceRedoResult };
  'preference/submit': { params: PreferenceSubmitParams; result: PreferenceSubmitResult };
  'preference/undo': { params: PreferenceUndoParams; result: PreferenceUndoResult };
  'review/next': { params: ReviewNextParams; result: ReviewNextResult };
  'rpc.discover': { params: RpcDiscoverParams; result: RpcDiscoverResult };
  'segment/prompt': { params: SegmentPromptParams; result: SegmentPromptResult };
  'segment/threshold': { params: SegmentThresholdParams; result: SegmentThresholdResult };
  'server/status': { params: ServerStatusParams; result: ServerStatusResult };
  'server/stop': { params: ServerStopParams; result: ServerStopResult };
  'shutdown': { params: ShutdownParams; result: ShutdownResult };
  'training/start': { params: TrainingStartParams; result: TrainingStartResult };
  'training/status': { params: TrainingStatusParams; result: TrainingStatusResult };
  'training/stop': { params: TrainingStopParams; result: TrainingStopResult };
}

/** Notifications a client may send. */
export interface ClientNotifications {
  'exit': { params: ExitParams; result: undefined };
  'initialized': { params: InitializedParams; result: undefined };
  '$/cancelRequest': { params: CancelRequestParams; result: undefined };
}

/** Requests the server may send. */
export interface ServerRequests {
  'image/readRegion': { params: ImageReadRegionParams; result: ImageReadRegionResult };
}

/** Notifications the server may send. */
export interface ServerNotifications {
  'objects/publish': { params: ObjectsPublishParams; result: undefined };
  '$/cancelRequest': { params: CancelRequestParams; result: undefined };
  '$/progress': { params: ProgressParams; result: undefined };
}
