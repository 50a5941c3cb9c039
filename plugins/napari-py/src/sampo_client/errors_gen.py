"""Generated from schemas/ by tools/generate_types.py; do not edit."""

from __future__ import annotations

from .errors import SampoError


class ParseError(SampoError):
    """The message is not JSON."""

    code = -32700
    summary = 'the message is not JSON'
    hint = 'send one JSON-RPC 2.0 object per text message, encoded as UTF-8'
    retryable = False


class InvalidRequest(SampoError):
    """The message is not a JSON-RPC 2.0 request."""

    code = -32600
    summary = 'the message is not a JSON-RPC 2.0 request'
    hint = 'see the protocol page; batch arrays are not accepted'
    retryable = False


class MethodNotFound(SampoError):
    """No such method."""

    code = -32601
    summary = 'no such method'
    hint = 'rpc.discover lists the methods this server has'
    retryable = False


class InvalidParams(SampoError):
    """The params do not fit the method."""

    code = -32602
    summary = 'the params do not fit the method'
    hint = 'data.problems gives a JSON pointer and what was wanted'
    retryable = False


class InternalError(SampoError):
    """The server failed in a way it did not foresee."""

    code = -32603
    summary = 'the server failed in a way it did not foresee'
    hint = 'see the server log; please report it'
    retryable = False


class RequestCancelled(SampoError):
    """The request was cancelled."""

    code = -32800
    summary = 'the request was cancelled'
    hint = 'send it again when you want it'
    retryable = False


class LimitExceeded(SampoError):
    """A limit of the server was passed."""

    code = -32001
    summary = 'a limit of the server was passed'
    hint = 'data.limit and data.value name it; limits are in the answer to initialize'
    retryable = False


class ServerNotInitialized(SampoError):
    """The connection is not initialized."""

    code = -32002
    summary = 'the connection is not initialized'
    hint = 'send initialize first'
    retryable = False


class Busy(SampoError):
    """Too many requests are under way."""

    code = -32003
    summary = 'too many requests are under way'
    hint = 'wait for an answer, then send again'
    retryable = True


class ShuttingDown(SampoError):
    """The connection is shutting down."""

    code = -32004
    summary = 'the connection is shutting down'
    hint = 'connect again'
    retryable = False


class VersionMismatch(SampoError):
    """Client and server speak different protocol versions."""

    code = -32005
    summary = 'client and server speak different protocol versions'
    hint = 'update the plugin or the server: data tells both versions'
    retryable = False


class NotAvailable(SampoError):
    """This build does not have the method yet."""

    code = -32006
    summary = 'this build does not have the method yet'
    hint = 'see rpc.discover for what it has'
    retryable = False


class ClientFailed(SampoError):
    """The client answered a server request with an error."""

    code = -32007
    summary = 'the client answered a server request with an error'
    hint = 'data.error holds what the client said'
    retryable = False


class ImageNotOpen(SampoError):
    """No open image has this id."""

    code = -32010
    summary = 'no open image has this id'
    hint = 'call image/open first'
    retryable = False


class ImageUnreadable(SampoError):
    """The image cannot be decoded."""

    code = -32011
    summary = 'the image cannot be decoded'
    hint = 'check that the file opens in another viewer; it may be truncated'
    retryable = False


class UnsupportedImage(SampoError):
    """This kind of image is not supported."""

    code = -32012
    summary = 'this kind of image is not supported'
    hint = 'open it in the viewer and use source "client"'
    retryable = False


class ImageTooLarge(SampoError):
    """The image is too large to be decoded safely."""

    code = -32013
    summary = 'the image is too large to be decoded safely'
    hint = 'use a tiled pyramidal file, or raise the limit imagePixels'
    retryable = False


class PathNotAllowed(SampoError):
    """The path is outside the allowed folders."""

    code = -32014
    summary = 'the path is outside the allowed folders'
    hint = 'start the server with --root and the folder'
    retryable = False


class FileNotFound(SampoError):
    """No such file."""

    code = -32015
    summary = 'no such file'
    hint = 'check the path'
    retryable = False


class ImageChanged(SampoError):
    """The image file has changed since it was opened."""

    code = -32059
    summary = 'the image file has changed since it was opened'
    hint = 'close the image and open it again'
    retryable = False


class RegionOutOfImage(SampoError):
    """The region lies outside the image."""

    code = -32016
    summary = 'the region lies outside the image'
    hint = 'data gives the size of the image'
    retryable = False


class ViewerTimeout(SampoError):
    """The viewer did not send the pixels in time."""

    code = -32017
    summary = 'the viewer did not send the pixels in time'
    hint = 'check that the image is still open in the viewer'
    retryable = True


class BlobMissing(SampoError):
    """No such blob."""

    code = -32018
    summary = 'no such blob'
    hint = 'send the binary frame before the message that names it; blobs expire'
    retryable = False


class PixelsInvalid(SampoError):
    """The pixels sent do not fit their description."""

    code = -32019
    summary = 'the pixels sent do not fit their description'
    hint = 'width x height x channels must equal what was asked for'
    retryable = False


class EngineCrashed(SampoError):
    """The engine process ended during the request."""

    code = -32020
    summary = 'the engine process ended during the request'
    hint = 'it restarts by itself; send the request again'
    retryable = True


class ModelInvalid(SampoError):
    """The model cannot be loaded."""

    code = -32021
    summary = 'the model cannot be loaded'
    hint = 'data.reason says what the runtime reported'
    retryable = False


class ModelNotFound(SampoError):
    """No such model."""

    code = -32022
    summary = 'no such model'
    hint = 'model/list lists what is there'
    retryable = False


class ModelInputInvalid(SampoError):
    """The inputs do not fit the model."""

    code = -32023
    summary = 'the inputs do not fit the model'
    hint = 'data names the input and what was wanted'
    retryable = False


class DeviceUnavailable(SampoError):
    """The device cannot be used."""

    code = -32024
    summary = 'the device cannot be used'
    hint = 'start with --device auto, or see data.tried'
    retryable = False


class OutOfMemory(SampoError):
    """Not enough memory."""

    code = -32025
    summary = 'not enough memory'
    hint = 'use a smaller region or close other programs'
    retryable = True


class InferenceFailed(SampoError):
    """The model failed while it ran."""

    code = -32026
    summary = 'the model failed while it ran'
    hint = 'data.reason says what the runtime reported'
    retryable = False


class ResidentMissing(SampoError):
    """The engine does not hold this tensor any more."""

    code = -32027
    summary = 'the engine does not hold this tensor any more'
    hint = 'send the request again: it is computed anew'
    retryable = True


class GeometryInvalid(SampoError):
    """The geometry is not a usable polygon."""

    code = -32029
    summary = 'the geometry is not a usable polygon'
    hint = 'rings are closed, with at least four positions, inside the image'
    retryable = False


class IntentNotFound(SampoError):
    """No such intent."""

    code = -32030
    summary = 'no such intent'
    hint = 'intent/list lists them'
    retryable = False


class IntentModelMismatch(SampoError):
    """The intent was made with another model."""

    code = -32031
    summary = 'the intent was made with another model'
    hint = 'open an image that holds its examples, so that they can be embedded again'
    retryable = False


class IntentInvalid(SampoError):
    """The intent document cannot be read."""

    code = -32032
    summary = 'the intent document cannot be read'
    hint = 'export it again with this version'
    retryable = False


class NoPositiveClick(SampoError):
    """An intent needs at least one positive example."""

    code = -32033
    summary = 'an intent needs at least one positive example'
    hint = 'click at least one nucleus of the type'
    retryable = False


class ClickOutside(SampoError):
    """A click lies outside the image."""

    code = -32034
    summary = 'a click lies outside the image'
    hint = 'data names the click and the size of the image'
    retryable = False


class EmptyExtent(SampoError):
    """The extent holds no pixel of the image."""

    code = -32035
    summary = 'the extent holds no pixel of the image'
    hint = 'choose a larger region inside the image'
    retryable = False


class ExtentTooLarge(SampoError):
    """The extent has more tiles than the limit."""

    code = -32036
    summary = 'the extent has more tiles than the limit'
    hint = 'choose a smaller region, or use a batch run'
    retryable = False


class ResultNotFound(SampoError):
    """No such result."""

    code = -32037
    summary = 'no such result'
    hint = 'results are kept while the image is open; segment again'
    retryable = False


class ObjectNotFound(SampoError):
    """No such object."""

    code = -32038
    summary = 'no such object'
    hint = 'data.objectId names it'
    retryable = False


class ConflictingClicks(SampoError):
    """One nucleus was clicked for two intents."""

    code = -32039
    summary = 'one nucleus was clicked for two intents'
    hint = 'data names the clicks'
    retryable = False


class NothingToUndo(SampoError):
    """There is nothing to undo or redo."""

    code = -32040
    summary = 'there is nothing to undo or redo'
    hint = 'preference/list shows the judgements'
    retryable = False


class JudgementsTooFew(SampoError):
    """Not enough judgements to refine."""

    code = -32041
    summary = 'not enough judgements to refine'
    hint = 'data.least says how many are needed'
    retryable = False


class TrainingBusy(SampoError):
    """A refinement is under way."""

    code = -32042
    summary = 'a refinement is under way'
    hint = 'wait for it or stop it'
    retryable = True


class TrainingNotRunning(SampoError):
    """No refinement is under way."""

    code = -32043
    summary = 'no refinement is under way'
    hint = 'start one with training/start'
    retryable = False


class CheckpointNotFound(SampoError):
    """No such checkpoint."""

    code = -32044
    summary = 'no such checkpoint'
    hint = 'checkpoint/list lists them'
    retryable = False


class CheckpointDamaged(SampoError):
    """The checkpoint file is damaged."""

    code = -32045
    summary = 'the checkpoint file is damaged'
    hint = 'activate an earlier one'
    retryable = False


class OperatorUnsupported(SampoError):
    """The graph holds an operator without a gradient rule."""

    code = -32046
    summary = 'the graph holds an operator without a gradient rule'
    hint = 'data names operator and node'
    retryable = False


class JobNotFound(SampoError):
    """No such job."""

    code = -32047
    summary = 'no such job'
    hint = 'batch/list lists them'
    retryable = False


class OutputBlocked(SampoError):
    """A result file cannot be written."""

    code = -32048
    summary = 'a result file cannot be written'
    hint = 'close the program that has it open, or choose another folder'
    retryable = True


class JobConflict(SampoError):
    """Another job writes into this folder."""

    code = -32049
    summary = 'another job writes into this folder'
    hint = 'wait for it, cancel it, or choose another folder; data.jobId names it'
    retryable = False


class StoreLocked(SampoError):
    """Another server owns the state folder."""

    code = -32050
    summary = 'another server owns the state folder'
    hint = 'data.pid names it; stop it or use --state'
    retryable = False


class StoreDamaged(SampoError):
    """The state file is damaged."""

    code = -32051
    summary = 'the state file is damaged'
    hint = 'the damaged file was kept beside it: data.kept'
    retryable = False


class StoreReadOnly(SampoError):
    """The state folder cannot be written."""

    code = -32052
    summary = 'the state folder cannot be written'
    hint = 'check its permissions or use --state'
    retryable = False


class DiskFull(SampoError):
    """The disk is full."""

    code = -32053
    summary = 'the disk is full'
    hint = 'free some space, then send the request again'
    retryable = True


class PortInUse(SampoError):
    """The port is in use."""

    code = -32054
    summary = 'the port is in use'
    hint = 'leave --port out to take a free one'
    retryable = False


class AlreadyRunning(SampoError):
    """A server already runs on this state folder."""

    code = -32055
    summary = 'a server already runs on this state folder'
    hint = 'sampo status shows it; sampo stop ends it'
    retryable = False


class FileDamaged(SampoError):
    """A stored file does not match its checksum."""

    code = -32056
    summary = 'a stored file does not match its checksum'
    hint = 'data.path names it'
    retryable = False


class StoreTooNew(SampoError):
    """The state folder was written by a newer version."""

    code = -32057
    summary = 'the state folder was written by a newer version'
    hint = 'use the newer version, or --state with another folder'
    retryable = False


class DownloadFailed(SampoError):
    """The download did not finish."""

    code = -32058
    summary = 'the download did not finish'
    hint = 'send the request again: it goes on where it stopped'
    retryable = True


class NoServer(SampoError):
    """No server runs."""

    code = -32060
    summary = 'no server runs'
    hint = 'start one with: sampo serve'
    retryable = True


class ConnectionRefused(SampoError):
    """The server refused the connection, or is not there."""

    code = -32061
    summary = 'the server refused the connection, or is not there'
    hint = 'read the connection file again; start a server with: sampo serve'
    retryable = True


class TokenRefused(SampoError):
    """The server does not know this token."""

    code = -32062
    summary = 'the server does not know this token'
    hint = 'read the connection file again: every start makes a new token'
    retryable = False


class ConnectionLost(SampoError):
    """The connection ended before the answer."""

    code = -32063
    summary = 'the connection ended before the answer'
    hint = 'connect again and repeat the request'
    retryable = True


class WorkerLost(SampoError):
    """Every worker that took this part of an image was lost while it searched it."""

    code = -32070
    summary = 'every worker that took this part of an image was lost while it searched it'
    hint = "look into the workers' logs for why they ended, then run the same command again"
    retryable = True


class QueueUnavailable(SampoError):
    """The queue (Redis or Valkey) cannot be used."""

    code = -32071
    summary = 'the queue (Redis or Valkey) cannot be used'
    hint = 'check the address, the password and the certificate; a server and workers connect again by themselves once it is back'
    retryable = True


#: Name of the error table to the exception.
ERRORS: dict[str, type[SampoError]] = {
    'ParseError': ParseError,
    'InvalidRequest': InvalidRequest,
    'MethodNotFound': MethodNotFound,
    'InvalidParams': InvalidParams,
    'InternalError': InternalError,
    'RequestCancelled': RequestCancelled,
    'LimitExceeded': LimitExceeded,
    'ServerNotInitialized': ServerNotInitialized,
    'Busy': Busy,
    'ShuttingDown': ShuttingDown,
    'VersionMismatch': VersionMismatch,
    'NotAvailable': NotAvailable,
    'ClientFailed': ClientFailed,
    'ImageNotOpen': ImageNotOpen,
    'ImageUnreadable': ImageUnreadable,
    'UnsupportedImage': UnsupportedImage,
    'ImageTooLarge': ImageTooLarge,
    'PathNotAllowed': PathNotAllowed,
    'FileNotFound': FileNotFound,
    'ImageChanged': ImageChanged,
    'RegionOutOfImage': RegionOutOfImage,
    'ViewerTimeout': ViewerTimeout,
    'BlobMissing': BlobMissing,
    'PixelsInvalid': PixelsInvalid,
    'EngineCrashed': EngineCrashed,
    'ModelInvalid': ModelInvalid,
    'ModelNotFound': ModelNotFound,
    'ModelInputInvalid': ModelInputInvalid,
    'DeviceUnavailable': DeviceUnavailable,
    'OutOfMemory': OutOfMemory,
    'InferenceFailed': InferenceFailed,
    'ResidentMissing': ResidentMissing,
    'GeometryInvalid': GeometryInvalid,
    'IntentNotFound': IntentNotFound,
    'IntentModelMismatch': IntentModelMismatch,
    'IntentInvalid': IntentInvalid,
    'NoPositiveClick': NoPositiveClick,
    'ClickOutside': ClickOutside,
    'EmptyExtent': EmptyExtent,
    'ExtentTooLarge': ExtentTooLarge,
    'ResultNotFound': ResultNotFound,
    'ObjectNotFound': ObjectNotFound,
    'ConflictingClicks': ConflictingClicks,
    'NothingToUndo': NothingToUndo,
    'JudgementsTooFew': JudgementsTooFew,
    'TrainingBusy': TrainingBusy,
    'TrainingNotRunning': TrainingNotRunning,
    'CheckpointNotFound': CheckpointNotFound,
    'CheckpointDamaged': CheckpointDamaged,
    'OperatorUnsupported': OperatorUnsupported,
    'JobNotFound': JobNotFound,
    'OutputBlocked': OutputBlocked,
    'JobConflict': JobConflict,
    'StoreLocked': StoreLocked,
    'StoreDamaged': StoreDamaged,
    'StoreReadOnly': StoreReadOnly,
    'DiskFull': DiskFull,
    'PortInUse': PortInUse,
    'AlreadyRunning': AlreadyRunning,
    'FileDamaged': FileDamaged,
    'StoreTooNew': StoreTooNew,
    'DownloadFailed': DownloadFailed,
    'NoServer': NoServer,
    'ConnectionRefused': ConnectionRefused,
    'TokenRefused': TokenRefused,
    'ConnectionLost': ConnectionLost,
    'WorkerLost': WorkerLost,
    'QueueUnavailable': QueueUnavailable,
}
