"""The blocking session: what scripts and notebooks use."""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Generator, Iterable, Mapping, Optional, Sequence, TypeVar, Union

from . import batches, flows
from .calls_gen import Calls
from .connection import CancelToken, Connection
from .errors import SampoError
from .flows import Examples, Flow, Intent, OpenedImage, Place, Refinement, Region
from .handshake import RegionAnswers, initialize, reach
from .judgements import ObjectRef, judgement_list
from .results import Objects
from .server_process import ServerProcess

T = TypeVar("T")


class Session(Calls):
    """An open conversation with the server. `connect()` makes one; use it in a `with` block, or call `close()`.

    Methods raise SampoError: `str(error)` says what was found and what to do. Ctrl-C cancels what runs at the server too.
    All places are image px: x from the left, y from the top, (0, 0) is the corner of the first pixel.
    """

    def __init__(self, connection: Connection, name: str = "sampo_client", started: Optional[ServerProcess] = None) -> None:
        self.connection = connection
        self.hello = initialize(connection, name)
        self.state = flows.SessionState(self.hello["capabilities"]["methods"])
        self._started = started
        connection.answer("image/readRegion", RegionAnswers(self.state.sources))
        connection.listen("objects/publish", self._published)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        server = self.hello["server"]
        return f"<Session: {server['name']} {server['version']} on {self.hello['device']['used']}{', closed' if self.closed else ''}>"

    @property
    def closed(self) -> bool:
        return self.connection.closed

    def close(self) -> None:
        """Ends the session. A server that it has started is stopped, unless another client is connected to it."""
        try:
            if self._started is not None and not self.closed:
                if self._is_last_client():
                    self.call("server/stop")
                    self._started.wait()
        except SampoError:
            pass
        finally:
            self._started = None
            self.connection.close()

    def _is_last_client(self) -> bool:
        """Whether nobody else is connected. A client that has just left may still be counted, so a second is given."""
        for _ in range(10):
            if self.call("server/status")["clients"] <= 1:
                return True
            time.sleep(0.1)
        return False

    def call(self, method: str, params: Any = None, on_progress: Optional[Callable[[Any], None]] = None) -> Any:  # type: ignore[override]
        """Sends any request of the protocol and returns its result (docs/protocol.md)."""
        return self.connection.request(method, {} if params is None else params, on_progress).result()

    # -- intents -------------------------------------------------------------------------------------------------------

    def intents(self) -> list[Intent]:
        """All intents of the server."""
        return [Intent.of(wire) for wire in self.call("intent/list")["intents"]]

    def intent(self, name: Union[str, Intent], *, create: bool = False, color: Optional[Sequence[int]] = None) -> Intent:
        """An intent by name or id, as it is now. Raises IntentNotFound, unless it may be made."""
        found = self._run(flows.find_intent(name, create, color))
        return Intent.of(self.call("intent/get", {"intentId": found.intent_id})["intent"])

    def rename(self, intent: Union[str, Intent], name: Optional[str] = None, color: Optional[Sequence[int]] = None) -> Intent:
        """Gives an intent another name or colour."""
        change: dict[str, Any] = {"intentId": self.intent(intent).intent_id}
        if name is not None:
            change["name"] = name
        if color is not None:
            change["color"] = [int(value) for value in color]
        return Intent.of(self.call("intent/update", change)["intent"])

    def delete(self, intent: Union[str, Intent]) -> None:
        """Deletes an intent with its examples, judgements and refinements."""
        self.call("intent/delete", {"intentId": self.intent(intent).intent_id})

    # -- finding -------------------------------------------------------------------------------------------------------

    def find_all(
        self,
        image: Any,
        clicks: Sequence[Place] = (),
        *,
        intent: Union[str, Intent, None] = None,
        not_these: Sequence[Place] = (),
        boxes: Sequence[Sequence[float]] = (),
        objects: Iterable[Mapping[str, Any]] = (),
        intents: Optional[Mapping[Any, Union[Examples, Sequence[Place]]]] = None,
        region: Optional[Region] = None,
        threshold: Optional[float] = None,
        min_area: Optional[float] = None,
        max_area: Optional[float] = None,
        simplify: Optional[float] = None,
        color: Optional[Sequence[int]] = None,
        model: Optional[str] = None,
        remember: bool = True,
        on_objects: Optional[Callable[[list[Any]], None]] = None,
        on_progress: Optional[Callable[[Any], None]] = None,
        cancel: Optional[CancelToken] = None,
        **options: Any,
    ) -> Objects:
        """All objects like the clicked ones.

        image: a path, an array (numpy, dask, zarr), a list of levels, or an OME-Zarr folder; `options` are those of
          `open_image`: pixel_size (µm), channel_axis, channel_names, stains, name, plane.
        clicks, not_these: places (x, y) on nuclei that are, and are not, of the type. boxes: (x, y, width, height).
        intent: class name; made when it is new, and what it has learned before is used. Without one a new intent is made.
        intents: several types at once: class name to its clicks, or to Examples.
        region: (x, y, width, height) or a polygon; the whole image when left out.
        threshold: least score, 0 to 1. min_area, max_area: µm². simplify: px.
        on_objects, on_progress: hear objects and progress while tiles are computed, on another thread.
        cancel: a CancelToken by which another thread stops the search.
        Raises NoPositiveClick, ClickOutside, ImageProblem, PathNotAllowed, ExtentTooLarge and others; RequestCancelled after a cancel.
        """
        if intents is None:
            name = intent if intent is not None else flows.unused_name(known.name for known in self.intents())
            intents = {name: Examples(clicks, not_these, boxes, tuple(objects))}
        elif intent is not None or len(clicks) or len(not_these) or len(boxes):
            raise ValueError("give either intents={name: clicks}, or clicks and intent")
        colors = {key: color for key in intents} if color is not None else {}
        filters = flows.filters_of(threshold, min_area, max_area, simplify)
        return self._run(
            flows.find_all(
                self.state, image, intents, region=region, filters=filters, model=model, remember=remember, colors=colors,
                on_objects=on_objects, on_progress=on_progress, options=options,
            ),
            cancel,
        )

    def open(self, image: Any, **options: Any) -> OpenedImage:
        """Opens an image at the server without a search; `find_all` does so by itself. Options as for `find_all`."""
        return self._run(flows.open_on_server(self.state, image, options))

    def close_image(self, opened: OpenedImage) -> None:
        """Closes an image; its results end with it."""
        self._run(flows.close_image(self.state, opened))

    def threshold(
        self, objects: Objects, threshold: Optional[float] = None, *, min_area: Optional[float] = None, max_area: Optional[float] = None, simplify: Optional[float] = None
    ) -> Objects:
        """The objects under other filters, without inference."""
        return self._run(flows.threshold(objects, flows.filters_of(threshold, min_area, max_area, simplify)))

    # -- judging and refining ------------------------------------------------------------------------------------------

    def judge(
        self,
        objects: Objects,
        *,
        accept: Iterable[ObjectRef] = (),
        reject: Iterable[ObjectRef] = (),
        add: Iterable[Mapping[str, Any]] = (),
        edit: Optional[Mapping[str, Mapping[str, Any]]] = None,
        better: Optional[Mapping[str, int]] = None,
        intent: Union[str, Intent, None] = None,
    ) -> int:
        """Stores what is right and wrong; durable when it returns. Returns the judgements of the intent in force."""
        return self._run(flows.judge(objects, intent, judgement_list(accept, reject, add, edit, better, objects.candidates)))["total"]

    def undo(self, intent: Union[str, Intent]) -> int:
        """Takes the latest judgements back. Raises NothingToUndo."""
        return self.call("preference/undo", {"intentId": self.intent(intent).intent_id})["total"]

    def redo(self, intent: Union[str, Intent]) -> int:
        """Brings back what was undone last. Raises NothingToUndo."""
        return self.call("preference/redo", {"intentId": self.intent(intent).intent_id})["total"]

    def review(self, objects: Objects, count: int = 10, *, intent: Union[str, Intent, None] = None) -> Objects:
        """The most uncertain objects that were not judged yet."""
        return self._run(flows.review(objects, intent, count))

    def refine(
        self,
        what: Union[str, Intent, Objects],
        *,
        intent: Union[str, Intent, None] = None,
        seconds: Optional[float] = None,
        on_progress: Optional[Callable[[Any], None]] = None,
        cancel: Optional[CancelToken] = None,
        **settings: Any,
    ) -> Refinement:
        """Makes an intent better by its judgements; given objects, brings them up to date too.

        seconds: time budget. settings: steps, trainable, seed, objective. Raises JudgementsTooFew, TrainingBusy.
        """
        if seconds is not None:
            settings["seconds"] = float(seconds)
        return self._run(flows.refine(self.state, what, intent, settings, on_progress), cancel)

    def activate(self, intent: Union[str, Intent], checkpoint_id: Optional[str], objects: Optional[Objects] = None) -> Refinement:
        """Goes to a version of an intent (None: as shipped); `objects` are brought up to date."""
        return self._run(flows.activate(self.state, intent, checkpoint_id, objects))

    def revert(self, refinement: Refinement) -> Refinement:
        """Goes back to what was before a refinement."""
        return self.activate(refinement.intent_id, refinement.previous, refinement.objects)

    # -- many images ---------------------------------------------------------------------------------------------------

    def batch(
        self,
        images: Iterable[Any],
        intents: Union[str, Intent, Sequence[Union[str, Intent]]],
        out: "os.PathLike[str] | str",
        *,
        threshold: Optional[float] = None,
        min_area: Optional[float] = None,
        max_area: Optional[float] = None,
        tissue: bool = False,
        progress: bool = True,
        poll: float = 0.5,
    ) -> batches.BatchEnd:
        """Runs intents over image files at the server: a GeoJSON file for each in `out`, and a summary.

        tissue: search tissue alone. progress: a tqdm bar, when tqdm is installed. Ctrl-C cancels the job; finished images stay, and
        the same call again takes the job up. `out` has to lie below a folder that the server may use.
        Raises NotAvailable when the server serves no batches, BatchFailed when images failed.
        """
        listed = [intents] if isinstance(intents, (str, Intent)) else list(intents)
        job = self._run(flows.start_batch(self.state, images, listed, out, flows.filters_of(threshold, min_area, max_area, None), tissue))
        return batches.follow(self.call, job, progress, poll)

    # -- inner ---------------------------------------------------------------------------------------------------------

    def on_publish(self, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Hears `objects/publish`, on another thread. Returns a function that ends it."""
        self.state.publish_listeners.append(listener)
        return lambda: self.state.publish_listeners.remove(listener)

    def _published(self, params: Any) -> None:
        for listener in list(self.state.publish_listeners):
            listener(params)

    def _run(self, flow: Flow[T], cancel: Optional[CancelToken] = None) -> T:
        if cancel is None:
            return run_flow(flow, self.call)

        def watched(method: str, params: Any, on_progress: Optional[Callable[[Any], None]]) -> Any:
            pending = self.connection.request(method, params, on_progress)
            cancel.watch(pending)
            return pending.result()

        return run_flow(flow, watched)


def run_flow(flow: Generator[Any, Any, T], call: Callable[..., Any]) -> T:
    """Carries a flow out on this thread."""
    value: Any = None
    error: Optional[BaseException] = None
    while True:
        try:
            step = flow.throw(error) if error is not None else flow.send(value)
        except StopIteration as end:
            return end.value
        value, error = None, None
        try:
            value = call(step.method, step.params, step.on_progress) if isinstance(step, flows.Call) else step.run()
        except BaseException as raised:  # the flow decides what to do with it
            error = raised


def connect(
    state: "Optional[os.PathLike[str] | str]" = None,
    *,
    start: bool = True,
    roots: "Optional[Sequence[os.PathLike[str] | str]]" = None,
    name: str = "sampo_client",
    timeout: float = 10,
    server_arguments: Sequence[str] = (),
) -> Session:
    """Connects to the running server, or starts one.

    state: the state folder; the usual one when left out (docs/connecting.md).
    start: start a server when there is none; it is stopped with the session, unless another client uses it.
    roots: folders whose files a server started here may read; the working folder when left out.
    Raises NoServer, ConnectionRefused, TokenRefused, VersionMismatch: each says what to do.
    """
    connection, started = reach(state, start, roots, timeout, server_arguments)
    try:
        return Session(connection, name, started)
    except BaseException:
        connection.close()
        raise
