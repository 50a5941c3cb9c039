"""What the panel's buttons do. One controller for each viewer, however many panels show it."""

from __future__ import annotations

import weakref
from typing import Any, Callable, Optional, Sequence

from qtpy.QtCore import QObject, QTimer, Signal

from sampo_client import Intent, Objects
from sampo_client.stains import StainMap

from .bridge import Bridge
from .click_log import CLICK, NOT_THIS, PlacedClick
from .coordinates import pixel_size, scale_bar_unit, world_to_image
from .jobs import Job, Jobs
from .judging import Judging
from .label_canvas import REJECTED, REMOVED
from .layer_image import Refusal, channel_layers, check_view, chosen_layer, layer_image, plane_index
from .picture import Picture
from .refining import Refining
from .search_settings import Settings
from .searching import Searching
from .words import counted, explain

#: Intents made in another viewer are looked for this often, ms.
INTENT_POLL = 5000

_controllers: "weakref.WeakKeyDictionary[Any, Controller]" = weakref.WeakKeyDictionary()


def controller_of(viewer: Any) -> "Controller":
    """The controller of a viewer; two panels share it."""
    controller = _controllers.get(viewer)
    if controller is None or controller.closed:
        controller = _controllers[viewer] = Controller(viewer)
    return controller


class Controller(QObject):
    """Everything here runs on the window's thread, but for what is handed to `jobs`."""

    #: Something the panel shows has changed.
    changed = Signal()
    #: Level (note, warning, error) and a sentence.
    said = Signal(str, str)
    #: Share done in percent (below 0: unknown) and what is being done; an empty text ends it.
    progressed = Signal(float, str)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer
        self.settings = Settings()
        self.jobs = Jobs(self)
        self.pictures: list[Picture] = []
        self.intents: list[Intent] = []
        self.running: Optional[Job] = None
        self.closed = False
        #: "click" or "judge" for each thing that can be undone, the latest last.
        self.actions: list[str] = []
        self.last_message = ("note", "")
        self.searching = Searching(self)
        self.judging = Judging(self)
        self.refining = Refining(self)
        self.bridge = Bridge(self.refining.published, lambda: self.jobs.deliver(self._connection_changed, None))
        self._poll_timer = QTimer(self, interval=INTENT_POLL)
        self._poll_timer.timeout.connect(self._poll_intents)
        self._poll_timer.start()
        for events in (viewer.layers.events.removed, viewer.layers.events.inserted, viewer.layers.selection.events.active):
            events.connect(self._layers_changed)

    # -- the picture ---------------------------------------------------------------------------------------------------

    def picture(self) -> Picture:
        """The picture to work on. Raises Refusal, in words for the user."""
        layer = chosen_layer(self.viewer)
        for picture in self.pictures:
            if layer in picture.layers and not picture.is_gone():
                return picture
        layers = channel_layers(self.viewer, layer)
        picture = Picture(self.viewer, layers, self._clicks_changed)
        self.pictures.append(picture)
        return picture

    def current_picture(self) -> Optional[Picture]:
        """The picture to work on, None when there is none."""
        try:
            return self.picture()
        except Refusal:
            return None

    def pixel_size(self, picture: Picture) -> tuple[Optional[float], str]:
        """µm per pixel in use, and where it comes from."""
        if self.settings.pixel_size is not None:
            return self.settings.pixel_size, "as you typed it"
        return pixel_size(picture.image_layer, scale_bar_unit(self.viewer))

    def source(self, picture: Picture) -> Any:
        """The picture as an image of the client; the same object until something about it changes."""
        size, _ = self.pixel_size(picture)
        stains = self.settings.stains if self.settings.stains and len(self.settings.stains) == len(picture.layers) else None
        key = (tuple(id(layer.data) for layer in picture.layers), self.plane(picture), size, stains)
        if picture.source is None or picture.source_key != key:
            picture.source, picture.source_key = layer_image(self.viewer, picture.layers, size, stains), key
        return picture.source

    def plane(self, picture: Picture) -> Any:
        return plane_index(self.viewer, picture.image_layer)

    def stain_map(self) -> Optional[StainMap]:
        """How the current picture is shown to the model, None before it was looked at."""
        picture = self.current_picture()
        return picture.source.stain_map if picture is not None and picture.source is not None else None

    # -- connecting and intents ----------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Finds or starts the server, and lists its intents."""
        self.progressed.emit(-1, "Looking for the server")
        self.jobs.run("connect", lambda _: self.bridge.session().intents(), self._connected, lambda error: self.fail(error, "Connecting"), short=True)

    def _connected(self, intents: list[Intent]) -> None:
        self.progressed.emit(100, "")
        self.set_intents(intents)

    def _connection_changed(self, _: object) -> None:
        if self.bridge.live is None:
            for picture in self.pictures:
                picture.found.forget()
            self.judging.reviewing = []
        else:
            self.bridge.live.connection.listen("intent/changed", lambda _: self.jobs.deliver(lambda _: self.refresh_intents(), None))
        self.changed.emit()

    def refresh_intents(self) -> None:
        """Lists the intents again, when there is a connection."""
        session = self.bridge.live
        if session is not None:
            self.jobs.run("intents", lambda _: session.intents(), self.set_intents, lambda _: None, short=True)

    def _poll_intents(self) -> None:
        if not self.closed and self.running is None:
            self.refresh_intents()

    def set_intents(self, intents: list[Intent]) -> None:
        if intents == self.intents:
            return
        self.intents = intents
        if not self.settings.intent and intents:
            self.settings.intent = intents[-1].name
        self.changed.emit()

    def intent(self, name: Optional[str] = None) -> Optional[Intent]:
        """The intent of a name, as the server last told it."""
        name = self.settings.intent if name is None else name
        return next((intent for intent in self.intents if intent.name == name), None)

    def choose_intent(self, name: str, color: Optional[tuple[int, int, int]] = None) -> None:
        """The intent that clicks are for; it is made at the server with the first search."""
        self.settings.intent, self.settings.color = name.strip(), color
        self.changed.emit()

    def rename_intent(self, name: str) -> None:
        before = self.intent()
        if before is None:
            for picture in self.pictures:
                picture.log.rename(self.settings.intent, name)
            self.choose_intent(name, self.settings.color)
            return

        def renamed(_: object) -> None:
            for picture in self.pictures:
                picture.log.rename(before.name, name)
            self.settings.intent = name
            self.refresh_intents()

        self.short("Renaming", lambda session: session.rename(before, name), renamed)

    def recolor_intent(self, color: tuple[int, int, int]) -> None:
        self.settings.color = color
        intent = self.intent()
        if intent is not None:
            self.short("Changing the colour", lambda session: session.rename(intent, color=color), lambda _: self.refresh_intents())
        self.changed.emit()

    def delete_intent(self) -> None:
        intent = self.intent()
        if intent is None:
            return

        def deleted(_: object) -> None:
            self.settings.intent = next((other.name for other in self.intents if other.name != intent.name), "")
            self.refresh_intents()

        self.short(f"Deleting “{intent.name}”", lambda session: session.delete(intent), deleted)

    # -- clicking -----------------------------------------------------------------------------------------------------

    def click(self, position: Sequence[float], positive: bool = True) -> None:
        """A click at a place of the viewer (world coordinates)."""
        try:
            picture = self.picture()
            check_view(self.viewer, picture.image_layer)
            x, y = world_to_image(picture.image_layer, position)
            if not (0 <= x < picture.width and 0 <= y < picture.height):
                raise Refusal("The click lies outside the image.")
            if not self.settings.intent:
                raise Refusal("Name what you look for first, for example “Lymphocyte”.")
            if not positive and self.settings.intent not in picture.log.intents() and self.intent() is None:
                raise Refusal("Click one that is of the type first; “not this” takes away from it.")
        except Refusal as refusal:
            self.say("warning", str(refusal))
            return
        self.actions.append("click")
        picture.add_click(PlacedClick(x, y, self.settings.intent, CLICK if positive else NOT_THIS))
        self.searching.clicked()

    def _clicks_changed(self) -> None:
        self.changed.emit()

    def undo(self) -> None:
        """Takes back the latest click or judgement."""
        if not self.actions:
            self.say("note", "There is nothing to undo.")
            return
        if self.actions.pop() == "click":
            picture = self.current_picture()
            if picture is not None:
                picture.undo_click()
        else:
            self.judging.undo()
        self.changed.emit()

    def show(self, picture: Picture, value: dict[str, Any]) -> None:
        picture.show_objects(value["table"])
        if picture.labels is not None:
            picture.labels.metadata["sampo"] = {"features": value["listed"], "width": picture.width, "height": picture.height}

    def redraw(self, picture: Picture) -> None:
        """Brings layer and table up to date, with the table made on a worker thread."""

        def work(_: Job) -> dict[str, Any]:
            with picture.found.lock:
                return {"table": picture.canvas.table(), "listed": picture.canvas.listed()}

        self.jobs.run("redraw", work, lambda value: self.show(picture, value), short=True)

    def save(self, path: str) -> None:
        """Writes the objects of the picture, without those rejected, as GeoJSON."""
        picture = self.current_picture()
        if picture is None:
            return
        path = path if path.lower().endswith((".geojson", ".json")) else f"{path}.geojson"
        canvas = picture.canvas

        def work(_: Job) -> int:
            with picture.found.lock:
                kept = [canvas.feature(i) for i in canvas.ids if canvas.state(i) not in (REJECTED, REMOVED)]
            Objects(tuple(kept), picture.width, picture.height).to_geojson(path)
            return len(kept)

        self.jobs.run("save", work, lambda count: self.say("note", f"Saved {counted(count, 'object')} to {path}."), lambda error: self.fail(error, "Saving"), short=True)

    def stop(self) -> None:
        """Stops what is under way."""
        if self.running is not None:
            self.running.cancel()
            self.progressed.emit(-1, "Stopping")

    # -- inner ---------------------------------------------------------------------------------------------------------

    def start(
        self, title: str, work: Callable[[Job], Any], done: Callable[[Any], None], doing: str,
        report: Optional[Callable[[Any], None]] = None, after_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """A long job: one at a time, with progress and a stop button."""

        def finished(value: Any) -> None:
            self._ended()
            done(value)

        def failed(error: BaseException) -> None:
            self._ended()
            after_failure()
            self.fail(error, doing)

        self.progressed.emit(-1, title)
        self.running = self.jobs.run(title, work, finished, failed, report)
        self.changed.emit()

    def _ended(self) -> None:
        self.running = None
        self.progressed.emit(100, "")
        self.changed.emit()

    def short(self, doing: str, work: Callable[[Any], Any], done: Callable[[Any], None] = lambda _: None, undo: Callable[[], None] = lambda: None) -> None:
        """A short call to the server, beside long jobs."""

        def failed(error: BaseException) -> None:
            undo()
            self.fail(error, doing)

        self.jobs.run(doing, lambda _: work(self.bridge.session()), done, failed, short=True)

    def fail(self, error: BaseException, doing: str) -> None:
        self.progressed.emit(100, "")
        self.say(*explain(error, doing))

    def say(self, level: str, text: str) -> None:
        self.last_message = (level, text)
        self.said.emit(level, text)

    def _layers_changed(self, _: object = None) -> None:
        if self.closed:
            return
        for picture in [picture for picture in self.pictures if picture.is_gone()]:
            self.pictures.remove(picture)
            if self.running is not None:
                self.running.cancel()
        self.changed.emit()

    def close(self) -> None:
        """Ends jobs and the session; the viewer is closing."""
        if self.closed:
            return
        self.closed = True
        self._poll_timer.stop()
        self.searching.close()
        if self.running is not None:
            self.running.cancel()
        self.jobs.close()
        self.bridge.close()
