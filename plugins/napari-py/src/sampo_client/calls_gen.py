"""Generated from schemas/ by tools/generate_types.py; do not edit."""

from __future__ import annotations

from typing import Any, Callable, Literal, Optional, overload

from . import types_gen as types

#: Hears the `value` of each `$/progress` of a request.
OnProgress = Callable[["types.ProgressParamsValue"], None]

#: Requests a client may send, as this client knows them.
REQUESTS = frozenset({
    'batch/cancel',
    'batch/list',
    'batch/resume',
    'batch/start',
    'batch/status',
    'checkpoint/activate',
    'checkpoint/delete',
    'checkpoint/list',
    'image/close',
    'image/open',
    'image/region',
    'initialize',
    'intent/create',
    'intent/delete',
    'intent/export',
    'intent/get',
    'intent/import',
    'intent/list',
    'intent/update',
    'model/import',
    'model/list',
    'model/load',
    'model/pull',
    'model/release',
    'model/run',
    'preference/list',
    'preference/redo',
    'preference/submit',
    'preference/undo',
    'review/next',
    'rpc.discover',
    'segment/prompt',
    'segment/threshold',
    'server/status',
    'server/stop',
    'shutdown',
    'training/start',
    'training/status',
    'training/stop',
})


class Calls:
    """The typed face of `call`."""

    @overload
    def call(self, method: Literal['batch/cancel'], params: types.BatchCancelParams, on_progress: Optional[OnProgress] = None) -> types.BatchCancelResult: ...

    @overload
    def call(self, method: Literal['batch/list'], params: types.BatchListParams = ..., on_progress: Optional[OnProgress] = None) -> types.BatchListResult: ...

    @overload
    def call(self, method: Literal['batch/resume'], params: types.BatchResumeParams, on_progress: Optional[OnProgress] = None) -> types.BatchResumeResult: ...

    @overload
    def call(self, method: Literal['batch/start'], params: types.BatchStartParams, on_progress: Optional[OnProgress] = None) -> types.BatchStartResult: ...

    @overload
    def call(self, method: Literal['batch/status'], params: types.BatchStatusParams, on_progress: Optional[OnProgress] = None) -> types.BatchStatusResult: ...

    @overload
    def call(self, method: Literal['checkpoint/activate'], params: types.CheckpointActivateParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointActivateResult: ...

    @overload
    def call(self, method: Literal['checkpoint/delete'], params: types.CheckpointDeleteParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointDeleteResult: ...

    @overload
    def call(self, method: Literal['checkpoint/list'], params: types.CheckpointListParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointListResult: ...

    @overload
    def call(self, method: Literal['image/close'], params: types.ImageCloseParams, on_progress: Optional[OnProgress] = None) -> types.ImageCloseResult: ...

    @overload
    def call(self, method: Literal['image/open'], params: types.ImageOpenParams, on_progress: Optional[OnProgress] = None) -> types.ImageOpenResult: ...

    @overload
    def call(self, method: Literal['image/region'], params: types.ImageRegionParams, on_progress: Optional[OnProgress] = None) -> types.ImageRegionResult: ...

    @overload
    def call(self, method: Literal['initialize'], params: types.InitializeParams, on_progress: Optional[OnProgress] = None) -> types.InitializeResult: ...

    @overload
    def call(self, method: Literal['intent/create'], params: types.IntentCreateParams, on_progress: Optional[OnProgress] = None) -> types.IntentCreateResult: ...

    @overload
    def call(self, method: Literal['intent/delete'], params: types.IntentDeleteParams, on_progress: Optional[OnProgress] = None) -> types.IntentDeleteResult: ...

    @overload
    def call(self, method: Literal['intent/export'], params: types.IntentExportParams, on_progress: Optional[OnProgress] = None) -> types.IntentExportResult: ...

    @overload
    def call(self, method: Literal['intent/get'], params: types.IntentGetParams, on_progress: Optional[OnProgress] = None) -> types.IntentGetResult: ...

    @overload
    def call(self, method: Literal['intent/import'], params: types.IntentImportParams, on_progress: Optional[OnProgress] = None) -> types.IntentImportResult: ...

    @overload
    def call(self, method: Literal['intent/list'], params: types.IntentListParams = ..., on_progress: Optional[OnProgress] = None) -> types.IntentListResult: ...

    @overload
    def call(self, method: Literal['intent/update'], params: types.IntentUpdateParams, on_progress: Optional[OnProgress] = None) -> types.IntentUpdateResult: ...

    @overload
    def call(self, method: Literal['model/import'], params: types.ModelImportParams, on_progress: Optional[OnProgress] = None) -> types.ModelImportResult: ...

    @overload
    def call(self, method: Literal['model/list'], params: types.ModelListParams = ..., on_progress: Optional[OnProgress] = None) -> types.ModelListResult: ...

    @overload
    def call(self, method: Literal['model/load'], params: types.ModelLoadParams, on_progress: Optional[OnProgress] = None) -> types.ModelLoadResult: ...

    @overload
    def call(self, method: Literal['model/pull'], params: types.ModelPullParams, on_progress: Optional[OnProgress] = None) -> types.ModelPullResult: ...

    @overload
    def call(self, method: Literal['model/release'], params: types.ModelReleaseParams, on_progress: Optional[OnProgress] = None) -> types.ModelReleaseResult: ...

    @overload
    def call(self, method: Literal['model/run'], params: types.ModelRunParams, on_progress: Optional[OnProgress] = None) -> types.ModelRunResult: ...

    @overload
    def call(self, method: Literal['preference/list'], params: types.PreferenceListParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceListResult: ...

    @overload
    def call(self, method: Literal['preference/redo'], params: types.PreferenceRedoParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceRedoResult: ...

    @overload
    def call(self, method: Literal['preference/submit'], params: types.PreferenceSubmitParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceSubmitResult: ...

    @overload
    def call(self, method: Literal['preference/undo'], params: types.PreferenceUndoParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceUndoResult: ...

    @overload
    def call(self, method: Literal['review/next'], params: types.ReviewNextParams, on_progress: Optional[OnProgress] = None) -> types.ReviewNextResult: ...

    @overload
    def call(self, method: Literal['rpc.discover'], params: types.RpcDiscoverParams = ..., on_progress: Optional[OnProgress] = None) -> types.RpcDiscoverResult: ...

    @overload
    def call(self, method: Literal['segment/prompt'], params: types.SegmentPromptParams, on_progress: Optional[OnProgress] = None) -> types.SegmentPromptResult: ...

    @overload
    def call(self, method: Literal['segment/threshold'], params: types.SegmentThresholdParams, on_progress: Optional[OnProgress] = None) -> types.SegmentThresholdResult: ...

    @overload
    def call(self, method: Literal['server/status'], params: types.ServerStatusParams = ..., on_progress: Optional[OnProgress] = None) -> types.ServerStatusResult: ...

    @overload
    def call(self, method: Literal['server/stop'], params: types.ServerStopParams = ..., on_progress: Optional[OnProgress] = None) -> types.ServerStopResult: ...

    @overload
    def call(self, method: Literal['shutdown'], params: types.ShutdownParams = ..., on_progress: Optional[OnProgress] = None) -> types.ShutdownResult: ...

    @overload
    def call(self, method: Literal['training/start'], params: types.TrainingStartParams, on_progress: Optional[OnProgress] = None) -> types.TrainingStartResult: ...

    @overload
    def call(self, method: Literal['training/status'], params: types.TrainingStatusParams = ..., on_progress: Optional[OnProgress] = None) -> types.TrainingStatusResult: ...

    @overload
    def call(self, method: Literal['training/stop'], params: types.TrainingStopParams, on_progress: Optional[OnProgress] = None) -> types.TrainingStopResult: ...

    def call(self, method: str, params: Any = None, on_progress: Optional[OnProgress] = None) -> Any:
        """Sends a request and returns its result. Raises the error of the answer as a SampoError."""
        raise NotImplementedError


class AsyncCalls:
    """The typed face of `call`."""

    @overload
    async def call(self, method: Literal['batch/cancel'], params: types.BatchCancelParams, on_progress: Optional[OnProgress] = None) -> types.BatchCancelResult: ...

    @overload
    async def call(self, method: Literal['batch/list'], params: types.BatchListParams = ..., on_progress: Optional[OnProgress] = None) -> types.BatchListResult: ...

    @overload
    async def call(self, method: Literal['batch/resume'], params: types.BatchResumeParams, on_progress: Optional[OnProgress] = None) -> types.BatchResumeResult: ...

    @overload
    async def call(self, method: Literal['batch/start'], params: types.BatchStartParams, on_progress: Optional[OnProgress] = None) -> types.BatchStartResult: ...

    @overload
    async def call(self, method: Literal['batch/status'], params: types.BatchStatusParams, on_progress: Optional[OnProgress] = None) -> types.BatchStatusResult: ...

    @overload
    async def call(self, method: Literal['checkpoint/activate'], params: types.CheckpointActivateParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointActivateResult: ...

    @overload
    async def call(self, method: Literal['checkpoint/delete'], params: types.CheckpointDeleteParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointDeleteResult: ...

    @overload
    async def call(self, method: Literal['checkpoint/list'], params: types.CheckpointListParams, on_progress: Optional[OnProgress] = None) -> types.CheckpointListResult: ...

    @overload
    async def call(self, method: Literal['image/close'], params: types.ImageCloseParams, on_progress: Optional[OnProgress] = None) -> types.ImageCloseResult: ...

    @overload
    async def call(self, method: Literal['image/open'], params: types.ImageOpenParams, on_progress: Optional[OnProgress] = None) -> types.ImageOpenResult: ...

    @overload
    async def call(self, method: Literal['image/region'], params: types.ImageRegionParams, on_progress: Optional[OnProgress] = None) -> types.ImageRegionResult: ...

    @overload
    async def call(self, method: Literal['initialize'], params: types.InitializeParams, on_progress: Optional[OnProgress] = None) -> types.InitializeResult: ...

    @overload
    async def call(self, method: Literal['intent/create'], params: types.IntentCreateParams, on_progress: Optional[OnProgress] = None) -> types.IntentCreateResult: ...

    @overload
    async def call(self, method: Literal['intent/delete'], params: types.IntentDeleteParams, on_progress: Optional[OnProgress] = None) -> types.IntentDeleteResult: ...

    @overload
    async def call(self, method: Literal['intent/export'], params: types.IntentExportParams, on_progress: Optional[OnProgress] = None) -> types.IntentExportResult: ...

    @overload
    async def call(self, method: Literal['intent/get'], params: types.IntentGetParams, on_progress: Optional[OnProgress] = None) -> types.IntentGetResult: ...

    @overload
    async def call(self, method: Literal['intent/import'], params: types.IntentImportParams, on_progress: Optional[OnProgress] = None) -> types.IntentImportResult: ...

    @overload
    async def call(self, method: Literal['intent/list'], params: types.IntentListParams = ..., on_progress: Optional[OnProgress] = None) -> types.IntentListResult: ...

    @overload
    async def call(self, method: Literal['intent/update'], params: types.IntentUpdateParams, on_progress: Optional[OnProgress] = None) -> types.IntentUpdateResult: ...

    @overload
    async def call(self, method: Literal['model/import'], params: types.ModelImportParams, on_progress: Optional[OnProgress] = None) -> types.ModelImportResult: ...

    @overload
    async def call(self, method: Literal['model/list'], params: types.ModelListParams = ..., on_progress: Optional[OnProgress] = None) -> types.ModelListResult: ...

    @overload
    async def call(self, method: Literal['model/load'], params: types.ModelLoadParams, on_progress: Optional[OnProgress] = None) -> types.ModelLoadResult: ...

    @overload
    async def call(self, method: Literal['model/pull'], params: types.ModelPullParams, on_progress: Optional[OnProgress] = None) -> types.ModelPullResult: ...

    @overload
    async def call(self, method: Literal['model/release'], params: types.ModelReleaseParams, on_progress: Optional[OnProgress] = None) -> types.ModelReleaseResult: ...

    @overload
    async def call(self, method: Literal['model/run'], params: types.ModelRunParams, on_progress: Optional[OnProgress] = None) -> types.ModelRunResult: ...

    @overload
    async def call(self, method: Literal['preference/list'], params: types.PreferenceListParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceListResult: ...

    @overload
    async def call(self, method: Literal['preference/redo'], params: types.PreferenceRedoParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceRedoResult: ...

    @overload
    async def call(self, method: Literal['preference/submit'], params: types.PreferenceSubmitParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceSubmitResult: ...

    @overload
    async def call(self, method: Literal['preference/undo'], params: types.PreferenceUndoParams, on_progress: Optional[OnProgress] = None) -> types.PreferenceUndoResult: ...

    @overload
    async def call(self, method: Literal['review/next'], params: types.ReviewNextParams, on_progress: Optional[OnProgress] = None) -> types.ReviewNextResult: ...

    @overload
    async def call(self, method: Literal['rpc.discover'], params: types.RpcDiscoverParams = ..., on_progress: Optional[OnProgress] = None) -> types.RpcDiscoverResult: ...

    @overload
    async def call(self, method: Literal['segment/prompt'], params: types.SegmentPromptParams, on_progress: Optional[OnProgress] = None) -> types.SegmentPromptResult: ...

    @overload
    async def call(self, method: Literal['segment/threshold'], params: types.SegmentThresholdParams, on_progress: Optional[OnProgress] = None) -> types.SegmentThresholdResult: ...

    @overload
    async def call(self, method: Literal['server/status'], params: types.ServerStatusParams = ..., on_progress: Optional[OnProgress] = None) -> types.ServerStatusResult: ...

    @overload
    async def call(self, method: Literal['server/stop'], params: types.ServerStopParams = ..., on_progress: Optional[OnProgress] = None) -> types.ServerStopResult: ...

    @overload
    async def call(self, method: Literal['shutdown'], params: types.ShutdownParams = ..., on_progress: Optional[OnProgress] = None) -> types.ShutdownResult: ...

    @overload
    async def call(self, method: Literal['training/start'], params: types.TrainingStartParams, on_progress: Optional[OnProgress] = None) -> types.TrainingStartResult: ...

    @overload
    async def call(self, method: Literal['training/status'], params: types.TrainingStatusParams = ..., on_progress: Optional[OnProgress] = None) -> types.TrainingStatusResult: ...

    @overload
    async def call(self, method: Literal['training/stop'], params: types.TrainingStopParams, on_progress: Optional[OnProgress] = None) -> types.TrainingStopResult: ...

    async def call(self, method: str, params: Any = None, on_progress: Optional[OnProgress] = None) -> Any:
        """Sends a request and returns its result. Raises the error of the answer as a SampoError."""
        raise NotImplementedError
