"""Find all: in the view, the layer or a shape; live; and under another threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Sequence

from qtpy.QtCore import QObject, QTimer

from .coordinates import camera_of, shape_regions, visible_region
from .jobs import Job
from .layer_image import Refusal, check_view
from .picture import Picture
from .search_settings import LAYER, SHAPE, VIEW
from .words import counted

if TYPE_CHECKING:
    from .controller import Controller

#: The view is searched when it has stood still for this time, ms.
LIVE_DELAY = 250
#: Objects that stream in are drawn this often, ms.
REDRAW_DELAY = 120
#: The threshold is applied when the slider has rested for this time, ms.
THRESHOLD_DELAY = 60


class Searching(QObject):
    """Searches of a viewer's pictures."""

    def __init__(self, desk: "Controller") -> None:
        super().__init__(desk)
        self._desk = desk
        self._live_timer = QTimer(self, singleShot=True, interval=LIVE_DELAY)
        self._live_timer.timeout.connect(self._search_view_live)
        self._threshold_timer = QTimer(self, singleShot=True, interval=THRESHOLD_DELAY)
        self._threshold_timer.timeout.connect(self._apply_threshold)
        self._refresh_timer = QTimer(self, singleShot=True, interval=REDRAW_DELAY)
        self._refresh_timer.timeout.connect(self._refresh_objects)
        camera, dims = camera_of(desk.viewer).events, desk.viewer.dims.events
        for events in (camera.center, camera.zoom, dims.current_step):
            events.connect(self._view_moved)

    def clicked(self) -> None:
        """A click was made: with the live view on, the view is searched."""
        if self._desk.settings.live:
            self._live_timer.start()

    def close(self) -> None:
        for timer in (self._live_timer, self._threshold_timer, self._refresh_timer):
            timer.stop()

    def find(self, extent: Optional[str] = None, live: bool = False) -> None:
        """Finds all objects of the clicked types in the view, the layer or the selected shape."""
        extent = extent or self._desk.settings.extent
        try:
            if self._desk.running is not None and not live:
                raise Refusal(f"“{self._desk.running.title}” is under way: wait for it, or stop it.")
            picture = self._desk.picture()
            check_view(self._desk.viewer, picture.image_layer)
            regions = self._regions(picture, extent)
            names = picture.log.intents()
            chosen = self._desk.settings.intent
            if chosen and chosen not in names and (self._desk.intent() is not None):
                names.append(chosen)
            names = [name for name in names if name]
            if not names:
                raise Refusal("Click at least one nucleus of the type first, or choose an intent that has examples.")
            box = _bounding(regions)
            picture.make_room(box)
            picture.ensure_points()
            picture.ensure_labels()
            source = self._desk.source(picture)
        except Refusal as refusal:
            if not live:
                self._desk.say("warning", str(refusal))
            return
        except Exception as error:
            self._desk.fail(error, "Finding")
            return
        examples = {name: picture.log.examples(name) for name in names}
        threshold, color, canvas = self._desk.settings.threshold, self._desk.settings.color, picture.canvas
        colors = {chosen: color} if color is not None else {}

        def work(job: Job) -> dict[str, Any]:
            session = self._desk.bridge.session()
            found = None
            for name in colors:
                session.intent(name, create=True, color=colors[name])
            for number, region in enumerate(regions):

                def stream(objects: list[Any]) -> None:
                    with picture.found.lock:
                        canvas.put([feature for feature in objects if feature["id"] not in canvas])

                def hear(value: Any, number: int = number) -> None:
                    if value["kind"] == "report":
                        job.report(((number + value.get("percentage", 0) / 100) * 100 / len(regions), value.get("message", ""), value.get("etaSeconds"), len(canvas)))

                found = session.find_all(source, intents=examples, region=None if extent == LAYER else region, threshold=threshold, on_objects=stream, on_progress=hear, cancel=job.token)
                shape = _bounding([region]) if extent != LAYER else None
                picture.found.take(canvas, found, shape, examples)
            with picture.found.lock:
                return {"found": found, "table": canvas.table(), "listed": canvas.listed(), "intents": session.intents()}

        self._desk.start(
            job_title(extent), work, lambda value: self._searched(picture, value), "Finding",
            report=self._search_progress, after_failure=lambda: self._desk.redraw(picture),
        )

    def _regions(self, picture: Picture, extent: str) -> list[Any]:
        layer = picture.image_layer
        if extent == LAYER:
            return [(0, 0, picture.width, picture.height)]
        if extent == VIEW:
            region = visible_region(layer)
            if region is None:
                raise Refusal("The view shows nothing of the image: move it back (the home button), or search the layer.")
            return [region]
        from napari.layers import Shapes

        shapes = [other for other in self._desk.viewer.layers if isinstance(other, Shapes) and len(other.data)]
        active = self._desk.viewer.layers.selection.active
        chosen = active if active in shapes else (shapes[-1] if shapes else None)
        if chosen is None:
            raise Refusal("Draw a shape first (New shapes layer), for example a rectangle around the tumour.")
        regions = shape_regions(chosen, layer)
        if not regions:
            raise Refusal("The shapes enclose nothing: draw a rectangle, an ellipse or a polygon.")
        return regions

    def _search_progress(self, value: tuple[float, str, Optional[float], int]) -> None:
        percentage, message, eta, count = value
        left = f", {eta:.0f} s left" if eta else ""
        self._desk.progressed.emit(percentage, f"{message}{left} · {counted(count, 'object')}")
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _refresh_objects(self) -> None:
        picture = self._desk.current_picture()
        if picture is not None:
            picture.show_objects()

    def _searched(self, picture: Picture, value: dict[str, Any]) -> None:
        found = value["found"]
        self._desk.show(picture, value)
        self._desk.set_intents(value["intents"])
        self._desk.judging.reviewing = []
        listed = ", ".join(f"{count:,} {name}".replace(",", " ") for name, count in found.counts().items()) or "nothing of the type"
        notes = "".join(f" Note: {warning}." for warning in found.warnings)
        level = "warning" if not len(found) else "note"
        hint = "" if len(found) else " Lower the threshold, or click another example."
        self._desk.say(level, f"Found {listed} in {found.seconds:.1f} s.{hint}{notes}")

    def set_live(self, on: bool) -> None:
        """Searches the view whenever it has moved."""
        self._desk.settings.live = on
        if on:
            self._live_timer.start()

    def _view_moved(self, _: object = None) -> None:
        if self._desk.settings.live and not self._desk.closed:
            self._live_timer.start()

    def _search_view_live(self) -> None:
        if self._desk.closed or not self._desk.settings.live:
            return
        if self._desk.running is not None:
            if self._desk.running.title != job_title(VIEW):
                return
            # The view has moved on: what runs is stale.
            self._desk.running.cancel()
            self._live_timer.start()
            return
        self.find(VIEW, live=True)

    def set_threshold(self, value: Optional[float]) -> None:
        """Least score, 0 to 1; None takes each intent's own."""
        self._desk.settings.threshold = value
        self._threshold_timer.start()

    def _apply_threshold(self) -> None:
        picture = self._desk.current_picture()
        if picture is None or not picture.found.results or self._desk.running is not None:
            return
        value, canvas = self._desk.settings.threshold, picture.canvas

        def filtered(session: Any) -> dict[str, Any]:
            for objects in list(picture.found.results.values()):
                picture.found.refilter(canvas, session.threshold(objects, value))
            with picture.found.lock:
                return {"table": canvas.table(), "listed": canvas.listed()}

        self._desk.short("Threshold", filtered, lambda shown: (self._desk.show(picture, shown), self._desk.changed.emit()))


def job_title(extent: str) -> str:
    return {VIEW: "Find all in view", LAYER: "Find all in layer", SHAPE: "Find all in shape"}[extent]


def _bounding(regions: Sequence[Any]) -> tuple[int, int, int, int]:
    """x, y, width, height around regions: boxes of four numbers, or polygons."""
    lefts, tops, rights, bottoms = [], [], [], []
    for region in regions:
        if hasattr(region[0], "__len__"):
            xs, ys = [place[0] for place in region], [place[1] for place in region]
            box = (min(xs), min(ys), max(xs), max(ys))
        else:
            box = (region[0], region[1], region[0] + region[2], region[1] + region[3])
        lefts.append(box[0]), tops.append(box[1]), rights.append(box[2]), bottoms.append(box[3])
    left, top = int(min(lefts)), int(min(tops))
    return left, top, int(-(-max(rights) // 1)) - left, int(-(-max(bottoms) // 1)) - top
