"""Generated from schemas/ by tools/generate_types.py; do not edit."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict, Union


class Point(TypedDict):
    """A position in full-resolution image pixels; (0, 0) is the top-left corner of the top-left pixel."""

    x: float  # image px from the left edge
    y: float  # image px from the top edge


#: RGB, 0 to 255.
Color: TypeAlias = "list[int]"


#: [x, y, width, height] in image px.
Box: TypeAlias = "list[float]"


class _ClickRequired(TypedDict):
    x: float  # image px
    y: float  # image px


class Click(_ClickRequired, total=False):
    """One click on a nucleus."""

    positive: bool  # false: not this type


class Rectangle(TypedDict):
    """A region in image pixels."""

    x: int  # left, image px
    y: int  # top, image px
    width: int  # image px
    height: int  # image px


class Geometry(TypedDict):
    """GeoJSON Polygon or MultiPolygon (RFC 7946 form) in image pixels."""

    type: Literal['Polygon', 'MultiPolygon']
    coordinates: list[Any]


class FeaturePropertiesClassification(TypedDict):
    name: str  # class name: the intent's
    color: Color


class _FeaturePropertiesRequired(TypedDict):
    objectType: Literal['detection']


class FeatureProperties(_FeaturePropertiesRequired, total=False):
    classification: FeaturePropertiesClassification
    name: str  # label
    measurements: dict[str, Any]  # name, beginning with "SAMPO ", to value, never null. "SAMPO score": 0 to 1. "SAMPO uncertainty": 0 (certain) to 1 (the score is on the threshold). "SAMPO area µm²". "SAMPO round": refinements behind the answer


class Feature(TypedDict):
    """One found object as a GeoJSON feature."""

    type: Literal['Feature']
    id: str  # UUID, stable over refinements
    geometry: Geometry
    properties: FeatureProperties


class _ExampleFeatureRequired(TypedDict):
    type: Literal['Feature']
    geometry: Geometry
    properties: dict[str, Any]  # objectType, classification { name, color }, measurements


class ExampleFeature(_ExampleFeatureRequired, total=False):
    """An object of the client as a GeoJSON feature; more than the geometry is not read."""

    id: str  # UUID, stable over refinements


class FeatureCollection(TypedDict):
    """Objects as GeoJSON."""

    type: Literal['FeatureCollection']
    features: list[Feature]


class Thumbnail(TypedDict):
    """A small picture of an object. A place (X, Y) of the image is at ((X - x) / downsample, (Y - y) / downsample)."""

    objectId: str  # id of the object
    base64: str  # the picture
    encoding: Literal['png']
    width: int  # px of the picture
    height: int  # px of the picture
    x: int  # left edge in the image, image px
    y: int  # top edge in the image, image px
    downsample: float  # image px per px of the picture, at least 1


class ExtentImage(TypedDict):
    type: Literal['image']


class ExtentRectangle(TypedDict):
    type: Literal['view', 'rectangle']
    x: float  # left, image px
    y: float  # top, image px
    width: float  # image px
    height: float  # image px


class ExtentPolygon(TypedDict):
    """GeoJSON polygon coordinates."""

    type: Literal['polygon']
    coordinates: list[list[list[float]]]


class ExtentMultiPolygon(TypedDict):
    """GeoJSON coordinates of several polygons, which may overlap."""

    type: Literal['multipolygon']
    coordinates: list[list[list[list[float]]]]


#: Where to look for objects.
Extent: TypeAlias = "Union[ExtentImage, ExtentRectangle, ExtentPolygon, ExtentMultiPolygon]"


class Filters(TypedDict, total=False):
    """Filters that need no inference."""

    threshold: float  # least intent score, 0 to 1: 0.5 is the answer, and about half of the objects scored 0.5 are of the type; what was clicked or accepted scores 1, what was rejected 0
    minAreaMicrons2: float  # least object area, µm²
    maxAreaMicrons2: float  # largest object area, µm²
    simplify: float  # largest deviation of a simplified outline, image px; 0 keeps the exact pixel edges


class TensorSpec(TypedDict):
    """One input or output of a graph."""

    name: str  # tensor name
    type: str  # element type
    dims: list[Union[int, str]]


class TensorValue(TypedDict):
    """A tensor by value."""

    type: Literal['float32', 'int32', 'int64', 'uint8']
    dims: list[int]
    base64: str  # little-endian values, row-major


class _DeviceReportTriedItemRequired(TypedDict):
    device: str  # provider
    ok: bool  # a session could be created


class DeviceReportTriedItem(_DeviceReportTriedItemRequired, total=False):
    reason: str  # why not


class DeviceReport(TypedDict):
    """The device in use and why."""

    requested: str  # what was asked for
    used: str  # what runs
    tried: list[DeviceReportTriedItem]


class Limits(TypedDict):
    """Limits in force; past one the error LimitExceeded names it."""

    messageBytes: int  # bytes of one message
    blobBytes: int  # bytes of pixels held for one client
    regionPixels: int  # pixels of one image read
    imagePixels: int  # pixels of an image that is decoded whole
    promptsPerRequest: int  # clicks, boxes and examples of one request
    objectsPerAnswer: int  # objects of one answer
    requestsInFlight: int  # unanswered requests of one client
    clients: int  # connected clients
    nesting: int  # depth of a JSON message
    messagesPerSecond: int  # sustained rate of one client
    thumbnails: int  # pictures of one answer of review/next


class Intent(TypedDict):
    """What a user looks for: a class name, its colour and its examples."""

    intentId: str  # UUID
    name: str  # class name
    color: Color
    modelId: str  # model the exemplars belong to
    exemplars: int  # stored examples
    positives: int  # positive examples
    checkpointId: Union[str, None]  # active refinement
    judgements: int  # stored judgements
    createdAt: str  # ISO 8601
    updatedAt: str  # ISO 8601


class _IntentDocumentExemplarsItemRequired(TypedDict):
    label: Literal[0, 1]  # 1: of the type, 0: not
    feature: str  # base64 of little-endian float32
    modelId: str  # model that made the feature
    source: str  # how it was shown: click, box or object


class IntentDocumentExemplarsItem(_IntentDocumentExemplarsItemRequired, total=False):
    imageUri: str  # image
    x: float  # image px
    y: float  # image px


class IntentDocumentCheckpoint(TypedDict):
    """the refinement in use"""

    round: int  # refinement round
    metrics: RefinementMetrics
    provenance: dict[str, Any]
    createdAt: str  # ISO 8601
    file: str  # base64 of the checkpoint file


class _IntentDocumentRequired(TypedDict):
    format: Literal['sampo-intent']
    formatVersion: Literal[1]
    intentId: str  # UUID
    name: str  # class name
    color: Color
    modelId: str  # model the examples belong to
    createdAt: str  # ISO 8601
    round: int  # refinements so far
    scoreThreshold: Union[float, None]  # least score; null: the model's own
    tokens: Union[str, None]  # base64 of little-endian float32
    exemplars: list[IntentDocumentExemplarsItem]


class IntentDocument(_IntentDocumentRequired, total=False):
    """An intent as one document: what intent/export gives and intent/import takes."""

    checkpoint: IntentDocumentCheckpoint  # the refinement in use


class _JudgementRequired(TypedDict):
    kind: Literal['accept', 'reject', 'add', 'edit', 'better']


class Judgement(_JudgementRequired, total=False):
    """One decision of the user."""

    objectId: str  # judged object
    geometry: Geometry
    resultId: str  # result that held the object
    chosen: int  # index of the better candidate
    rejected: list[int]
    promptId: str  # prompt that made the candidates


class _StoredJudgementRequired(TypedDict):
    judgementId: str  # UUID
    kind: Literal['accept', 'reject', 'add', 'edit', 'better']
    imageUri: str  # image
    at: str  # ISO 8601


class StoredJudgement(_StoredJudgementRequired, total=False):
    """A judgement as stored."""

    objectId: str  # object
    overrides: list[str]


class CheckpointProvenance(TypedDict, total=False):
    """where it comes from; an imported version has what its maker wrote"""

    model: str  # model it refines
    decoderSha256: str  # of that model's decoder
    startedFrom: Union[str, None]  # checkpoint it went on from
    judgements: list[str]  # ids of what it learned from
    settings: dict[str, Any]  # all settings of the training
    version: str  # of the program


class _CheckpointRequired(TypedDict):
    checkpointId: str  # UUID
    intentId: str  # intent
    active: bool  # in use
    createdAt: str  # ISO 8601
    round: int  # refinement round


class Checkpoint(_CheckpointRequired, total=False):
    """One version of an intent."""

    metrics: RefinementMetrics
    provenance: CheckpointProvenance  # where it comes from; an imported version has what its maker wrote


class StepMetrics(TypedDict, total=False):
    """Figures of one training step; the parts that the objective has."""

    loss: float  # of the step
    lossDpo: float  # preference part
    lossRank: float  # ranking part
    lossSegment: float  # segmentation part
    lossScore: float  # score part
    meanMargin: float  # mean margin of chosen over rejected, against the reference
    rewardAccuracy: float  # share of pairs with a positive margin


class HoldOutResult(TypedDict):
    """The judged objects kept back as a check."""

    accuracy: float  # share of the objects on the right side of the threshold
    count: int  # objects kept back


class RefinementMetricsHoldOutGain(TypedDict):
    mean: float  # mean gain of an object's log-likelihood, nats
    error: float  # standard error of the mean, nats


class RefinementMetrics(TypedDict, total=False):
    """What a refinement came to: the last step's figures, and the check on judgements kept back. A stopped one has the steps alone; that of an imported version may hold more."""

    steps: int  # steps made
    loss: float  # of the step
    lossDpo: float  # preference part
    lossRank: float  # ranking part
    lossSegment: float  # segmentation part
    lossScore: float  # score part
    meanMargin: float  # mean margin of chosen over rejected, against the reference
    rewardAccuracy: float  # share of pairs with a positive margin
    judgements: int  # judgements of the intent
    heldOut: int  # objects kept back as a check
    closed: int  # judged objects in images that are not open
    tiles: int  # tiles read
    holdOutBefore: HoldOutResult
    holdOutAfter: HoldOutResult
    holdOutGain: RefinementMetricsHoldOutGain
    scoreThreshold: float  # threshold of the refined intent
    readSeconds: float  # reading and encoding the judged tiles
    trainSeconds: float  # training


class Warning(TypedDict):
    """Something the user should know; not a failure."""

    name: str  # machine-readable name
    message: str  # for a person


class ModelManifestEmbedding(TypedDict):
    channels: int  # features of a place
    stride: float  # px of a tile per place


class ModelManifestLimits(TypedDict):
    points: int  # points of one prompt
    masks: int  # masks of one prompt
    maskStride: float  # px of a tile per mask cell


class ModelManifestDryRun(TypedDict):
    encoderSeconds: float  # wall time of one tile
    decoderSeconds: float  # wall time of one prompt


class ModelManifest(TypedDict):
    """An imported model. More members say how its graphs are fed."""

    name: str  # modelId of requests
    version: str  # version
    family: str  # form of the graphs
    form: str  # export that was recognised, e.g. sam
    licence: str  # licence
    micronsPerPixel: float  # scale it works at, µm per px
    tileSize: int  # side of a tile, px
    imageSize: int  # side of the encoder's input, px
    embedding: ModelManifestEmbedding
    limits: ModelManifestLimits
    dryRun: ModelManifestDryRun


class BatchJobImages(TypedDict):
    """images"""

    total: int  # in all
    done: int  # finished
    failed: int  # not to be had; see errors.csv


class BatchJobUnits(TypedDict):
    """parts of the images that were opened so far"""

    total: int  # in all
    done: int  # finished
    failed: int  # not to be had; see errors.csv


class _BatchJobRequired(TypedDict):
    jobId: str  # UUID
    state: Literal['queued', 'running', 'done', 'failed', 'cancelled', 'stopped']  # failed: finished, but for images or parts of images; stopped: by a fault that would meet every image, or the end of the server; both go on with batch/resume
    message: str  # why it stands still, or what it waits for; empty otherwise
    createdAt: str  # ISO 8601
    outputFolder: str  # folder of the results
    intents: list[str]  # names of the intents, as they were pinned
    images: BatchJobImages  # images
    units: BatchJobUnits  # parts of the images that were opened so far
    objects: int  # found so far
    areaMm2: float  # searched so far, mm²


class BatchJob(_BatchJobRequired, total=False):
    """A batch run."""

    etaSeconds: float  # time left, s; absent until something is finished


class StainedChannel(TypedDict):
    channel: Union[str, int]  # name of a channel, or its number from 1
    stain: Literal['haematoxylin', 'eosin', 'dab']  # stain it is shown as


class BatchCancelParams(TypedDict):
    jobId: str  # job


class BatchCancelResult(TypedDict):
    job: BatchJob


BatchListParams: TypeAlias = "dict[str, Any]"


class BatchListResult(TypedDict):
    jobs: list[BatchJob]


class BatchResumeParams(TypedDict):
    jobId: str  # job


class BatchResumeResult(TypedDict):
    job: BatchJob


class _BatchStartParamsImagesItemRequired(TypedDict):
    path: str  # file path


class BatchStartParamsImagesItem(_BatchStartParamsImagesItemRequired, total=False):
    extent: Extent
    pixelSizeMicrons: float  # µm per px


class _BatchStartParamsRequired(TypedDict):
    intentIds: list[str]
    images: list[BatchStartParamsImagesItem]
    outputFolder: str  # folder for the results


class BatchStartParams(_BatchStartParamsRequired, total=False):
    filters: Filters
    tissue: bool  # search tissue alone, found on a small level
    geoParquet: bool  # a GeoParquet file beside each GeoJSON


class BatchStartResult(TypedDict):
    job: BatchJob


class BatchStatusParams(TypedDict):
    jobId: str  # job


class BatchStatusResult(TypedDict):
    job: BatchJob


class CheckpointActivateParams(TypedDict):
    intentId: str  # intent
    checkpointId: Union[str, None]


class CheckpointActivateResult(TypedDict):
    intent: Intent


class CheckpointDeleteParams(TypedDict):
    intentId: str  # intent
    checkpointId: str  # checkpoint


CheckpointDeleteResult: TypeAlias = "None"


class CheckpointListParams(TypedDict):
    intentId: str  # intent


class CheckpointListResult(TypedDict):
    checkpoints: list[Checkpoint]


ExitParams: TypeAlias = "dict[str, Any]"


class ImageCloseParams(TypedDict):
    imageId: str  # open image


ImageCloseResult: TypeAlias = "None"


class _ImageOpenParamsRequired(TypedDict):
    uri: str  # file path, file: URI, or any name for source "client"
    source: Literal['client', 'file']


class ImageOpenParams(_ImageOpenParamsRequired, total=False):
    width: int  # px, needed for "client"
    height: int  # px, needed for "client"
    pixelSizeMicrons: Union[float, None]  # µm per px; kept with a "file" for every later command; null forgets it and takes the file's own
    channels: int  # channels
    stains: Union[Literal['auto', 'rgb'], list[StainedChannel]]  # how the channels of a "file" are shown, kept for every later command; "auto" (at first) guesses from their names, "rgb" takes colours as they are


class ImageOpenResultLevelsItem(TypedDict):
    width: int  # px
    height: int  # px
    downsample: float  # against full resolution


class ImageOpenResult(TypedDict):
    imageId: str  # id for later calls
    format: str  # kind of file, e.g. OME-TIFF; "viewer" for source "client"
    picture: str  # which page of the file is shown and where its levels are, for people
    width: int  # px
    height: int  # px
    channels: int  # channels as stored
    channelNames: list[str]
    stains: Union[Literal['rgb'], list[StainedChannel]]  # how the channels are shown: colours as they are, or channels as stains
    bitsPerSample: int  # as stored; 32 for floating point numbers
    pixelSizeMicrons: Union[float, None]  # µm per px, null when unknown
    pixelSizeSource: Literal['client', 'file', 'unknown']
    pixelSizeFrom: Union[str, None]  # where the pixel size is from, e.g. OME-XML PhysicalSize; null when it is unknown
    levels: list[ImageOpenResultLevelsItem]
    warnings: list[Warning]


class ImageReadRegionParams(TypedDict):
    imageId: str  # open image
    uri: str  # as given to image/open
    x: int  # left, image px
    y: int  # top, image px
    width: int  # image px
    height: int  # image px
    downsample: float  # the answer has width / downsample columns, rounded


class RegionBlob(TypedDict):
    blob: str  # name of a binary frame sent before this answer


class RegionInline(TypedDict):
    base64: str  # encoded pixels
    encoding: Literal['png', 'jpeg', 'raw']
    width: int  # px
    height: int  # px
    channels: int  # 1 to 4


ImageReadRegionResult: TypeAlias = "Union[RegionBlob, RegionInline]"


class _ImageRegionParamsRequired(TypedDict):
    imageId: str  # open image
    x: float  # left, image px
    y: float  # top, image px
    width: float  # image px
    height: float  # image px


class ImageRegionParams(_ImageRegionParamsRequired, total=False):
    downsample: float  # 1 is full resolution


class ImageRegionResult(TypedDict):
    base64: str  # the picture
    encoding: Literal['png']
    width: int  # px
    height: int  # px


class _InitializeParamsClientRequired(TypedDict):
    name: str  # program


class InitializeParamsClient(_InitializeParamsClientRequired, total=False):
    version: str  # its version


class InitializeParamsCapabilities(TypedDict, total=False):
    readRegion: bool  # the client answers image/readRegion
    publish: bool  # the client takes objects/publish


class _InitializeParamsRequired(TypedDict):
    protocolVersion: str  # protocol version the client was written for, e.g. 1.0
    client: InitializeParamsClient


class InitializeParams(_InitializeParamsRequired, total=False):
    capabilities: InitializeParamsCapabilities


class InitializeResultServer(TypedDict):
    name: str  # program
    version: str  # its version


class InitializeResultCapabilities(TypedDict):
    methods: list[str]


class InitializeResult(TypedDict):
    protocolVersion: str  # protocol version of the server
    server: InitializeResultServer
    capabilities: InitializeResultCapabilities
    limits: Limits
    device: DeviceReport


InitializedParams: TypeAlias = "dict[str, Any]"


class IntentChangedParams(TypedDict):
    intentId: str  # intent
    intent: Union[Intent, None]  # as it is now, null when it was deleted


class _IntentCreateParamsRequired(TypedDict):
    name: str  # class name


class IntentCreateParams(_IntentCreateParamsRequired, total=False):
    color: Color


class IntentCreateResult(TypedDict):
    intent: Intent


class IntentDeleteParams(TypedDict):
    intentId: str  # intent


IntentDeleteResult: TypeAlias = "None"


class IntentExportParams(TypedDict):
    intentId: str  # intent


class IntentExportResult(TypedDict):
    document: IntentDocument


class IntentGetParams(TypedDict):
    intentId: str  # intent


class IntentGetResult(TypedDict):
    intent: Intent


class IntentImportParams(TypedDict):
    document: dict[str, Any]  # an IntentDocument; a part that does not fit is named by IntentInvalid


class IntentImportResult(TypedDict):
    intent: Intent
    warnings: list[Warning]


IntentListParams: TypeAlias = "dict[str, Any]"


class IntentListResult(TypedDict):
    intents: list[Intent]


class _IntentUpdateParamsRequired(TypedDict):
    intentId: str  # intent


class IntentUpdateParams(_IntentUpdateParamsRequired, total=False):
    name: str  # class name
    color: Color
    clearExemplars: bool  # forget the stored examples


class IntentUpdateResult(TypedDict):
    intent: Intent


class _ModelImportParamsRequired(TypedDict):
    path: str  # folder


class ModelImportParams(_ModelImportParamsRequired, total=False):
    name: str  # name to keep it under; the folder's when left out


class ModelImportResult(TypedDict):
    manifest: ModelManifest
    warnings: list[Warning]


ModelListParams: TypeAlias = "dict[str, Any]"


class _ModelListResultModelsItemRequired(TypedDict):
    modelId: str  # name
    family: str  # form of the graphs
    loaded: bool  # in the engine


class ModelListResultModelsItem(_ModelListResultModelsItemRequired, total=False):
    version: str  # version
    licence: str  # licence


class ModelListResult(TypedDict):
    models: list[ModelListResultModelsItem]


class ModelByPath(TypedDict):
    path: str  # ONNX file in an allowed folder


class ModelByValue(TypedDict):
    base64: str  # the ONNX file


ModelLoadParams: TypeAlias = "Union[ModelByPath, ModelByValue]"


class ModelLoadResult(TypedDict):
    modelId: str  # id for model/run
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    device: str  # device in use


class ModelPullParams(TypedDict):
    name: str  # name


class ModelPullResult(TypedDict):
    manifest: ModelManifest
    warnings: list[Warning]


class ModelReleaseParams(TypedDict):
    modelId: str  # as answered by model/load


ModelReleaseResult: TypeAlias = "None"


class _ModelRunParamsRequired(TypedDict):
    modelId: str  # as answered by model/load
    feeds: dict[str, Any]  # input name to value


class ModelRunParams(_ModelRunParamsRequired, total=False):
    repeat: int  # runs


class ModelRunResult(TypedDict):
    outputs: dict[str, Any]
    runs: int  # runs done
    seconds: float  # wall time


class ObjectsPublishParams(TypedDict):
    imageId: str  # open image
    intentId: str  # intent
    added: list[Feature]
    changed: list[Feature]
    removed: list[str]


class PreferenceListParams(TypedDict):
    intentId: str  # intent


class PreferenceListResult(TypedDict):
    judgements: list[StoredJudgement]
    canUndo: bool  # something can be undone
    canRedo: bool  # something can be redone


class PreferenceRedoParams(TypedDict):
    intentId: str  # intent


class PreferenceRedoResult(TypedDict):
    judgementIds: list[str]
    total: int  # judgements in force


class PreferenceSubmitParams(TypedDict):
    intentId: str  # intent
    imageId: str  # open image
    judgements: list[Judgement]


class PreferenceSubmitResultConflictsItem(TypedDict):
    judgementId: str  # new
    replaces: str  # earlier judgement of the same object


class PreferenceSubmitResult(TypedDict):
    judgementIds: list[str]
    total: int  # judgements of the intent in force
    conflicts: list[PreferenceSubmitResultConflictsItem]


class PreferenceUndoParams(TypedDict):
    intentId: str  # intent


class PreferenceUndoResult(TypedDict):
    judgementIds: list[str]
    total: int  # judgements in force


class CancelRequestParams(TypedDict):
    id: Union[str, float]  # id of the request


class _ProgressParamsValueRequired(TypedDict):
    kind: Literal['begin', 'report', 'end']


class ProgressParamsValue(_ProgressParamsValueRequired, total=False):
    message: str  # for a person
    percentage: float  # 0 to 100
    etaSeconds: float  # seconds left
    objects: list[Feature]
    metrics: StepMetrics


class ProgressParams(TypedDict):
    id: Union[str, float]  # id of the request
    value: ProgressParamsValue


class ReviewNextParamsThumbnails(TypedDict, total=False):
    """a picture of each object comes too; for as many objects as the limit "thumbnails" allows"""

    size: int  # longest side of a picture at most, px
    microns: float  # side of the square that is shown, µm; more around an object that is larger


class _ReviewNextParamsRequired(TypedDict):
    resultId: str  # result of segment/prompt
    intentId: str  # intent


class ReviewNextParams(_ReviewNextParamsRequired, total=False):
    count: int  # how many
    thumbnails: ReviewNextParamsThumbnails  # a picture of each object comes too; for as many objects as the limit "thumbnails" allows


class _ReviewNextResultRequired(TypedDict):
    objects: list[Feature]
    judged: int  # judged so far
    total: int  # objects


class ReviewNextResult(_ReviewNextResultRequired, total=False):
    thumbnails: list[Thumbnail]  # only when asked for; in the order of objects


RpcDiscoverParams: TypeAlias = "dict[str, Any]"


class RpcDiscoverResult(TypedDict):
    """OpenRPC 1.3 document"""

    openrpc: str  # version of OpenRPC
    info: dict[str, Any]
    methods: list[dict[str, Any]]
    components: dict[str, Any]


class _SegmentPromptParamsIntentsItemRequired(TypedDict):
    intentId: str  # intent


class SegmentPromptParamsIntentsItem(_SegmentPromptParamsIntentsItemRequired, total=False):
    clicks: list[Click]
    boxes: list[Box]
    exampleObjects: list[ExampleFeature]


class _SegmentPromptParamsRequired(TypedDict):
    imageId: str  # open image
    intents: list[SegmentPromptParamsIntentsItem]
    extent: Extent


class SegmentPromptParams(_SegmentPromptParamsRequired, total=False):
    filters: Filters
    pixelSizeMicrons: float  # overrides the pixel size of the image
    modelId: str  # model, as in model/list; the bundled one when left out
    remember: bool  # store the examples with the intent


class _SegmentPromptResultCandidatesItemMasksItemRequired(TypedDict):
    score: float  # predicted IoU


class SegmentPromptResultCandidatesItemMasksItem(_SegmentPromptResultCandidatesItemMasksItemRequired, total=False):
    feature: Feature


class _SegmentPromptResultCandidatesItemRequired(TypedDict):
    promptId: str  # names the prompt in judgements
    intentId: str  # intent
    masks: list[SegmentPromptResultCandidatesItemMasksItem]


class SegmentPromptResultCandidatesItem(_SegmentPromptResultCandidatesItemRequired, total=False):
    click: Point


class SegmentPromptResultTilesFailedItem(TypedDict):
    x: int  # px
    y: int  # px
    error: str  # what happened


class SegmentPromptResultTiles(TypedDict):
    total: int  # tiles
    done: int  # computed
    failed: list[SegmentPromptResultTilesFailedItem]
    cached: int  # embeddings taken from the cache


class SegmentPromptResult(TypedDict):
    resultId: str  # for segment/threshold and judgements
    featureCollection: FeatureCollection
    candidates: list[SegmentPromptResultCandidatesItem]
    tiles: SegmentPromptResultTiles
    pixelSizeMicrons: float  # µm per px used
    seconds: float  # wall time
    warnings: list[Warning]


class SegmentThresholdParams(TypedDict):
    resultId: str  # result of segment/prompt
    filters: Filters


class SegmentThresholdResult(TypedDict):
    featureCollection: FeatureCollection


ServerStatusParams: TypeAlias = "dict[str, Any]"


class ServerStatusResultEngineQueue(TypedDict):
    interactive: int  # waiting
    training: int  # waiting
    batch: int  # waiting


class ServerStatusResultEngine(TypedDict):
    pid: Union[int, None]
    restarts: int  # restarts since the start
    rssBytes: int  # resident memory of the engine
    residentBytes: int  # bytes of resident tensors
    models: list[str]
    queue: ServerStatusResultEngineQueue


class ServerStatusResultWorkersListItem(TypedDict):
    name: str  # machine and process
    version: str  # of the worker's program
    modelId: str  # of its model
    fits: bool  # whether it takes this server's work: version and model are the same
    trouble: str  # what keeps it from working; empty otherwise


class ServerStatusResultWorkers(TypedDict):
    """of a server with a queue: who searches its batches"""

    address: str  # of Redis or Valkey, without user and password
    connected: bool  # whether the connection stands
    list: list[ServerStatusResultWorkersListItem]  # workers that have said lately that they are there


class _ServerStatusResultRequired(TypedDict):
    version: str  # server version
    protocolVersion: str  # protocol version
    pid: int  # process
    uptimeSeconds: float  # seconds since the start
    rssBytes: int  # resident memory of the server
    clients: int  # connected clients
    openImages: int  # images open for this client
    device: DeviceReport
    engine: ServerStatusResultEngine
    limits: Limits
    roots: list[str]  # folders whose images may be opened by path


class ServerStatusResult(_ServerStatusResultRequired, total=False):
    workers: ServerStatusResultWorkers  # of a server with a queue: who searches its batches


ServerStopParams: TypeAlias = "dict[str, Any]"


ServerStopResult: TypeAlias = "None"


ShutdownParams: TypeAlias = "dict[str, Any]"


ShutdownResult: TypeAlias = "None"


class TrainingStartParamsSettings(TypedDict, total=False):
    seconds: float  # time budget
    steps: int  # largest number of steps
    trainable: Literal['tokens', 'heads', 'decoder']
    seed: int  # seed
    objective: Literal['sampo', 'pixel-loss']


class _TrainingStartParamsRequired(TypedDict):
    intentId: str  # intent


class TrainingStartParams(_TrainingStartParamsRequired, total=False):
    resultIds: list[str]
    settings: TrainingStartParamsSettings


class TrainingStartResult(TypedDict):
    checkpointId: Union[str, None]  # the new version; null when it was stopped
    activated: bool  # the refinement is in use
    verdict: str  # for a person
    metrics: RefinementMetrics
    seconds: float  # wall time


TrainingStatusParams: TypeAlias = "dict[str, Any]"


class _TrainingStatusResultRequired(TypedDict):
    running: bool  # a refinement is under way


class TrainingStatusResult(_TrainingStatusResultRequired, total=False):
    intentId: str  # whose
    step: int  # step
    metrics: StepMetrics
    secondsLeft: float  # estimate


class TrainingStopParams(TypedDict):
    intentId: str  # intent


TrainingStopResult: TypeAlias = "None"
