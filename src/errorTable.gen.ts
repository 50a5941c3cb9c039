// Generated from schemas/errors.json by scripts/generate.mjs; do not edit.

/** One row of the error table: JSON-RPC code, meaning, next step, and whether the same request may succeed later. */
export interface ErrorRow {
  readonly code: number;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** The error table: name → row. */
export const ERRORS = {
  ParseError: { code: -32700, message: "the message is not JSON", hint: "send one JSON-RPC 2.0 object per text message, encoded as UTF-8", retryable: false },
  InvalidRequest: { code: -32600, message: "the message is not a JSON-RPC 2.0 request", hint: "see the protocol page; batch arrays are not accepted", retryable: false },
  MethodNotFound: { code: -32601, message: "no such method", hint: "rpc.discover lists the methods this server has", retryable: false },
  InvalidParams: { code: -32602, message: "the params do not fit the method", hint: "data.problems gives a JSON pointer and what was wanted", retryable: false },
  InternalError: { code: -32603, message: "the server failed in a way it did not foresee", hint: "see the server log; please report it", retryable: false },
  RequestCancelled: { code: -32800, message: "the request was cancelled", hint: "send it again when you want it", retryable: false },
  LimitExceeded: { code: -32001, message: "a limit of the server was passed", hint: "data.limit and data.value name it; limits are in the answer to initialize", retryable: false },
  ServerNotInitialized: { code: -32002, message: "the connection is not initialized", hint: "send initialize first", retryable: false },
  Busy: { code: -32003, message: "too many requests are under way", hint: "wait for an answer, then send again", retryable: true },
  ShuttingDown: { code: -32004, message: "the connection is shutting down", hint: "connect again", retryable: false },
  VersionMismatch: { code: -32005, message: "client and server speak different protocol versions", hint: "update the plugin or the server: data tells both versions", retryable: false },
  NotAvailable: { code: -32006, message: "this build does not have the method yet", hint: "see rpc.discover for what it has", retryable: false },
  ClientFailed: { code: -32007, message: "the client answered a server request with an error", hint: "data.error holds what the client said", retryable: false },
  ImageNotOpen: { code: -32010, message: "no open image has this id", hint: "call image/open first", retryable: false },
  ImageUnreadable: { code: -32011, message: "the image cannot be decoded", hint: "check that the file opens in another viewer; it may be truncated", retryable: false },
  UnsupportedImage: { code: -32012, message: "this kind of image is not supported", hint: "open it in the viewer and use source \"client\"", retryable: false },
  ImageTooLarge: { code: -32013, message: "the image is too large to be decoded safely", hint: "use a tiled pyramidal file, or raise the limit imagePixels", retryable: false },
  PathNotAllowed: { code: -32014, message: "the path is outside the allowed folders", hint: "start the server with --root and the folder", retryable: false },
  FileNotFound: { code: -32015, message: "no such file", hint: "check the path", retryable: false },
  ImageChanged: { code: -32059, message: "the image file has changed since it was opened", hint: "close the image and open it again", retryable: false },
  RegionOutOfImage: { code: -32016, message: "the region lies outside the image", hint: "data gives the size of the image", retryable: false },
  ViewerTimeout: { code: -32017, message: "the viewer did not send the pixels in time", hint: "check that the image is still open in the viewer", retryable: true },
  BlobMissing: { code: -32018, message: "no such blob", hint: "send the binary frame before the message that names it; blobs expire", retryable: false },
  PixelsInvalid: { code: -32019, message: "the pixels sent do not fit their description", hint: "width x height x channels must equal what was asked for", retryable: false },
  EngineCrashed: { code: -32020, message: "the engine process ended during the request", hint: "it restarts by itself; send the request again", retryable: true },
  ModelInvalid: { code: -32021, message: "the model cannot be loaded", hint: "data.reason says what the runtime reported", retryable: false },
  ModelNotFound: { code: -32022, message: "no such model", hint: "model/list lists what is there", retryable: false },
  ModelInputInvalid: { code: -32023, message: "the inputs do not fit the model", hint: "data names the input and what was wanted", retryable: false },
  DeviceUnavailable: { code: -32024, message: "the device cannot be used", hint: "start with --device auto, or see data.tried", retryable: false },
  OutOfMemory: { code: -32025, message: "not enough memory", hint: "use a smaller region or close other programs", retryable: true },
  InferenceFailed: { code: -32026, message: "the model failed while it ran", hint: "data.reason says what the runtime reported", retryable: false },
  ResidentMissing: { code: -32027, message: "the engine does not hold this tensor any more", hint: "send the request again: it is computed anew", retryable: true },
  GeometryInvalid: { code: -32029, message: "the geometry is not a usable polygon", hint: "rings are closed, with at least four positions, inside the image", retryable: false },
  IntentNotFound: { code: -32030, message: "no such intent", hint: "intent/list lists them", retryable: false },
  IntentModelMismatch: { code: -32031, message: "the intent was made with another model", hint: "open an image that holds its examples, so that they can be embedded again", retryable: false },
  IntentInvalid: { code: -32032, message: "the intent document cannot be read", hint: "export it again with this version", retryable: false },
  NoPositiveClick: { code: -32033, message: "an intent needs at least one positive example", hint: "click at least one nucleus of the type", retryable: false },
  ClickOutside: { code: -32034, message: "a click lies outside the image", hint: "data names the click and the size of the image", retryable: false },
  EmptyExtent: { code: -32035, message: "the extent holds no pixel of the image", hint: "choose a larger region inside the image", retryable: false },
  ExtentTooLarge: { code: -32036, message: "the extent has more tiles than the limit", hint: "choose a smaller region, or use a batch run", retryable: false },
  ResultNotFound: { code: -32037, message: "no such result", hint: "results are kept while the image is open; segment again", retryable: false },
  ObjectNotFound: { code: -32038, message: "no such object", hint: "data.objectId names it", retryable: false },
  ConflictingClicks: { code: -32039, message: "one nucleus was clicked for two intents", hint: "data names the clicks", retryable: false },
  NothingToUndo: { code: -32040, message: "there is nothing to undo or redo", hint: "preference/list shows the judgements", retryable: false },
  JudgementsTooFew: { code: -32041, message: "not enough judgements to refine", hint: "data.least says how many are needed", retryable: false },
  TrainingBusy: { code: -32042, message: "a refinement is under way", hint: "wait for it or stop it", retryable: true },
  TrainingNotRunning: { code: -32043, message: "no refinement is under way", hint: "start one with training/start", retryable: false },
  CheckpointNotFound: { code: -32044, message: "no such checkpoint", hint: "checkpoint/list lists them", retryable: false },
  CheckpointDamaged: { code: -32045, message: "the checkpoint file is damaged", hint: "activate an earlier one", retryable: false },
  OperatorUnsupported: { code: -32046, message: "the graph holds an operator without a gradient rule", hint: "data names operator and node", retryable: false },
  JobNotFound: { code: -32047, message: "no such job", hint: "batch/list lists them", retryable: false },
  OutputBlocked: { code: -32048, message: "a result file cannot be written", hint: "close the program that has it open, or choose another folder", retryable: true },
  JobConflict: { code: -32049, message: "another job writes into this folder", hint: "wait for it, cancel it, or choose another folder; data.jobId names it", retryable: false },
  StoreLocked: { code: -32050, message: "another server owns the state folder", hint: "data.pid names it; stop it or use --state", retryable: false },
  StoreDamaged: { code: -32051, message: "the state file is damaged", hint: "the damaged file was kept beside it: data.kept", retryable: false },
  StoreReadOnly: { code: -32052, message: "the state folder cannot be written", hint: "check its permissions or use --state", retryable: false },
  DiskFull: { code: -32053, message: "the disk is full", hint: "free some space, then send the request again", retryable: true },
  PortInUse: { code: -32054, message: "the port is in use", hint: "leave --port out to take a free one", retryable: false },
  AlreadyRunning: { code: -32055, message: "a server already runs on this state folder", hint: "sampo status shows it; sampo stop ends it", retryable: false },
  FileDamaged: { code: -32056, message: "a stored file does not match its checksum", hint: "data.path names it", retryable: false },
  StoreTooNew: { code: -32057, message: "the state folder was written by a newer version", hint: "use the newer version, or --state with another folder", retryable: false },
  DownloadFailed: { code: -32058, message: "the download did not finish", hint: "send the request again: it goes on where it stopped", retryable: true },
  NoServer: { code: -32060, message: "no server runs", hint: "start one with: sampo serve", retryable: true },
  ConnectionRefused: { code: -32061, message: "the server refused the connection, or is not there", hint: "read the connection file again; start a server with: sampo serve", retryable: true },
  TokenRefused: { code: -32062, message: "the server does not know this token", hint: "read the connection file again: every start makes a new token", retryable: false },
  ConnectionLost: { code: -32063, message: "the connection ended before the answer", hint: "connect again and repeat the request", retryable: true },
  WorkerLost: { code: -32070, message: "every worker that took this part of an image was lost while it searched it", hint: "look into the workers' logs for why they ended, then run the same command again", retryable: true },
  QueueUnavailable: { code: -32071, message: "the queue (Redis or Valkey) cannot be used", hint: "check the address, the password and the certificate; a server and workers connect again by themselves once it is back", retryable: true },
} as const satisfies Record<string, ErrorRow>;

/** Names of the error table. */
export type ErrorName = keyof typeof ERRORS;
